// Rule D: products of float weights (F32, F16, BF16), which stand row after row, without padding.
//
// Each output has 32 partial sums. In the dot form they are lanes. For many activation rows, lanes are activation rows
// and the partial sums are computed one after the other in bit-reversed order: a stack of five levels then adds them in
// exactly the order of the tree.
#pragma once

enum { PANEL = 2 * LANES, LANES_FORM_MIN = PANEL, DOT_TILE = 16, LANE_TILE = 3 * LANE_ROWS };

INLINE int padded(int columns) { return (int)round_up(columns, 32); }
INLINE int element_bytes(int type) { return type == F32 ? 4 : 2; }

// LANES weights from element `i`.
INLINE vf weights_at(const int type, const uint8_t* w, int64_t i) {
    return type == F32    ? vf_load((const float*)(w + 4 * i))
           : type == BF16 ? vf_load_bf16(w + 2 * i)
                          : vf_load_f16(w + 2 * i);
}

// One row of weights as floats, padded with zeros to a multiple of 32.
INLINE void widen(const int type, const uint8_t* w, int columns, float* out) {
    int whole = columns / LANES * LANES;
    for (int k = 0; k < whole; k += LANES) vf_store(out + k, weights_at(type, w, k));
    if (whole < padded(columns)) {
        uint8_t rest[4 * LANES] = {0};
        memcpy(rest, w + (int64_t)whole * element_bytes(type), (size_t)(columns - whole) * element_bytes(type));
        vf_store(out + whole, weights_at(type, rest, 0));
        for (int k = whole + LANES; k < padded(columns); k += LANES) vf_store(out + k, vf_zero());
    }
}

// ---- Activations

INLINE int reversed(int t) { return (t & 1) << 4 | (t & 2) << 2 | (t & 4) | (t & 8) >> 2 | (t & 16) >> 4; }

static int64_t prepared_float_bytes(int n, int columns) {
    int64_t rows = n < LANES_FORM_MIN ? n : round_up(n, PANEL);
    return rows * padded(columns) * 4;
}

// Few rows are padded copies; many stand in panels, [panel][partial sum, bit-reversed][column / 32][PANEL].
static void prepare_floats(Rows x, int n, int columns, int from, int to, float* prepared) {
    const int all = padded(columns), steps = all / 32;
    for (int row = from; row < to; row++) {
        const float* in = x.at + row * x.stride;
        if (n < LANES_FORM_MIN) {
            float* out = prepared + (int64_t)row * all;
            memcpy(out, in, sizeof(float) * columns);
            memset(out + columns, 0, sizeof(float) * (all - columns));
            continue;
        }
        float* out = prepared + (int64_t)(row / PANEL) * PANEL * all + row % PANEL;
        for (int t = 0; t < 32; t++) {
            for (int i = 0; i < steps; i++, out += PANEL) {
                int k = 32 * i + reversed(t);
                *out = k < columns ? in[k] : 0;
            }
        }
    }
}

// ---- One activation row

INLINE void one_row(const int type, const uint8_t* w, int rows, int columns, const float* x, float* y) {
    const int size = element_bytes(type), whole = columns / 32 * 32;
    for (int r = 0; r < rows; r++, w += (int64_t)columns * size) {
        vf s[GROUPS];
        EACH (g, GROUPS) s[g] = vf_zero();
        for (int k = 0; k < whole; k += 32) {
            prefetch_ahead(w + (int64_t)k * size, 32 * size);
            EACH (g, GROUPS) s[g] = vf_fma(weights_at(type, w, k + LANES * g), vf_load(x + k + LANES * g), s[g]);
        }
        if (whole < columns) {
            float rest[32];
            widen(type, w + (int64_t)whole * size, columns - whole, rest);
            EACH (g, GROUPS) s[g] = vf_fma(vf_load(rest + LANES * g), vf_load(x + whole + LANES * g), s[g]);
        }
        y[r] = vf_tree(s);
    }
}

// ---- Dot form

