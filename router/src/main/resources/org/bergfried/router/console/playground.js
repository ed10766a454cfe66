// A chat to try the model: reasoning and answer as they come, how fast, and which workers computed.

import {chat} from "./api.js";
import {fill, h} from "./dom.js";
import {count} from "./format.js";
import {may, store} from "./store.js";

const NAMES_MAX = 6; // more workers are counted

export function playground(page) {
    const messages = []; // of this page only; leaving it forgets them
    let running = null;
    const talk = h("div", {id: "talk"});
    const spoken = h("p", {class: "hidden", role: "status"}); // a whole answer: word by word nobody could listen to it
    const question = h("textarea", {id: "question", rows: "3", required: true, keydown: (event) => {
        if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
            event.preventDefault();
            form.requestSubmit();
        }
    }});
    const thinking = h("input", {id: "thinking", type: "checkbox", checked: true});
    const temperature = h("input", {id: "temperature", type: "number", min: "0", max: "2", step: "0.1", value: "0"});
    const limit = h("input", {id: "limit", type: "number", min: "1", max: "8192", value: "512"});
    const ask = h("button", {type: "submit", class: "primary"}, "Ask");
    const stop = h("button", {type: "button", disabled: true, click: () => running?.abort()}, "Stop");
    const form = h("form", {submit: (event) => {
        event.preventDefault();
        if (!running && question.value.trim()) run();
    }},
        h("label", {for: "question"}, "Question (Enter asks, Shift+Enter begins a line)"), question,
        h("div", {class: "toolbar"},
            h("label", {}, thinking, " reasoning"),
            h("p", {}, h("label", {for: "temperature"}, "Temperature"), temperature),
            h("p", {}, h("label", {for: "limit"}, "Tokens at most"), limit),
            ask, stop,
            h("button", {type: "button", click: () => {
                running?.abort();
                messages.length = 0;
                fill(talk);
                question.focus();
            }}, "New conversation")));
    fill(page, h("h1", {}, "Playground"), may("CALLER") ? [talk, spoken, form] : h("p", {}, "Your key has no role CALLER: it may not ask models."));

    async function run() {
        const text = question.value.trim();
        messages.push({role: "user", content: text});
        question.value = "";
        const answer = new AnswerView();
        talk.append(h("article", {class: "user", "aria-label": "You"}, text), answer.element);
        running = new AbortController();
        ask.disabled = true;
        stop.disabled = false;
        try {
            await chat({
                model: store.cluster?.models[0]?.model ?? "", messages, temperature: Number(temperature.value), max_tokens: Number(limit.value),
                chat_template_kwargs: {enable_thinking: thinking.checked},
            }, (event) => answer.take(event), running.signal);
            answer.end("");
        } catch (failure) {
            answer.end(failure.name === "AbortError" ? "Stopped." : failure.message);
        }
        messages.push({role: "assistant", content: answer.text});
        spoken.textContent = "Answer: " + answer.text;
        running = null;
        ask.disabled = false;
        stop.disabled = true;
    }

    question.focus();
    return () => running?.abort();
}

/** One answer: reasoning in a box that can be closed, the answer, and a line of figures. */
class AnswerView {
    constructor() {
        this.text = "";
        this.begin = performance.now();
        this.first = 0;
        this.tokens = 0;
        this.homes = [];
        this.reasoning = h("pre");
        this.reasoningBox = h("details", {class: "reasoning", open: true, hidden: true}, h("summary", {}, "Reasoning"), this.reasoning);
        this.content = h("div", {class: "content"});
        this.figures = h("p", {class: "quiet figures"});
        this.element = h("article", {class: "assistant", "aria-label": "Answer"}, this.reasoningBox, this.content, this.figures);
    }

    take(event) {
        if (event.usage) {
            this.homes = event.bergfried?.homes ?? [];
            this.tokens = event.usage.completion_tokens;
        }
        const delta = event.choices?.[0]?.delta;
        if (!delta) return;
        if (delta.reasoning_content || delta.content) {
            if (this.first === 0) this.first = performance.now();
            this.last = performance.now();
            this.tokens++;
        }
        if (delta.reasoning_content) {
            this.reasoningBox.hidden = false;
            this.reasoning.textContent += delta.reasoning_content;
        }
        if (delta.content) {
            this.text += delta.content;
            this.content.textContent = this.text;
        }
        this.tell();
    }

    end(message) {
        this.tell();
        if (message) this.element.append(h("p", {class: "bad", role: "alert"}, message));
    }

    tell() {
        if (this.first === 0) return;
        const rate = this.tokens > 1 ? (this.tokens - 1) / ((this.last - this.first) / 1000) : 0;
        const experts = store.placement?.layers.length ? hostsOf(store.placement) : [];
        fill(this.figures,
            count(this.tokens) + " tokens", rate > 0 && Number.isFinite(rate) ? ", " + rate.toFixed(1) + "/s" : "",
            ", first after " + ((this.first - this.begin) / 1000).toFixed(2) + " s",
            this.homes.length > 0 && "; home " + this.homes.join(", then "),
            experts.length > 0 && "; experts placed on " + (experts.length <= NAMES_MAX ? experts.join(", ") : count(experts.length) + " workers"));
    }
}

/** The workers that host experts by the placement. */
function hostsOf(placement) {
    const used = new Set(placement.layers.flatMap((layer) => layer.hosts));
    return placement.workerIds.filter((id, i) => used.has(i));
}
