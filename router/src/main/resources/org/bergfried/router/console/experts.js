// The expert map: where every expert is and how busy it is; select one and move, replicate, evict or pin it; plan and apply.

import {call} from "./api.js";
import {change, showProgress} from "./change.js";
import {isDark, loadColour, unplacedColour, workerColour} from "./colours.js";
import {fill, h, section} from "./dom.js";
import {bytes, plural} from "./format.js";
import {Heatmap} from "./heatmap.js";
import {planPanel} from "./plan.js";
import {listen, may, store} from "./store.js";

const LOAD_MILLIS = 2000;

export function experts(page) {
    const view = new ExpertsView(page);
    return () => view.close();
}

class ExpertsView {
    constructor(page) {
        this.load = null; // GetExpertLoadResponse
        this.means = []; // rows of an expert, by layer
        this.shown = new Map(); // what stands in a place, so that screen readers are told of changes only
        this.target = null; // PlacementState of a plan that is looked at
        this.map = new Heatmap({
            paint: (row, expert) => this.paint(row, expert),
            mark: (row, expert) => this.isPinned(row, expert),
            onCursor: (row, expert) => this.tell(row, expert),
            onSelect: (row, expert) => this.showDetails(row, expert),
        });
        this.pointed = null; // {row, expert} that the cursor or the mouse was on last
        this.cell = h("p", {id: "cell", class: "facts"}, "Hover over the map, or walk it with the arrow keys.");
        this.spoken = h("p", {class: "hidden", role: "status"}); // said once; the figures in this.cell go on changing
        this.legend = h("div", {class: "legend", "aria-hidden": "true"});
        this.details = h("div", {id: "details"}, h("p", {class: "quiet"}, "Select an expert: click it, press Enter on it, or name it here."));
        this.progress = h("div", {id: "progress", role: "status"});
        this.heading = h("p", {class: "facts"});
        this.window = h("select", {id: "window", change: () => this.fetchLoad()}, h("option", {value: "60"}, "the last minute"), h("option", {value: "600"}, "the last 10 minutes"));
        this.draw = () => this.show();
        fill(page, h("h1", {}, "Experts"), this.heading, this.toolbar(), this.map.element, this.legend, this.cell, this.spoken,
            h("div", {class: "panels"},
                h("div", {}, section("Expert", this.picker(), this.details), section("Progress", this.progress)),
                section("Plan", planPanel((target) => {
                    this.target = target;
                    this.show();
                }))));
        this.stopListening = listen(() => this.changed());
        document.addEventListener("themechange", this.draw);
        this.timer = setInterval(() => this.fetchLoad(), LOAD_MILLIS);
        this.fetchLoad();
        this.show();
    }

    close() {
        clearInterval(this.timer);
        this.stopListening();
        document.removeEventListener("themechange", this.draw);
    }

    toolbar() {
        const radio = (value, label, checked) => h("label", {}, h("input", {type: "radio", name: "colour", value, checked, change: () => {
            this.colour = value;
            this.show();
        }}), " " + label);
        this.colour = "load";
        return h("div", {class: "toolbar"},
            h("fieldset", {}, h("legend", {}, "Colour by"), radio("load", "load", true), radio("worker", "worker", false)),
            h("p", {}, h("label", {for: "window"}, "Load of"), this.window));
    }

    picker() {
        this.layerInput = h("input", {id: "layer", type: "number", min: "0", required: true});
        this.expertInput = h("input", {id: "expert", type: "number", min: "0", required: true});
        this.pickMessage = h("span", {role: "alert", class: "bad"});
        return h("form", {class: "toolbar", submit: (event) => {
            event.preventDefault();
            const placement = this.placement();
            const row = placement?.layers.findIndex((layer) => layer.layer === Number(this.layerInput.value)) ?? -1;
            const expert = Number(this.expertInput.value);
            const known = row >= 0 && expert < placement.expertsPerLayer;
            this.pickMessage.textContent = known ? "" : "There is no such expert.";
            if (known) this.map.select(row, expert);
        }},
            h("p", {}, h("label", {for: "layer"}, "Layer"), this.layerInput),
            h("p", {}, h("label", {for: "expert"}, "Expert"), this.expertInput),
            h("button", {type: "submit"}, "Select"), this.pickMessage);
    }

