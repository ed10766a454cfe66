// A plan before it is applied: what it is worth, what it costs, every step; then its progress.

import {call} from "./api.js";
import {change, describe} from "./change.js";
import {fill, h, table} from "./dom.js";
import {bytes, plural, seconds, word} from "./format.js";
import {may, store} from "./store.js";

const STEPS_SHOWN = 300;
const KINDS = {STEP_KIND_INSTALL: "install", STEP_KIND_ACTIVATE: "activation", STEP_KIND_DRAIN: "drain", STEP_KIND_EVICT: "eviction"};

/** The panel; showTarget hears which placement to show on the map, null for the current one. */
export function planPanel(showTarget) {
    const message = h("p", {role: "alert", class: "bad"});
    const result = h("div", {id: "plan", role: "status"});
    const load = h("select", {id: "plan-window"}, h("option", {value: "60"}, "the last minute"), h("option", {value: "600", selected: true}, "the last 10 minutes"));
    const gain = h("input", {id: "gain", type: "number", min: "0", max: "100", step: "0.5", value: "3"});
    const form = h("form", {class: "toolbar", submit: async (event) => {
        event.preventDefault();
        message.textContent = "";
        try {
            const options = {windowSeconds: Number(load.value), gainMin: Number(gain.value) / 100};
            const {plan} = await call("PlacementService/Plan", {model: store.placement?.model ?? "", options});
            fill(result, preview(plan, showTarget, () => {
                showTarget(null);
                fill(result);
                document.getElementById("preview")?.focus();
            }));
        } catch (failure) {
            message.textContent = failure.message;
        }
    }},
        h("p", {}, h("label", {for: "plan-window"}, "For the load of"), load),
        h("p", {}, h("label", {for: "gain"}, "Change a layer from a gain of (%)"), gain),
        h("button", {id: "preview", type: "submit"}, "Preview a plan"));
    return h("div", {}, h("p", {class: "quiet"}, "A preview changes nothing."), form, message, result);
}

function preview(plan, showTarget, close) {
    if (plan.steps.length === 0) {
        return [h("p", {id: "plan-summary"}, "Nothing to do: no change is worth its bytes. The balance is " + plan.meanBalanceBefore.toFixed(3) + ".")];
    }
    const kinds = {};
    for (const {kind} of plan.steps) kinds[kind] = (kinds[kind] ?? 0) + 1;
    const onMap = h("label", {}, h("input", {id: "show-target", type: "checkbox", change: (event) => showTarget(event.target.checked ? plan.target : null)}), " show its target on the map");
    return [
        h("p", {id: "plan-summary", class: "facts"},
            h("span", {}, "balance ", h("strong", {}, plan.meanBalanceBefore.toFixed(3)), " to ", h("strong", {}, plan.meanBalanceAfter.toFixed(3)), " (by the measured speeds of workers; 1 is perfect)"),
            h("span", {}, Object.entries(kinds).map(([kind, number]) => plural(number, KINDS[kind] ?? word(kind, "STEP_KIND"))).join(", ")),
            h("span", {}, bytes(plan.bytesMoved) + " moved, " + seconds(plan.secondsMoving) + " at least"),
            !plan.complete && h("span", {class: "bad"}, "Memory is too full for all wanted moves.")),
        h("p", {class: "buttons"}, onMap,
            may("OPERATOR") && h("button", {id: "apply", type: "button", class: "primary", click: () => {
                change({title: "Apply " + plan.planId, text: plural(plan.steps.length, "step") + " while answers run. No answer is disturbed.", action: "Apply",
                    call: "PlacementService/Apply", request: {model: store.placement?.model ?? "", planId: plan.planId}, streamed: true, onDone: close});
            }}, "Apply ..."),
            h("button", {type: "button", click: close}, "Close the plan")),
        h("details", {}, h("summary", {}, "Balance by layer"),
            table("Balance by layer", ["Layer", "Before", "After"], plan.layers.map((layer, i) =>
                [String(layer), plan.balanceBefore[i].toFixed(3), plan.balanceAfter[i].toFixed(3)]))),
        h("details", {}, h("summary", {}, "Steps"),
            h("ol", {class: "scroll steps", tabindex: "0"}, plan.steps.slice(0, STEPS_SHOWN).map((step) => h("li", {}, describe(step)))),
            plan.steps.length > STEPS_SHOWN && h("p", {class: "quiet"}, plural(plan.steps.length - STEPS_SHOWN, "more step") + " not shown.")),
    ];
}
