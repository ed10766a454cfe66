// Operations on single elements and rows (rules E, F and G).
#pragma once

// exp of rule E, but without its special cases: x is in (-104, 89].
INLINE vf exp_within(vf x) {
    const vf rounder = vf_set(0x1.8p23f);
    vf n = vf_sub(vf_fma(x, vf_set(0x1.715476p0f), rounder), rounder);
    vf r = vf_fma(n, vf_set(-0x1.62e4p-1f), x);
    r = vf_fma(n, vf_set(-0x1.7f7d1cp-20f), r);
    vf p = vf_set(0x1.694p-10f);
    p = vf_fma(p, r, vf_set(0x1.125edcp-7f));
    p = vf_fma(p, r, vf_set(0x1.555b5ap-5f));
    p = vf_fma(p, r, vf_set(0x1.55545p-3f));
    p = vf_fma(p, r, vf_set(0x1.fffff6p-2f));
    p = vf_fma(p, r, vf_set(1));
    p = vf_fma(p, r, vf_set(1));
    return vf_times_power_of_two(p, n);
}

INLINE vf vf_exp(vf x) { return vf_above_or_nan(x, -104, exp_within(vf_min(vf_above(x, -104), vf_set(89)))); }
INLINE vf vf_one_plus_exp_negative(vf x) { return vf_add(vf_set(1), vf_exp(vf_negate(x))); }
INLINE vf vf_sigmoid(vf x) { return vf_div(vf_set(1), vf_one_plus_exp_negative(x)); }
INLINE vf vf_silu(vf x) { return vf_div(x, vf_one_plus_exp_negative(x)); }

INLINE float sigmoid(float x) {
    float out[LANES];
    vf_store(out, vf_sigmoid(vf_set(x)));
    return out[0];
}

// The first `count` numbers of a vector, or all of them.
INLINE vf vf_load_some(const float* p, int count) { return count >= LANES ? vf_load(p) : vf_load_first(p, count); }
INLINE void vf_store_some(float* p, vf v, int count) {
    if (count >= LANES) {
        vf_store(p, v);
    } else {
        vf_store_first(p, v, count);
    }
}

static void add(Rows x, Rows y, int columns, int rows) {
    for (int r = 0; r < rows; r++) {
        float* sum = x.at + r * x.stride;
        const float* term = y.at + r * y.stride;
        for (int k = 0; k < columns; k++) sum[k] = sum[k] + term[k];
    }
}

INLINE void scale_row(float* x, int columns, float factor) {
    for (int k = 0; k < columns; k++) x[k] = x[k] * factor;
}

static void scale(Rows x, int columns, float factor, int rows) {
    for (int r = 0; r < rows; r++) scale_row(x.at + r * x.stride, columns, factor);
}

static void scale_by_sigmoid(Rows x, int columns, Rows logits, int rows) {
    for (int r = 0; r < rows; r++) scale_row(x.at + r * x.stride, columns, sigmoid(logits.at[r * logits.stride]));
}

// y may be gate.
static void swiglu(Rows gate, Rows up, int columns, Rows y, int rows) {
    for (int r = 0; r < rows; r++) {
        const float *g = gate.at + r * gate.stride, *u = up.at + r * up.stride;
        float* out = y.at + r * y.stride;
        for (int k = 0; k < columns; k += LANES) {
            vf silu = vf_silu(vf_load_some(g + k, columns - k));
            vf_store_some(out + k, vf_mul(silu, vf_load_some(u + k, columns - k)), columns - k);
        }
    }
}

// y may be gate.
static void clamped_swiglu(Rows gate, Rows up, int columns, float alpha, float limit, Rows y, int rows) {
    for (int r = 0; r < rows; r++) {
        const float *gates = gate.at + r * gate.stride, *ups = up.at + r * up.stride;
        float* out = y.at + r * y.stride;
        for (int k = 0; k < columns; k += LANES) {
            vf g = vf_min(vf_set(limit), vf_load_some(gates + k, columns - k));
            vf u = vf_max(vf_set(-limit), vf_min(vf_set(limit), vf_load_some(ups + k, columns - k)));
            vf activated = vf_mul(g, vf_sigmoid(vf_mul(g, vf_set(alpha))));
            vf_store_some(out + k, vf_mul(vf_add(u, vf_set(1)), activated), columns - k);
        }
    }
}

// x and y may be the same rows.
static void rms_norm(Rows x, int type, const uint8_t* weight, int columns, float epsilon, Rows y, int rows) {
    for (int row = 0; row < rows; row++) {
        const float* in = x.at + row * x.stride;
        float* out = y.at + row * y.stride;
        vf s[GROUPS];
        for (int g = 0; g < GROUPS; g++) s[g] = vf_zero();
        for (int k = 0; k < columns; k += 32) {
            for (int g = 0; g < GROUPS; g++) {
                int left = columns - k - LANES * g;
                vf v = left > 0 ? vf_load_some(in + k + LANES * g, left) : vf_zero();
                s[g] = vf_fma(v, v, s[g]);
            }
        }
        vf r = vf_set(1.0f / __builtin_sqrtf(vf_tree(s) / (float)columns + epsilon));
        for (int k = 0; k < columns; k += LANES) {
            int count = least(LANES, columns - k);
            float w[LANES];
            uint8_t stored[4 * LANES] = {0};
            memcpy(stored, weight + row_bytes(type, k), (size_t)row_bytes(type, count));
            vf_store(w, type == F32   ? weights_at(F32, stored, 0, 0)
                        : type == F16 ? weights_at(F16, stored, 0, 0)
                                      : weights_at(BF16, stored, 0, 0));
            vf_store_some(out + k, vf_mul(vf_mul(vf_load_some(in + k, count), r), vf_load(w)), count);
        }
    }
}

// RoPE of the heads of one row. `turns`: [half][2] cosines and sines of its position.
static void rope(float* row, const float* turns, int heads, int64_t head_stride, int half, int interleaved) {
    const int step = interleaved ? 2 : 1, apart = interleaved ? 1 : half;
    for (int head = 0; head < heads; head++) {
        float* x = row + head * head_stride;
        for (int pair = 0; pair < half; pair++) {
            float c = turns[2 * pair], s = turns[2 * pair + 1], x0 = x[step * pair], x1 = x[step * pair + apart];
            x[step * pair] = __builtin_fmaf(x0, c, -(x1 * s));
            x[step * pair + apart] = __builtin_fmaf(x1, c, x0 * s);
        }
    }
}

// Rule F: sums = sums + fix(weight * y); returns 0 if a term was left out because it poisons the row.
static int accumulate(const float* y, float weight, int columns, int64_t* sums) {
    int whole = 1, k = 0;
    for (; k + LANES <= columns; k += LANES) whole &= vf_add_fixed(vf_mul(vf_load(y + k), vf_set(weight)), sums + k);
    if (k < columns) {
        int64_t rest[LANES] = {0};
        memcpy(rest, sums + k, sizeof(int64_t) * (columns - k));
        whole &= vf_add_fixed(vf_mul(vf_load_first(y + k, columns - k), vf_set(weight)), rest);
        memcpy(sums + k, rest, sizeof(int64_t) * (columns - k));
    }
    return whole;
}

static void combine(const int64_t* sums, float* y, int64_t count) {
    for (int64_t k = 0; k < count; k++) y[k] = (float)sums[k] * 0x1p-32f;
}