    async fetchLoad() {
        try {
            this.load = await call("PlacementService/GetExpertLoad", {windowSeconds: Number(this.window.value)});
            this.means = this.load.layers.map((layer) => layer.rows.reduce((a, b) => a + b, 0) / layer.rows.length);
            this.show();
        } catch {
            // the watchers say when the router is away; the old load stays
        }
    }

    /** Fills a place if what it depends on has changed. */
    showOnce(place, cause, show) {
        const now = JSON.stringify(cause) ?? "";
        if (this.shown.get(place) === now) return;
        this.shown.set(place, now);
        show();
    }

    placement() {
        return this.target ?? store.placement;
    }

    /** Paints again only what the store has news of: its seconds of traffic are none of the map's business. */
    changed() {
        if (store.placement !== this.seenPlacement || store.progress !== this.seenProgress) this.show();
    }

    show() {
        this.seenPlacement = store.placement;
        this.seenProgress = store.progress;
        const placement = this.placement();
        this.showOnce(this.progress, store.progress, () => {
            if (store.progress) showProgress(this.progress, store.progress);
            else fill(this.progress, h("p", {class: "quiet"}, "No plan has run under this router."));
        });
        if (!placement) return;
        if (placement.layers.length === 0) {
            fill(this.heading, "This model is dense: it has no routed experts.");
            return;
        }
        this.hosts = placement.layers.map(hostsOf);
        this.pins = new Set(placement.pins.map((pin) => pin.layer + "/" + pin.expert));
        fill(this.heading,
            h("span", {}, h("strong", {}, placement.model)),
            h("span", {}, this.target ? "the plan's target" : "placement " + placement.epoch + (placement.automatic ? ", even and automatic" : "")),
            this.load && Number(this.load.rows) === 0 && h("span", {}, "no rows in this time"),
            this.load && Number(this.load.rows) > 0 && h("span", {}, "imbalance ", h("strong", {}, Number(this.load.meanImbalance).toFixed(2)), " (fullest worker over the mean; 1 is perfect)"));
        this.map.shape(placement.layers.map((layer) => layer.layer), placement.expertsPerLayer);
        this.map.draw();
        this.showLegend(placement);
        if (this.pointed) this.cell.textContent = this.words(this.pointed.row, this.pointed.expert).text;
        if (this.map.selected) this.showDetails(this.map.selected.row, this.map.selected.expert);
    }

    paint(row, expert) {
        const dark = isDark();
        if (this.colour === "load") return [loadColour(this.times(row, expert), dark)];
        const hosts = this.hosts[row][expert];
        const all = this.placement().workerIds.length;
        return hosts.length === 0 ? [unplacedColour(dark)] : hosts.map((host) => workerColour(host, all, dark));
    }

    /** The load of an expert as a multiple of its layer's mean. */
    times(row, expert) {
        const layer = this.load?.layers[row];
        if (!layer) return 0;
        return this.means[row] === 0 ? 0 : layer.rows[expert] / this.means[row];
    }

    isPinned(row, expert) {
        return this.pins.has(this.placement().layers[row].layer + "/" + expert);
    }

    showLegend(placement) {
        const dark = isDark();
        const item = (colour, text) => {
            const swatch = h("span", {class: "swatch"});
            swatch.style.background = colour;
            return h("span", {}, swatch, text);
        };
        if (this.colour === "worker") {
            fill(this.legend, placement.workerIds.map((id, i) => item(workerColour(i, placement.workerIds.length, dark), id)), item(unplacedColour(dark), "unplaced"));
        } else {
            fill(this.legend, item(loadColour(0, dark), "no rows"), [0.25, 0.5, 1, 2, 4, 8].map((times) => item(loadColour(times, dark), times === 1 ? "the mean" : times + " x")));
        }
        this.legend.append(h("span", {}, "a dot: pinned"));
    }

