// Rule B: activations that meet integer-coded weights, 32 columns at a time.
#pragma once

static void quantise(Rows x, int columns, int8_t* q, float* dx, int rows) {
    for (int r = 0; r < rows; r++) {
        const float* row = x.at + r * x.stride;
        for (int c = 0; c < columns; c += UNIT_COLUMNS, q += UNIT_COLUMNS, dx++) {
            vf v[GROUPS];
            for (int g = 0; g < GROUPS; g++) v[g] = vf_load(row + c + LANES * g);
            int bits = vi_largest_magnitude(v);
            float m;
            memcpy(&m, &bits, sizeof m);
            if (bits >= 0x7f800000 || m < 0x1p-100f) { // infinity, NaN, or too small
                *dx = bits >= 0x7f800000 ? __builtin_nanf("") : 0;
                memset(q, 0, UNIT_COLUMNS);
                continue;
            }
            *dx = m / 127.0f;
            vf r = vf_set(1.0f / *dx);
            for (int g = 0; g < GROUPS; g++) v[g] = vf_mul(v[g], r);
            vi_store_rounded(q, v);
        }
    }
}
