// What a processor can do at most, for the benchmark: loops that do nothing else.
#pragma once

enum { CHAINS = LANES == 16 ? 12 : 6 }; // sums that do not wait for each other

// Reads memory as a product reads weights; the result keeps the compiler from leaving it out.
static int64_t read_all(const uint8_t* p, int64_t bytes) {
    const int step = 8 * sizeof(vi);
    vi seen[8];
    EACH (i, 8) seen[i] = vi_zero();
    for (const uint8_t* end = p + bytes / step * step; p < end; p += step) {
        prefetch_ahead(p, step);
        EACH (i, 8) seen[i] = vi_add(seen[i], vi_load(p + i * sizeof(vi)));
    }
    EACH (i, 7) seen[0] = vi_add(seen[0], seen[i + 1]);
    int32_t out[LANES];
    vi_store(out, seen[0]);
    return out[0];
}

// Multiplies bytes as rule C does, eight steps a round; returns how many multiply-adds that were.
static int64_t peak_dots(int64_t rounds) {
    Sum sums[CHAINS];
    vi q[CHAINS], w = vi_set(0x01020301);
    EACH (c, CHAINS) {
        sums[c].wide = vi_zero();
        q[c] = vi_set(0x01ff0201 + c);
    }
    for (int64_t round = 0; round < rounds; round++) {
        EACH (k, 8) {
            __asm__ volatile("" : "+v"(w)); // so that no product can be used twice
            EACH (c, CHAINS) sum_step(8, 8, k, &sums[c], w, q[c]);
        }
    }
    EACH (c, CHAINS) __asm__ volatile("" : : "v"(sums[c].wide));
    return rounds * 8 * CHAINS * LANES * 4;
}

// Multiplies and adds floats; returns how often.
static int64_t peak_fmas(int64_t rounds) {
    vf sums[CHAINS], w = vf_set(0x1p-20f), x = vf_set(0x1p-10f);
    EACH (c, CHAINS) sums[c] = vf_set((float)c); // all different: none can stand for another
    for (int64_t round = 0; round < rounds; round++) {
        EACH (k, 8) {
            EACH (c, CHAINS) sums[c] = vf_fma(w, x, sums[c]);
        }
    }
    EACH (c, CHAINS) __asm__ volatile("" : : "v"(sums[c]));
    return rounds * 8 * CHAINS * LANES;
}