    words(row, expert) {
        const placement = this.placement();
        const layer = placement.layers[row].layer;
        const hosts = this.hosts[row][expert].map((host) => placement.workerIds[host]);
        const rows = this.load?.layers[row]?.rows[expert] ?? 0;
        return {layer, hosts, rows, text: "Layer " + layer + ", expert " + expert + ": " + plural(rows, "row") + ", " + this.times(row, expert).toFixed(2)
            + " x the mean; on " + (hosts.join(", ") || "no worker") + (this.isPinned(row, expert) ? "; pinned" : "")};
    }

    tell(row, expert) {
        this.pointed = {row, expert};
        this.cell.textContent = this.spoken.textContent = this.words(row, expert).text;
    }

    showDetails(row, expert) {
        const {layer, hosts, text} = this.words(row, expert);
        const placement = this.placement();
        const size = placement.expertBytes[row];
        const now = JSON.stringify([text, size, this.target != null, store.caller, placement.workerIds, placement.pins]);
        this.layerInput.value = layer;
        this.expertInput.value = expert;
        if (now === this.detailsShown) return;
        this.detailsShown = now;
        const focused = document.activeElement?.id;
        fill(this.details,
            h("p", {id: "selected"}, text, size && "; " + bytes(size) + " of memory"),
            this.target ? h("p", {class: "quiet"}, "This is the plan's target: close the plan to change single experts.")
                : may("OPERATOR") ? this.actions(layer, expert, hosts)
                    : h("p", {class: "quiet"}, "Your key has the role VIEWER; moving experts needs OPERATOR."));
        if (focused) document.getElementById(focused)?.focus();
    }

    actions(layer, expert, hosts) {
        const placement = store.placement;
        const others = placement.workerIds.filter((id) => !hosts.includes(id));
        const pinned = placement.pins.filter((pin) => pin.layer === layer && pin.expert === expert).map((pin) => pin.workerId);
        const name = "expert " + expert + " of layer " + layer;
        const pick = (field, label, ids) => ({name: field, label, options: ids.map((id) => [id, id])});
        const button = (id, label, enabled, options) => h("button", {id, type: "button", disabled: !enabled, click: () => change({
            request: {model: placement.model, layer, expert}, streamed: true, action: label, title: label + " " + name, ...options})}, label + " ...");
        return h("p", {class: "buttons"},
            button("move", "Move", hosts.length > 0 && others.length > 0, {call: "PlacementService/Move",
                text: "The new host installs and verifies it first; then the placement changes, and the old host lets go.",
                fields: [pick("fromWorkerId", "From", hosts), pick("toWorkerId", "To", others)]}),
            button("replicate", "Replicate", others.length > 0, {call: "PlacementService/Replicate",
                text: "One more worker computes it; its rows are shared between the replicas.", fields: [pick("toWorkerId", "To", others)]}),
            button("evict", "Evict", hosts.length > 1, {call: "PlacementService/Evict",
                text: "A replica is given up after another host has confirmed that it has the expert.", fields: [pick("workerId", "From", hosts)]}),
            button("pin", "Pin", placement.workerIds.length > pinned.length, {call: "PlacementService/Pin", streamed: false,
                text: "Every later plan keeps it on this worker, or brings it there.", fields: [pick("workerId", "To", placement.workerIds.filter((id) => !pinned.includes(id)))]}),
            button("unpin", "Unpin", pinned.length > 0, {call: "PlacementService/Unpin", streamed: false,
                text: "Later plans may move it again.", fields: [pick("workerId", "From", pinned)]}));
    }
}

/** The hosts of each expert of a layer, as indices into workerIds. */
function hostsOf(layer) {
    let at = 0;
    return layer.replicaCounts.map((replicas) => layer.hosts.slice(at, at += replicas));
}
