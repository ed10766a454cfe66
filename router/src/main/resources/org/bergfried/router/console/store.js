// What the console knows of the cluster. Watchers keep it fresh while somebody is signed in; pages listen.

import {ApiError, call, stream} from "./api.js";

const HISTORY = 300; // seconds of curves
const RETRY_MILLIS = 2000;

export const store = {
    caller: null, // {tenant, roles}
    cluster: null, // ClusterState
    placement: null, // PlacementState
    progress: null, // Progress of the plan that runs or ended last
    history: [], // {requests, tokens, queued, cache} a second
    problem: "", // why the picture may be old
};

const listeners = new Set();
let watching = new AbortController();

/** Calls after each change until the returned function is called. */
export function listen(listener) {
    listeners.add(listener);
    return () => listeners.delete(listener);
}

export function may(role) {
    return store.caller?.roles.includes(role) ?? false;
}

/** Learns who calls and begins to watch; throws what the server says. */
export async function begin() {
    end();
    store.caller = await call("ClusterService/GetCaller");
    if (!may("VIEWER")) {
        const roles = store.caller.roles.join(", ") || "none";
        store.caller = null;
        throw new ApiError(403, "FORBIDDEN", "This key has the roles " + roles + "; the console needs VIEWER, or OPERATOR to change something.");
    }
    watching = new AbortController();
    watch("ClusterService/WatchCluster", seeCluster, watching.signal);
    watch("PlacementService/WatchPlacement", seePlacement, watching.signal);
}

/** Forgets everything. */
export function end() {
    watching.abort();
    Object.assign(store, {caller: null, cluster: null, placement: null, progress: null, history: [], problem: ""});
}

/** Takes over what a stream of a change says of its progress. */
export function seeProgress(progress) {
    store.progress = progress;
    changed();
}

function seeCluster({cluster}) {
    store.cluster = cluster;
    store.history.push({
        requests: cluster.requestsPerSecond,
        tokens: cluster.tokensPerSecond,
        queued: cluster.generationsQueued + sum(cluster.workers, "queued"),
        cache: cacheUse(cluster.workers),
    });
    if (store.history.length > HISTORY) store.history.shift();
    changed();
}

function seePlacement({placement, progress}) {
    if (placement) store.placement = placement;
    if (progress) store.progress = progress;
    changed();
}

export function sum(items, field) {
    return items.reduce((total, item) => total + Number(item[field]), 0);
}

/** The share of the KV cache's pages that are in use, 0 to 1. */
export function cacheUse(workers) {
    const total = sum(workers, "pagesTotal");
    return total === 0 ? 0 : 1 - sum(workers, "pagesFree") / total;
}

async function watch(name, onMessage, signal) {
    while (!signal.aborted) {
        try {
            await stream(name, {}, (message) => {
                store.problem = "";
                onMessage(message);
            }, signal);
        } catch (failure) {
            if (signal.aborted) return;
            store.problem = failure.message + " What you see may be old; trying again.";
            changed();
        }
        await new Promise((wake) => setTimeout(wake, RETRY_MILLIS));
    }
}

function changed() {
    for (const listener of listeners) listener();
}
