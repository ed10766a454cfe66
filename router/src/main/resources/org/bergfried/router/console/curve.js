// A small curve over the last minutes.

const SECONDS_MIN = 60; // a curve that has just begun does not fill the width

/** A figure with a name, its value now, and its curve. */
export class Curve {
    constructor(name, format) {
        this.format = format;
        this.element = document.createElement("figure");
        this.element.className = "card curve";
        this.caption = document.createElement("figcaption");
        this.caption.textContent = name;
        this.value = document.createElement("output");
        this.canvas = document.createElement("canvas");
        this.canvas.setAttribute("aria-hidden", "true");
        this.element.append(this.caption, this.value, this.canvas);
    }

    /** Shows values, one a second, the newest last. */
    show(values) {
        const text = values.length === 0 ? "-" : this.format(values.at(-1));
        if (this.value.textContent !== text) this.value.textContent = text;
        const ratio = devicePixelRatio || 1;
        const width = this.canvas.clientWidth;
        const height = this.canvas.clientHeight;
        if (width === 0) return;
        this.canvas.width = width * ratio;
        this.canvas.height = height * ratio;
        const pen = this.canvas.getContext("2d");
        pen.scale(ratio, ratio);
        const top = Math.max(...values, 1e-9) * 1.1;
        const style = getComputedStyle(this.element);
        const step = width / (Math.max(values.length, SECONDS_MIN) - 1);
        pen.beginPath();
        values.forEach((value, i) => {
            const x = width - (values.length - 1 - i) * step;
            const y = height - 1 - value / top * (height - 4);
            if (i === 0) pen.moveTo(x, y);
            else pen.lineTo(x, y);
        });
        pen.strokeStyle = style.getPropertyValue("--accent");
        pen.lineWidth = 1.5;
        pen.stroke();
        const first = width - (values.length - 1) * step;
        pen.lineTo(width, height);
        pen.lineTo(first, height);
        pen.globalAlpha = 0.12;
        pen.fillStyle = style.getPropertyValue("--accent");
        pen.fill();
    }
}
