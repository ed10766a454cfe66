// The cluster at a glance: traffic, workers, and giving a worker back or taking it out.

import {change} from "./change.js";
import {Curve} from "./curve.js";
import {fill, h, renew, section, table} from "./dom.js";
import {bytes, count, plural, rate, share, word} from "./format.js";
import {listen, may, store} from "./store.js";

export function overview(page) {
    const curves = {
        requests: new Curve("Requests", rate),
        tokens: new Curve("Tokens", rate),
        queued: new Curve("Queued", (value) => count(value)),
        cache: new Curve("KV cache in use", (value) => share(value, 1)),
    };
    const facts = h("p", {class: "facts"});
    const workers = h("div");
    fill(page, h("h1", {}, "Overview"), facts, h("div", {class: "curves"}, Object.values(curves).map((curve) => curve.element)), section("Workers", workers));
    const draw = () => {
        for (const [field, curve] of Object.entries(curves)) curve.show(store.history.map((second) => second[field]));
        if (!store.cluster) return;
        fill(facts, ...summary(store.cluster));
        const focused = document.activeElement?.id;
        renew(workers, workerTable(store.cluster.workers));
        if (focused?.startsWith("drain-") && document.activeElement.id !== focused) document.getElementById(focused)?.focus();
    };
    draw();
    const stop = listen(draw);
    document.addEventListener("themechange", draw);
    return () => {
        stop();
        document.removeEventListener("themechange", draw);
    };
}

function summary(cluster) {
    const models = cluster.models.map((model) => h("span", {}, h("strong", {}, model.model), " ",
        model.moeLayerCount === 0 ? "dense" : model.moeLayerCount + " x " + model.expertsPerLayer + " experts, placement " + model.epoch));
    return [
        h("span", {}, h("strong", {}, cluster.name), " ", count(cluster.routersLiving) + " of " + count(cluster.routersExpected) + " routers"),
        ...models,
        h("span", {}, plural(cluster.generationsRunning, "answer") + " running"),
        !cluster.canPlan && h("span", {class: "bad"}, "Too few routers live: placements cannot be changed."),
    ];
}

function workerTable(workers) {
    const changes = may("OPERATOR");
    const heads = ["Worker", "State", "Does", "Backend", "Experts", "Expert memory", "Free", "Rows", "KV in use", "Running", "Queued", "Epoch"];
    return table("Workers", changes ? heads.toSpliced(2, 0, "Change") : heads, workers.map((worker) => {
        const state = word(worker.condition, "WORKER_CONDITION");
        const cells = [
            worker.workerId,
            h("span", {class: "state " + state}, state),
            worker.roles.map((role) => word(role, "WORKER_ROLE")).join(", "),
            worker.backend,
            count(worker.expertsHot) + " of " + count(worker.expertsPlaced),
            bytes(worker.expertBytesHeld),
            bytes(worker.expertBytesFree),
            rate(worker.expertRowsPerSecond),
            share(worker.pagesTotal - worker.pagesFree, worker.pagesTotal),
            count(worker.running),
            count(worker.queued),
            count(worker.placementEpoch),
        ];
        return changes ? cells.toSpliced(2, 0, drainButton(worker, state)) : cells; // early, so that it is seen on a narrow screen too
    }));
}

function drainButton(worker, state) {
    const id = "drain-" + worker.workerId;
    if (state === "draining") {
        return h("button", {id, type: "button", click: () => change({
            title: "Give " + worker.workerId + " back",
            text: "New answers may have it as home at once; experts come back with the next plan.",
            action: "Give back",
            call: "ClusterService/UndrainWorker",
            request: {workerId: worker.workerId},
            streamed: false,
        })}, "Give back");
    }
    return h("button", {id, type: "button", disabled: state === "lost", click: () => change({
        title: "Drain " + worker.workerId,
        text: "New answers avoid it, its experts move to other workers, and its running answers end. Nothing is lost.",
        action: "Drain",
        call: "ClusterService/DrainWorker",
        request: {workerId: worker.workerId},
        streamed: true,
    })}, "Drain");
}