// out[b * stride + r] for `rows` rows of weights and `count` activation rows; columns are a multiple of 32.
INLINE void dots(const int rows, const int count, const float* w, int64_t w_stride, const float* x, int columns,
                 float* out, int64_t stride) {
    vf part[GROUPS][DOT_ROWS * DOT_COLUMNS];
    for (int g = 0; g < GROUPS; g++) {
        vf a[DOT_ROWS][DOT_COLUMNS];
        EACH (r, rows)
            EACH (b, count) a[r][b] = vf_zero();
        for (int k = LANES * g; k < columns; k += 32) {
            vf weights[DOT_ROWS];
            EACH (r, rows) weights[r] = vf_load(w + r * w_stride + k);
            EACH (b, count) {
                vf activations = vf_load(x + (int64_t)b * columns + k);
                EACH (r, rows) a[r][b] = vf_fma(weights[r], activations, a[r][b]);
            }
        }
        EACH (r, rows)
            EACH (b, count) part[g][r * count + b] = a[r][b];
    }
    for (int b = 0; b < count; b++) {
        for (int r = 0; r < rows; r++) {
            vf s[GROUPS];
            for (int g = 0; g < GROUPS; g++) s[g] = part[g][r * count + b];
            out[b * stride + r] = vf_tree(s);
        }
    }
}

NOINLINE void dots_many(const float* w, int64_t w_stride, const float* x, int columns, float* out, int64_t stride) {
    dots(DOT_ROWS, DOT_COLUMNS, w, w_stride, x, columns, out, stride);
}
NOINLINE void dots_two(const float* w, int64_t w_stride, const float* x, int columns, float* out, int64_t stride) {
    dots(DOT_ROWS, 2, w, w_stride, x, columns, out, stride);
}
NOINLINE void dots_one(const float* w, int64_t w_stride, const float* x, int columns, float* out, int64_t stride) {
    dots(DOT_ROWS, 1, w, w_stride, x, columns, out, stride);
}
NOINLINE void dots_row(const float* w, int64_t w_stride, const float* x, int columns, float* out, int64_t stride) {
    dots(1, 1, w, w_stride, x, columns, out, stride);
}

// out[b * stride + r] for any number of rows of weights and of activations.
static void dot_form(const float* w, int64_t w_stride, int rows, const float* x, int n, int columns, float* out,
                     int64_t stride) {
    for (int b = 0, count; b < n; b += count) {
        count = n - b >= DOT_COLUMNS ? DOT_COLUMNS : n - b >= 2 ? 2 : 1;
        const float* activations = x + (int64_t)b * columns;
        int r = 0;
        for (; r + DOT_ROWS <= rows; r += DOT_ROWS) {
            (count == DOT_COLUMNS ? dots_many
             : count == 2         ? dots_two
                          : dots_one)(w + r * w_stride, w_stride, activations, columns, out + b * stride + r, stride);
        }
        for (; r < rows; r++) {
            for (int i = 0; i < count; i++) {
                dots_row(w + r * w_stride, w_stride, activations + (int64_t)i * columns, columns,
                         out + (b + i) * stride + r, stride);
            }
        }
    }
}

// ---- Lanes are activation rows

// out[rows][PANEL] of a panel; `steps` columns a partial sum, weights and activations in the panels' order.
INLINE void lanes(const int rows, const float* w, int64_t w_stride, const float* x, int steps, float* out) {
    vf stack[5][LANE_ROWS][2], a[LANE_ROWS][2];
    for (int t = 0; t < 32; t++, w += steps, x += (int64_t)steps * PANEL) {
        EACH (r, rows) a[r][0] = a[r][1] = vf_zero();
        for (int k = 0; k < steps; k++) {
            vf x0 = vf_load(x + k * PANEL), x1 = vf_load(x + k * PANEL + LANES);
            EACH (r, rows) {
                vf weight = vf_set(w[r * w_stride + k]);
                a[r][0] = vf_fma(weight, x0, a[r][0]);
                a[r][1] = vf_fma(weight, x1, a[r][1]);
            }
        }
        int level = 0;
        for (; t >> level & 1; level++) {
            EACH (r, rows) {
                a[r][0] = vf_add(stack[level][r][0], a[r][0]);
                a[r][1] = vf_add(stack[level][r][1], a[r][1]);
            }
        }
        if (level < 5) {
            EACH (r, rows) {
                stack[level][r][0] = a[r][0];
                stack[level][r][1] = a[r][1];
            }
        }
    }
    EACH (r, rows) {
        vf_store(out + r * PANEL, a[r][0]);
        vf_store(out + r * PANEL + LANES, a[r][1]);
    }
}

