// The map of layers x experts on a canvas: hovered by mouse, walked with the arrow keys, selected by click or Enter.

const GUTTER = 46; // for the numbers of layers
const HEAD = 20; // for the numbers of experts
const CELL_WIDTH = [3, 80];
const CELL_HEIGHT = [9, 26];

/**
 * paint(row, expert) gives the colours of a cell (several: side by side), mark(row, expert) whether it carries a dot;
 * onCursor(row, expert) hears where the cursor or the mouse is, onSelect(row, expert) what was selected.
 */
export class Heatmap {
    constructor({paint, mark, onCursor, onSelect}) {
        Object.assign(this, {paint, mark, onCursor, onSelect});
        this.layers = [];
        this.experts = 0;
        this.width = 0; // pixels of a cell, set by draw
        this.height = 0;
        this.cursor = {row: 0, expert: 0};
        this.selected = null;
        this.element = document.createElement("div");
        this.element.className = "map scroll";
        this.canvas = document.createElement("canvas");
        this.canvas.id = "map";
        this.canvas.tabIndex = 0;
        this.canvas.setAttribute("role", "application");
        this.canvas.setAttribute("aria-label", "Expert map: layers from top to bottom, experts from left to right. Arrow keys walk, Enter selects.");
        this.cells = document.createElement("canvas"); // all but the frames, so that walking does not paint every cell again
        this.element.append(this.canvas);
        this.canvas.addEventListener("keydown", (event) => this.key(event));
        this.canvas.addEventListener("mousemove", (event) => this.point(event, false));
        this.canvas.addEventListener("click", (event) => this.point(event, true));
        this.canvas.addEventListener("focus", () => this.drawFrames());
        this.canvas.addEventListener("blur", () => this.drawFrames());
        new ResizeObserver(() => this.draw()).observe(this.element);
    }

    /** The layers' indices in the model and how many experts each has. */
    shape(layers, experts) {
        this.layers = layers;
        this.experts = experts;
        this.cursor.row = Math.min(this.cursor.row, Math.max(0, layers.length - 1));
        this.cursor.expert = Math.min(this.cursor.expert, Math.max(0, experts - 1));
    }

    select(row, expert) {
        this.cursor = {row, expert};
        this.selected = {row, expert};
        this.showCursor();
        this.drawFrames();
        this.onCursor(row, expert);
        this.onSelect(row, expert);
    }

    key(event) {
        const {row, expert} = this.cursor;
        const page = 8;
        const moves = {
            ArrowLeft: [row, expert - 1], ArrowRight: [row, expert + 1], ArrowUp: [row - 1, expert], ArrowDown: [row + 1, expert],
            Home: [row, 0], End: [row, this.experts - 1], PageUp: [row - page, expert], PageDown: [row + page, expert],
        };
        if (event.key === "Enter" || event.key === " ") {
            this.select(row, expert);
        } else if (moves[event.key]) {
            const clamp = (value, count) => Math.max(0, Math.min(count - 1, value));
            this.cursor = {row: clamp(moves[event.key][0], this.layers.length), expert: clamp(moves[event.key][1], this.experts)};
            this.showCursor();
            this.drawFrames();
            this.onCursor(this.cursor.row, this.cursor.expert);
        } else {
            return;
        }
        event.preventDefault();
    }

    point(event, selects) {
        const box = this.canvas.getBoundingClientRect();
        const expert = Math.floor((event.clientX - box.left - GUTTER) / this.width);
        const row = Math.floor((event.clientY - box.top - HEAD) / this.height);
        if (row < 0 || expert < 0 || row >= this.layers.length || expert >= this.experts) return;
        if (selects) this.select(row, expert);
        else this.onCursor(row, expert);
    }

    /** Scrolls the cursor's cell into what is seen of the map. */
    showCursor() {
        const {clientWidth, clientHeight, scrollLeft, scrollTop} = this.element;
        const x = GUTTER + this.cursor.expert * this.width;
        const y = HEAD + this.cursor.row * this.height;
        if (x < scrollLeft + GUTTER || x + this.width > scrollLeft + clientWidth) this.element.scrollLeft = x - clientWidth / 2;
        if (y < scrollTop + HEAD || y + this.height > scrollTop + clientHeight) this.element.scrollTop = y - clientHeight / 2;
    }

