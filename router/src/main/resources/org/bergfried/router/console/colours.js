// Colours of the map, for a dark and a light page.

export function isDark() {
    return (document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
}

/** The colour of a load: `times` the mean of its layer, on a scale from a quarter to eight times. */
export function loadColour(times, dark) {
    if (times <= 0) return dark ? "oklch(0.27 0.01 60)" : "oklch(0.94 0.01 60)";
    const at = Math.max(0, Math.min(1, (Math.log2(times) + 2) / 5));
    const lightness = dark ? 0.33 + 0.5 * at : 0.9 - 0.48 * at;
    return `oklch(${lightness} ${0.03 + 0.14 * at} ${75 - 40 * at})`;
}

/** The colour of a worker by its place among all. */
export function workerColour(index, count, dark) {
    const hue = count <= 12 ? 360 * index / Math.max(1, count) : index * 137.5 % 360;
    return `oklch(${dark ? 0.7 : 0.66} 0.13 ${hue + 40})`;
}

export function unplacedColour(dark) {
    return dark ? "oklch(0.2 0 0)" : "oklch(0.98 0 0)";
}
