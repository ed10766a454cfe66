// Makes elements. Data only ever becomes text or an attribute's value, never markup.

/** An element with attributes (functions become listeners, null and false are left out) and children (strings become text). */
export function h(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
        if (value == null || value === false) continue;
        if (typeof value === "function") element.addEventListener(name, value);
        else if (name === "value") element.value = value;
        else element.setAttribute(name, value === true ? "" : String(value));
    }
    element.append(...children.flat().filter((child) => child != null && child !== false));
    return element;
}

/** Replaces what an element contains. */
export function fill(element, ...children) {
    element.replaceChildren(...children.flat().filter((child) => child != null && child !== false));
}

/** Brings a table up to date cell by cell, so that focus and scroll position stay where they are. */
export function renew(place, fresh) {
    const cells = (element) => [...element?.querySelectorAll("th, td") ?? []];
    const names = (element) => [...element?.querySelectorAll("th") ?? []].map((head) => head.textContent).join("|");
    const old = place.firstElementChild;
    if (!old || names(old) !== names(fresh)) {
        fill(place, fresh);
        return;
    }
    const news = cells(fresh);
    cells(old).forEach((cell, i) => {
        if (!cell.isEqualNode(news[i])) cell.replaceWith(news[i]);
    });
}

/** A heading, a short explanation, and whatever belongs to it. */
export function section(title, ...children) {
    const id = "s-" + title.toLowerCase().replace(/[^a-z]+/g, "-");
    return h("section", {"aria-labelledby": id}, h("h2", {id}, title), ...children);
}

/** A table with a caption for screen readers; cells are strings or elements, numbers are set to the right. */
export function table(caption, heads, rows) {
    const numeric = (cell) => typeof cell === "string" && /^[\d.,]+( [KMGT]?i?B)?( %|\/s)?$/.test(cell);
    const ofNumbers = (column) => rows.length > 0 && rows.every((cells) => numeric(cells[column]));
    return h("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": caption},
        h("table", {},
            h("caption", {class: "hidden"}, caption),
            h("thead", {}, h("tr", {}, heads.map((head, i) => h("th", {scope: "col", class: ofNumbers(i) ? "number" : null}, head)))),
            h("tbody", {}, rows.map((cells) => h("tr", {}, cells.map((cell, i) =>
                h(i === 0 ? "th" : "td", {scope: i === 0 ? "row" : null, class: numeric(cell) ? "number" : null}, cell)))))));
}