NOINLINE void lanes_all(const float* w, int64_t w_stride, const float* x, int steps, float* out) {
    lanes(LANE_ROWS, w, w_stride, x, steps, out);
}
NOINLINE void lanes_third(const float* w, int64_t w_stride, const float* x, int steps, float* out) {
    lanes(LANE_ROWS / 3, w, w_stride, x, steps, out);
}

static void lanes_form(const float* w, int64_t w_stride, int rows, int columns, const float* x, int n, Rows y, int at) {
    float out[LANE_ROWS * PANEL];
    for (int b = 0; b < n; b += PANEL, x += (int64_t)PANEL * columns) {
        for (int r = 0, count; r < rows; r += count) {
            int many = rows - r >= LANE_ROWS;
            count = many ? LANE_ROWS : LANE_ROWS / 3; // rows beyond the last one are computed from whatever is there
            (many ? lanes_all : lanes_third)(w + r * w_stride, w_stride, x, columns / 32, out);
            for (int i = 0; i < least(count, rows - r); i++) {
                for (int c = 0; c < least(PANEL, n - b); c++)
                    y.at[(b + c) * y.stride + at + r + i] = out[i * PANEL + c];
            }
        }
    }
}

// ---- All of it

static int64_t float_scratch_bytes(int columns) {
    int64_t rows = LANE_TILE > DOT_TILE ? LANE_TILE : DOT_TILE;
    return ((rows + 1) * (padded(columns) + 16)) * 4;
}

INLINE void many_rows(const int type, const uint8_t* w, int rows, int columns, const float* x, int n, Rows y,
                      float* scratch) {
    const int all = padded(columns), stride = all + 16, many = n >= LANES_FORM_MIN, each = many ? LANE_TILE : DOT_TILE;
    const int64_t row_bytes = (int64_t)columns * element_bytes(type);
    float* row = scratch + (int64_t)each * stride;
    for (int from = 0; from < rows; from += each) {
        const int count = least(each, rows - from);
        for (int r = 0; r < count; r++) {
            float* out = scratch + (int64_t)r * stride;
            widen(type, w + (from + r) * row_bytes, columns, many ? row : out);
            for (int t = 0; many && t < 32; t++) {
                for (int i = 0; i < all / 32; i++) *out++ = row[32 * i + reversed(t)];
            }
        }
        if (many) {
            lanes_form(scratch, stride, count, all, x, n, y, from);
        } else {
            dot_form(scratch, stride, count, x, n, all, y.at + from, y.stride);
        }
    }
}

#define FLOAT_KERNELS(type)                                                                                            \
    NOINLINE void floats_##type(const uint8_t* w, int rows, int columns, const float* x, int n, Rows y,                \
                                float* scratch) {                                                                      \
        if (n == 1) {                                                                                                  \
            one_row(type, w, rows, columns, x, y.at);                                                                  \
        } else {                                                                                                       \
            many_rows(type, w, rows, columns, x, n, y, scratch);                                                       \
        }                                                                                                              \
    }
FLOAT_KERNELS(F32)
FLOAT_KERNELS(F16)
FLOAT_KERNELS(BF16)

static void multiply_floats(int type, const uint8_t* weights, int rows, int columns, const float* prepared, int n,
                            Rows y, float* scratch) {
    (type == F32   ? floats_F32
     : type == F16 ? floats_F16
                   : floats_BF16)(weights, rows, columns, prepared, n, y, scratch);
}
