// Signs in, shows the page that the address names, and says when the picture is old.

import {hasKey, useKey} from "./api.js";
import {h, fill} from "./dom.js";
import {experts} from "./experts.js";
import {generations} from "./generations.js";
import {overview} from "./overview.js";
import {playground} from "./playground.js";
import {begin, end, listen, store} from "./store.js";

const PAGES = {overview, experts, generations, playground};
const page = document.getElementById("page");
let leave = () => {};

function show() {
    const name = location.hash.replace("#/", "") || "overview";
    const make = PAGES[name] ?? overview;
    leave();
    leave = () => {};
    for (const link of document.querySelectorAll("nav a")) {
        if (link.hash === "#/" + name) link.setAttribute("aria-current", "page");
        else link.removeAttribute("aria-current");
    }
    if (store.caller) leave = make(page) ?? (() => {});
}

function showSignIn(message) {
    leave();
    leave = () => {};
    document.body.classList.add("signed-out");
    const key = h("input", {id: "key", type: "password", autocomplete: "off", required: true, "aria-describedby": "sign-in-message"});
    fill(page, h("form", {class: "card sign-in", submit: (event) => {
        event.preventDefault();
        useKey(key.value.trim());
        signIn();
    }},
        h("h1", {}, "Sign in"),
        h("label", {for: "key"}, "API key with the role VIEWER or OPERATOR"), key,
        h("p", {id: "sign-in-message", role: "alert"}, message),
        h("button", {type: "submit", class: "primary"}, "Sign in"),
        h("p", {class: "quiet"}, "The key stays in this tab and is sent to this router only.")));
    key.focus();
}

function showCaller() {
    document.body.classList.remove("signed-out");
    const role = store.caller.roles.includes("OPERATOR") ? "operator" : "viewer";
    fill(document.getElementById("caller"), role + " of " + store.caller.tenant, hasKey() && h("button", {type: "button", click: () => {
        useKey(null);
        end();
        fill(document.getElementById("caller"));
        showSignIn("You have signed out.");
    }}, "Sign out"));
}

async function signIn() {
    try {
        await begin();
        showCaller();
        show();
    } catch (failure) {
        const unknown = failure.status === 401 && !hasKey();
        useKey(null);
        showSignIn(unknown ? "" : failure.message);
    }
}

function switchTheme() {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const now = document.documentElement.dataset.theme ?? (dark ? "dark" : "light");
    useTheme(now === "dark" ? "light" : "dark");
}

function useTheme(theme) {
    if (theme) {
        document.documentElement.dataset.theme = theme;
        localStorage.setItem("bergfried-theme", theme);
    }
    document.dispatchEvent(new Event("themechange"));
}

document.getElementById("theme").addEventListener("click", switchTheme);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => useTheme());
addEventListener("hashchange", () => {
    show();
    page.focus();
});
listen(() => {
    const connection = document.getElementById("connection");
    if (connection.textContent !== store.problem) connection.textContent = store.problem;
});
useTheme(localStorage.getItem("bergfried-theme"));
signIn();
