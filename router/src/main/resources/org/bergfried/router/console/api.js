// The only way to the server: the admin API (POST /admin/v1/Service/Method with proto's JSON, streams as lines of JSON) and chat completions.

const KEY = "bergfried-key"; // lives as long as the tab

/** What the server refused, in its own words. */
export class ApiError extends Error {
    constructor(status, code, message) {
        super(message);
        this.status = status;
        this.code = code;
    }
}

export function useKey(key) {
    if (key) sessionStorage.setItem(KEY, key);
    else sessionStorage.removeItem(KEY);
}

export function hasKey() {
    return sessionStorage.getItem(KEY) != null;
}

/** One call, one answer. */
export async function call(name, request = {}) {
    const response = await send("/admin/v1/" + name, request);
    return response.json();
}

/** A call with a stream of answers; ends when the stream does, throws what the server says at its end. */
export async function stream(name, request, onMessage, signal) {
    const response = await send("/admin/v1/" + name, request, signal);
    for await (const line of lines(response)) {
        if (line === "") continue; // the connection lives
        const message = JSON.parse(line);
        if (message.error) throw new ApiError(200, message.error.code, message.error.message);
        onMessage(message);
    }
}

/** A chat whose events come as they are produced. */
export async function chat(request, onEvent, signal) {
    const response = await send("/v1/chat/completions", {...request, stream: true, stream_options: {include_usage: true}}, signal);
    for await (const line of lines(response)) {
        if (!line.startsWith("data: ")) continue;
        const data = line.slice("data: ".length);
        if (data === "[DONE]") return;
        const event = JSON.parse(data);
        if (event.error) throw new ApiError(200, event.error.code, event.error.message);
        onEvent(event);
    }
}

async function send(path, body, signal) {
    const headers = {"Content-Type": "application/json"};
    if (hasKey()) headers.Authorization = "Bearer " + sessionStorage.getItem(KEY);
    let response;
    try {
        response = await fetch(path, {method: "POST", headers, body: JSON.stringify(body), signal, cache: "no-store", credentials: "omit"});
    } catch (failure) {
        if (failure.name === "AbortError") throw failure;
        throw new ApiError(0, "UNREACHABLE", "The router does not answer.");
    }
    if (response.ok) return response;
    const text = await response.text();
    let error = {message: text || response.statusText, code: String(response.status)};
    try {
        error = JSON.parse(text).error ?? error;
    } catch {
        // not from the router: shown as it is
    }
    throw new ApiError(response.status, error.code, error.message);
}

async function* lines(response) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    try {
        while (true) {
            const {value, done} = await reader.read();
            if (done) break;
            const parts = (rest + value).split("\n");
            rest = parts.pop();
            yield* parts;
        }
        if (rest !== "") yield rest;
    } catch (failure) {
        if (failure.name === "AbortError") throw failure;
        throw new ApiError(0, "UNREACHABLE", "The connection to the router broke.");
    } finally {
        await reader.cancel().catch(() => {});
    }
}
