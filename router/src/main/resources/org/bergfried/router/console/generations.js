// Running answers and sessions as counts and homes; never what was asked or answered.

import {fill, h, section, table} from "./dom.js";
import {count} from "./format.js";
import {listen, store, sum} from "./store.js";

export function generations(page) {
    const body = h("div");
    fill(page, h("h1", {}, "Generations and sessions"),
        h("p", {class: "quiet"}, "Counts and homes only: the console has no way to see what is asked or answered. Sessions are those of the last 10 minutes at this router."), body);
    let shown = "";
    const draw = () => {
        if (!store.cluster) return;
        const homes = store.cluster.workers.filter((worker) => worker.roles.includes("WORKER_ROLE_TRUNK"));
        const rows = homes.map((worker) => [worker.workerId, count(worker.generations), count(worker.sessions), count(worker.running), count(worker.queued)]);
        const now = JSON.stringify([rows, store.cluster.generationsQueued]);
        if (now === shown) return;
        shown = now;
        fill(body,
            h("p", {class: "facts"},
                h("span", {}, h("strong", {}, count(store.cluster.generationsRunning)), " running at this router"),
                h("span", {}, h("strong", {}, count(store.cluster.generationsQueued)), " waiting for admission"),
                h("span", {}, h("strong", {}, count(sum(homes, "sessions"))), sum(homes, "sessions") === 1 ? " session kept" : " sessions kept")),
            section("By home", table("Generations by home", ["Home", "Generations of this router", "Sessions", "Sequences in the batch", "Sequences waiting"], rows)));
    };
    draw();
    return listen(draw);
}
