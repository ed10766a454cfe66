// The dialog in which an operator gives a reason, and the progress of what was begun.

import {call, stream} from "./api.js";
import {fill, h} from "./dom.js";
import {bytes, count, plural, word} from "./format.js";
import {seeProgress} from "./store.js";

/**
 * Asks for a reason and the fields, then makes the call and shows how far it is.
 *
 * title, text, action: for people; call: the method; request: its fixed fields; streamed: whether it answers with progress;
 * fields: [{name, label, options: [[value, text]]}] of the request that are chosen in the dialog; onDone: called when it has succeeded.
 */
export function change({title, text, action, call: method, request, streamed, fields = [], onDone = () => {}}) {
    const inputs = fields.map((field) => ({...field, id: "change-" + field.name, element:
        h("select", {id: "change-" + field.name, required: true}, field.options.map(([value, label]) => h("option", {value}, label)))}));
    const reason = h("textarea", {id: "change-reason", required: true, maxlength: "500", rows: "2", placeholder: "Goes into the audit log"});
    const message = h("p", {role: "alert", class: "bad"});
    const progress = h("div", {role: "status"});
    const submit = h("button", {type: "submit", class: "primary"}, action);
    const cancel = h("button", {type: "button", click: () => dialog.close()}, "Cancel");
    const setRunning = (runs) => {
        for (const control of [submit, reason, ...inputs.map((input) => input.element)]) control.disabled = runs;
    };
    const form = h("form", {method: "dialog", submit: async (event) => {
        event.preventDefault();
        setRunning(true);
        message.textContent = "";
        const body = {...request, reason: reason.value.trim()};
        for (const input of inputs) body[input.name] = input.element.value;
        try {
            if (streamed) {
                let last = {};
                await stream(method, body, (answer) => {
                    last = answer;
                    if (answer.progress) {
                        seeProgress(answer.progress);
                        showProgress(progress, answer.progress);
                    }
                    if (answer.drained !== undefined) showDrain(progress, answer);
                    cancel.textContent = "Close";
                });
                const failed = last.progress && last.progress.state !== "RUN_STATE_DONE" && last.progress.message;
                if (failed) throw new Error(last.progress.message);
                cancel.textContent = "Done";
                submit.hidden = true;
                cancel.focus();
                onDone();
            } else {
                await call(method, body);
                onDone();
                dialog.close();
            }
        } catch (failure) {
            message.textContent = failure.message;
            setRunning(false);
        }
    }},
        h("h2", {id: "change-title"}, title), h("p", {}, text),
        inputs.map((input) => h("p", {}, h("label", {for: input.id}, input.label), input.element)),
        h("p", {}, h("label", {for: "change-reason"}, "Reason"), reason),
        message, progress,
        h("p", {class: "buttons"}, cancel, submit));
    const opener = document.activeElement?.id;
    const dialog = h("dialog", {"aria-labelledby": "change-title", close: () => {
        dialog.remove();
        (document.getElementById(opener) ?? document.getElementById("preview"))?.focus(); // the page may have made its button anew meanwhile
    }}, form);
    document.body.append(dialog);
    dialog.showModal();
    (inputs[0]?.element ?? reason).focus();
}

/** How far a plan is, as a bar and a sentence. */
export function showProgress(place, progress) {
    const done = progress.stepsDone;
    const all = progress.stepCount;
    fill(place,
        h("progress", {max: Math.max(1, all), value: done, "aria-label": "Steps done"}),
        h("p", {}, progress.planId + ": " + word(progress.state, "RUN_STATE") + ", " + count(done) + " of " + count(all) + " steps, "
            + bytes(progress.bytesDone) + " of " + bytes(progress.bytesTotal) + (progress.step && done < all ? "; " + describe(progress.step) : "")),
        progress.message && h("p", {class: "bad"}, progress.message));
}

function showDrain(place, drain) {
    place.append(h("p", {}, drain.drained
        ? "Drained: it may be switched off."
        : plural(drain.expertsLeft, "expert") + " and " + plural(drain.generationsLeft, "answer") + " left."));
}

/** A step in words. */
export function describe(step) {
    const expert = "expert " + step.expert + " of layer " + step.layer;
    switch (step.kind) {
        case "STEP_KIND_INSTALL":
            return "install " + expert + " on " + step.workerId + (step.sourceWorkerId ? " from " + step.sourceWorkerId : "");
        case "STEP_KIND_ACTIVATE":
            return "activate placement " + step.epoch + " (" + plural(step.changed, "expert") + ")";
        case "STEP_KIND_DRAIN":
            return "wait for " + step.workerId + " to answer for " + expert;
        case "STEP_KIND_EVICT":
            return "evict " + expert + " from " + step.workerId;
        default:
            return "";
    }
}
