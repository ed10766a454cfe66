// Numbers for people.

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** Bytes, from a number or from proto's string of a 64-bit number. */
export function bytes(value) {
    let number = Number(value);
    let unit = 0;
    while (number >= 1024 && unit < UNITS.length - 1) {
        number /= 1024;
        unit++;
    }
    return (unit === 0 ? number.toFixed(0) : number.toFixed(1)) + " " + UNITS[unit];
}

export function count(value) {
    return Number(value).toLocaleString("en");
}

/** A number with its noun: "1 row", "2 rows". */
export function plural(value, noun) {
    return count(value) + " " + noun + (Number(value) === 1 ? "" : "s");
}

export function rate(value) {
    return Number(value).toFixed(Number(value) >= 100 ? 0 : 1) + "/s";
}

export function share(part, whole) {
    return Number(whole) === 0 ? "-" : Math.round(100 * Number(part) / Number(whole)) + " %";
}

export function seconds(value) {
    return Number(value) < 0.1 ? "under 0.1 s" : Number(value).toFixed(1) + " s";
}

/** The lower-case word of an enum's name, for example "ready" of WORKER_CONDITION_READY. */
export function word(name, prefix) {
    return String(name).replace(prefix + "_", "").toLowerCase().replaceAll("_", " ");
}
