// Signs in, shows the page that the address names, and says when the picture is old.

import {hasKey, useKey} from "./api.js";
import {isDark} from "./colours.js";
import {h, fill} from "./dom.js";
import {experts} from "./experts.js";
import {generations} from "./generations.js";
import {overview} from "./overview.js";
import {playground} from "./playground.js";
import {begin, end, listen, store} from "./store.js";

const PAGES = new Map(Object.entries({overview, experts, generations, playground}));
const TITLES = {overview: "Overview", experts: "Experts", generations: "Generations", playground: "Playground"};
const page = document.getElementById("page");
const themeButton = document.getElementById("theme");
let leave = () => {};

function show() {
    const asked = location.hash.replace("#/", "");
    const name = PAGES.has(asked) ? asked : "overview";
    const make = PAGES.get(name);
    leave();
    leave = () => {};
    for (const link of document.querySelectorAll("nav a")) {
        if (link.hash === "#/" + name) link.setAttribute("aria-current", "page");
        else link.removeAttribute("aria-current");
    }
    document.title = TITLES[name] + " - Bergfried";
    if (store.caller) leave = make(page) ?? (() => {});
}

function showSignIn(message, refused = false) {
    leave();
    leave = () => {};
    document.body.classList.add("signed-out");
    document.title = "Sign in - Bergfried";
    const key = h("input", {id: "key", type: "password", autocomplete: "off", required: true, "aria-describedby": "sign-in-message"});
    fill(page, h("form", {class: "card sign-in", submit: (event) => {
        event.preventDefault();
        useKey(key.value.trim());
        signIn();
    }},
        h("h1", {}, "Sign in"),
        h("label", {for: "key"}, "API key with the role VIEWER or OPERATOR"), key,
        h("p", {id: "sign-in-message", role: "alert", class: refused ? "bad" : null}, message),
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
        showSignIn(unknown ? "" : failure.message, true);
    }
}

function switchTheme() {
    useTheme(isDark() ? "light" : "dark");
}

function useTheme(theme) {
    if (theme) {
        document.documentElement.dataset.theme = theme;
        localStorage.setItem("bergfried-theme", theme);
    }
    themeButton.textContent = isDark() ? "Light theme" : "Dark theme";
    document.dispatchEvent(new Event("themechange"));
}

themeButton.addEventListener("click", switchTheme);
document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault(); // the address names the page, so it cannot name a place in it
    page.focus();
});
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