    draw() {
        const room = this.element.clientWidth - GUTTER - 8; // the box's own padding
        if (room <= 0 || this.experts === 0) return;
        this.width = Math.max(CELL_WIDTH[0], Math.min(CELL_WIDTH[1], room / this.experts));
        this.height = Math.max(CELL_HEIGHT[0], Math.min(CELL_HEIGHT[1], this.width * 1.2));
        const ratio = devicePixelRatio || 1;
        const width = GUTTER + this.width * this.experts + 2;
        const height = HEAD + this.height * this.layers.length + 2;
        this.cells.width = width * ratio;
        this.cells.height = height * ratio;
        this.canvas.style.width = width + "px";
        this.canvas.style.height = height + "px";
        const pen = this.cells.getContext("2d");
        pen.scale(ratio, ratio);
        const style = getComputedStyle(this.element);
        this.drawNumbers(pen, style);
        const gap = this.width > 6 ? 1 : 0;
        const text = style.getPropertyValue("--text");
        for (let row = 0; row < this.layers.length; row++) {
            for (let expert = 0; expert < this.experts; expert++) {
                this.drawCell(pen, row, expert, gap, text);
            }
        }
        this.drawFrames();
    }

    /** The painted cells, and on them the frames of what is selected and of the cursor. */
    drawFrames() {
        if (this.cells.width === 0 || this.experts === 0) return;
        this.canvas.width = this.cells.width;
        this.canvas.height = this.cells.height;
        const pen = this.canvas.getContext("2d");
        pen.drawImage(this.cells, 0, 0);
        const ratio = devicePixelRatio || 1;
        pen.scale(ratio, ratio);
        const style = getComputedStyle(this.element);
        if (this.selected) this.frame(pen, this.selected, style.getPropertyValue("--text"), 2);
        if (document.activeElement === this.canvas) this.frame(pen, this.cursor, style.getPropertyValue("--accent"), 2);
    }

    drawNumbers(pen, style) {
        pen.fillStyle = style.getPropertyValue("--quiet");
        pen.font = "11px system-ui, sans-serif";
        pen.textBaseline = "middle";
        pen.textAlign = "right";
        const everyRow = Math.ceil(13 / this.height);
        this.layers.forEach((layer, row) => {
            if (row % everyRow === 0) pen.fillText("L" + layer, GUTTER - 8, HEAD + (row + 0.5) * this.height);
        });
        pen.textAlign = "center";
        const everyExpert = [1, 2, 4, 8, 16, 32, 64].find((step) => step * this.width >= 26) ?? 128;
        for (let expert = 0; expert < this.experts; expert += everyExpert) {
            pen.fillText(String(expert), GUTTER + (expert + 0.5) * this.width, HEAD / 2);
        }
    }

    drawCell(pen, row, expert, gap, text) {
        const x = Math.round(GUTTER + expert * this.width); // whole pixels: no seams between cells
        const y = Math.round(HEAD + row * this.height);
        const width = Math.round(GUTTER + (expert + 1) * this.width) - x - gap;
        const height = Math.round(HEAD + (row + 1) * this.height) - y - gap;
        const colours = this.paint(row, expert);
        const part = width / colours.length;
        colours.forEach((colour, i) => {
            pen.fillStyle = colour;
            pen.fillRect(x + i * part, y, part, height);
        });
        if (this.mark(row, expert)) {
            pen.fillStyle = text;
            pen.beginPath();
            pen.arc(x + width / 2, y + height / 2, Math.max(1, Math.min(3, this.width / 4)), 0, 2 * Math.PI);
            pen.fill();
        }
    }

    frame(pen, {row, expert}, colour, thickness) {
        pen.strokeStyle = colour;
        pen.lineWidth = thickness;
        pen.strokeRect(GUTTER + expert * this.width - 0.5, HEAD + row * this.height - 0.5, this.width + 0.5, this.height + 0.5);
    }
}
