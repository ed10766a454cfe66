// Rule D: products of float weights (F32, F16, BF16, FP8 E4M3, FP4 E2M1), which stand row after row, without padding.
//
// Columns are divided into spans, each with partial sums and a tree of its own: one span, but for FP8 one for each
// scale. Each output has 32 partial sums. In the dot form they are lanes. For many activation rows, lanes are
// activation rows and the partial sums are computed one after the other in bit-reversed order: a stack of five levels
// then adds them in exactly the order of the tree.
#pragma once

enum { PANEL = 2 * LANES, LANES_FORM_MIN = PANEL, DOT_TILE = 16, LANE_TILE = 3 * LANE_ROWS, SCALE_BLOCK = 128 };

INLINE int padded(int columns) { return (int)round_up(columns, 32); }
INLINE int span_of(int type, int columns) { return type == F8_E4M3 ? SCALE_BLOCK : padded(columns); }

// Bytes of a row of `columns` weights. FP4 has blocks of 32: an exponent, then 16 bytes with columns 0 to 15 below and
// 16 to 31 above.
INLINE int64_t row_bytes(int type, int64_t columns) {
    return type == F32 ? 4 * columns : type == F8_E4M3 ? columns : type == F4_E2M1 ? columns / 32 * 17 : 2 * columns;
}

// 2^(e - 127), exact; the byte 0 gives a subnormal number.
INLINE float exponent(uint8_t e) {
    uint32_t bits = e == 0 ? 0x00400000 : (uint32_t)e << 23;
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

// LANES weights of a row from element `i` on; for FP4 a multiple of 32 plus LANES * `group`.
INLINE vf weights_at(const int type, const uint8_t* w, int64_t i, const int group) {
    switch (type) {
        case F32: return vf_load((const float*)(w + 4 * i));
        case F16: return vf_load_f16(w + 2 * i);
        case BF16: return vf_load_bf16(w + 2 * i);
        case F8_E4M3: return vf_load_e4m3(w + i);
        default: {
            const uint8_t* block = w + i / 32 * 17;
            return vf_mul(vf_load_e2m1(block + 1 + LANES * group % 16, LANES * group / 16), vf_set(exponent(*block)));
        }
    }
}

// The last columns of a row, fewer than 32, padded with zeros.
INLINE void last_weights(const int type, const uint8_t* w, int columns, vf out[GROUPS]) {
    uint8_t rest[4 * 32] = {0};
    memcpy(rest, w, (size_t)row_bytes(type, columns));
    EACH (g, GROUPS) out[g] = weights_at(type, rest, LANES * g, g);
}

// One row of weights as floats, padded with zeros to a multiple of 32.
INLINE void widen(const int type, const uint8_t* w, int columns, float* out) {
    const int whole = columns / 32 * 32;
    for (int k = 0; k < whole; k += 32)
        EACH (g, GROUPS) vf_store(out + k + LANES * g, weights_at(type, w, k + LANES * g, g));
    if (whole < columns) {
        vf last[GROUPS];
        last_weights(type, w + row_bytes(type, whole), columns - whole, last);
        EACH (g, GROUPS) vf_store(out + whole + LANES * g, last[g]);
    }
}

INLINE float scale_at(FloatScales scales, int row, int column, int columns) {
    const int blocks = (columns + SCALE_BLOCK - 1) / SCALE_BLOCK;
    return scales.at[(int64_t)((scales.row + row) / SCALE_BLOCK) * blocks + column / SCALE_BLOCK];
}

// ---- Activations

INLINE int reversed(int t) { return (t & 1) << 4 | (t & 2) << 2 | (t & 4) | (t & 8) >> 2 | (t & 16) >> 4; }

static int64_t prepared_float_bytes(int n, int columns) {
    int64_t rows = n < LANES_FORM_MIN ? n : round_up(n, PANEL);
    return rows * padded(columns) * 4;
}

// Few rows are padded copies; many stand in panels, [panel][span][partial sum, bit-reversed][column / 32][PANEL].
static void prepare_floats(int type, Rows x, int n, int columns, int from, int to, float* prepared) {
    const int all = padded(columns), span = span_of(type, columns);
    for (int row = from; row < to; row++) {
        const float* in = x.at + row * x.stride;
        if (n < LANES_FORM_MIN) {
            float* out = prepared + (int64_t)row * all;
            memcpy(out, in, sizeof(float) * columns);
            memset(out + columns, 0, sizeof(float) * (all - columns));
            continue;
        }
        float* out = prepared + (int64_t)(row / PANEL) * PANEL * all + row % PANEL;
        for (int at = 0; at < all; at += span) {
            for (int t = 0; t < 32; t++) {
                for (int k = at + reversed(t); k < least(at + span, all); k += 32, out += PANEL)
                    *out = k < columns ? in[k] : 0;
            }
        }
    }
}

// ---- One activation row

INLINE void one_row(const int type, const uint8_t* w, int rows, int columns, FloatScales scales, const float* x,
                    float* y) {
    const int whole = columns / 32 * 32, span = span_of(type, columns);
    for (int r = 0; r < rows; r++, w += row_bytes(type, columns)) {
        float sum = 0;
        for (int at = 0; at < columns; at += span) {
            vf s[GROUPS];
            EACH (g, GROUPS) s[g] = vf_zero();
            for (int k = at; k < least(at + span, whole); k += 32) {
                prefetch_ahead(w + row_bytes(type, k), (int)row_bytes(type, 32));
                EACH (g, GROUPS) s[g] = vf_fma(weights_at(type, w, k + LANES * g, g), vf_load(x + k + LANES * g), s[g]);
            }
            if (at + span > whole && whole < columns) {
                vf last[GROUPS];
                last_weights(type, w + row_bytes(type, whole), columns - whole, last);
                EACH (g, GROUPS) s[g] = vf_fma(last[g], vf_load(x + whole + LANES * g), s[g]);
            }
            sum = type == F8_E4M3 ? __builtin_fmaf(vf_tree(s), scale_at(scales, r, at, columns), sum) : vf_tree(s);
        }
        y[r] = sum;
    }
}

// ---- Dot form

// out[b * stride + r] for `rows` rows of weights and `count` activation rows; columns are a multiple of 32.
INLINE void dots(const int rows, const int count, const float* w, int64_t w_stride, Rows x, int columns, float* out,
                 int64_t stride) {
    vf part[GROUPS][DOT_ROWS * DOT_COLUMNS];
    for (int g = 0; g < GROUPS; g++) {
        vf a[DOT_ROWS][DOT_COLUMNS];
        EACH (r, rows)
            EACH (b, count) a[r][b] = vf_zero();
        for (int k = LANES * g; k < columns; k += 32) {
            vf weights[DOT_ROWS];
            EACH (r, rows) weights[r] = vf_load(w + r * w_stride + k);
            EACH (b, count) {
                vf activations = vf_load(x.at + b * x.stride + k);
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

NOINLINE void dots_many(const float* w, int64_t w_stride, Rows x, int columns, float* out, int64_t stride) {
    dots(DOT_ROWS, DOT_COLUMNS, w, w_stride, x, columns, out, stride);
}
NOINLINE void dots_two(const float* w, int64_t w_stride, Rows x, int columns, float* out, int64_t stride) {
    dots(DOT_ROWS, 2, w, w_stride, x, columns, out, stride);
}
NOINLINE void dots_one(const float* w, int64_t w_stride, Rows x, int columns, float* out, int64_t stride) {
    dots(DOT_ROWS, 1, w, w_stride, x, columns, out, stride);
}
NOINLINE void dots_row(const float* w, int64_t w_stride, Rows x, int columns, float* out, int64_t stride) {
    dots(1, 1, w, w_stride, x, columns, out, stride);
}

INLINE Rows rows_from(Rows x, int row) { return (Rows){x.at + row * x.stride, x.stride}; }

// out[b * stride + r] for any number of rows of weights and of activations.
static void dot_form(const float* w, int64_t w_stride, int rows, Rows x, int n, int columns, float* out,
                     int64_t stride) {
    for (int b = 0, count; b < n; b += count) {
        count = n - b >= DOT_COLUMNS ? DOT_COLUMNS : n - b >= 2 ? 2 : 1;
        int r = 0;
        for (; r + DOT_ROWS <= rows; r += DOT_ROWS) {
            (count == DOT_COLUMNS ? dots_many
             : count == 2
                 ? dots_two
                 : dots_one)(w + r * w_stride, w_stride, rows_from(x, b), columns, out + b * stride + r, stride);
        }
        for (; r < rows; r++) {
            for (int i = 0; i < count; i++)
                dots_row(w + r * w_stride, w_stride, rows_from(x, b + i), columns, out + (b + i) * stride + r, stride);
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

// out[b * stride + r] for any number of rows of weights and of activations; columns are one span, of which panels begin
// `x_stride` floats apart.
static void lanes_form(const float* w, int64_t w_stride, int rows, int columns, const float* x, int64_t x_stride, int n,
                       Rows out) {
    float panel[LANE_ROWS * PANEL];
    for (int b = 0; b < n; b += PANEL, x += x_stride) {
        for (int r = 0, count; r < rows; r += count) {
            int many = rows - r >= LANE_ROWS;
            count = many ? LANE_ROWS : LANE_ROWS / 3; // rows beyond the last one are computed from whatever is there
            (many ? lanes_all : lanes_third)(w + r * w_stride, w_stride, x, columns / 32, panel);
            for (int i = 0; i < least(count, rows - r); i++) {
                for (int c = 0; c < least(PANEL, n - b); c++)
                    out.at[(b + c) * out.stride + r + i] = panel[i * PANEL + c];
            }
        }
    }
}

// ---- All of it

static int64_t float_scratch_bytes(int n, int columns) {
    int64_t rows = LANE_TILE > DOT_TILE ? LANE_TILE : DOT_TILE;
    return ((rows + 1) * (padded(columns) + 16) + n * rows) * 4;
}

// One row of floats as the lanes form reads it: [span][partial sum, bit-reversed][column / 32].
static void reorder(const float* row, int columns, int span, float* out) {
    for (int at = 0; at < columns; at += span) {
        for (int t = 0; t < 32; t++) {
            for (int k = at + reversed(t); k < least(at + span, columns); k += 32) *out++ = row[k];
        }
    }
}

// y[b][r] = fma(t[b][r], scales[r], y[b][r]); y counts as zero for the first span.
static void add_scaled(const float* t, const float* scales, int rows, int n, int first, Rows y) {
    for (int b = 0; b < n; b++, t += rows) {
        float* out = y.at + b * y.stride;
        for (int r = 0; r < rows; r++) out[r] = __builtin_fmaf(t[r], scales[r], first ? 0 : out[r]);
    }
}

// A tile of widened rows with all activation rows, span after span. `t`: [n][rows] of working memory.
static void float_tile(const int type, const float* w, int64_t w_stride, int rows, int columns, FloatScales scales,
                       const float* x, int n, float* t, Rows y) {
    const int all = padded(columns), span = span_of(type, columns);
    for (int at = 0; at < all; at += span) {
        const int length = least(span, all - at);
        Rows out = type == F8_E4M3 ? (Rows){t, rows} : y;
        if (n >= LANES_FORM_MIN) {
            lanes_form(w + at, w_stride, rows, length, x + (int64_t)at * PANEL, (int64_t)all * PANEL, n, out);
        } else {
            dot_form(w + at, w_stride, rows, (Rows){(float*)x + at, all}, n, length, out.at, out.stride);
        }
        if (type == F8_E4M3) {
            float factors[LANE_TILE > DOT_TILE ? LANE_TILE : DOT_TILE];
            for (int r = 0; r < rows; r++) factors[r] = scale_at(scales, r, at, columns);
            add_scaled(t, factors, rows, n, at == 0, y);
        }
    }
}

INLINE void many_rows(const int type, const uint8_t* w, int rows, int columns, FloatScales scales, const float* x,
                      int n, Rows y, float* scratch) {
    const int all = padded(columns), stride = all + 16, many = n >= LANES_FORM_MIN, each = many ? LANE_TILE : DOT_TILE;
    float* row = scratch + (int64_t)each * stride;
    for (int from = 0; from < rows; from += each) {
        const int count = least(each, rows - from);
        for (int r = 0; r < count; r++) {
            float* out = scratch + (int64_t)r * stride;
            widen(type, w + row_bytes(type, columns) * (from + r), columns, many ? row : out);
            if (many) reorder(row, all, span_of(type, columns), out);
        }
        float_tile(type, scratch, stride, count, columns, (FloatScales){scales.at, scales.row + from}, x, n,
                   row + stride, (Rows){y.at + from, y.stride});
    }
}

#define FLOAT_KERNEL(type)                                                                                             \
    NOINLINE void floats_##type(const uint8_t* w, int rows, int columns, FloatScales scales, const float* x, int n,    \
                                Rows y, float* scratch) {                                                              \
        if (n == 1) {                                                                                                  \
            one_row(type, w, rows, columns, scales, x, y.at);                                                          \
        } else {                                                                                                       \
            many_rows(type, w, rows, columns, scales, x, n, y, scratch);                                               \
        }                                                                                                              \
    }
FLOAT_KERNEL(F32)
FLOAT_KERNEL(F16)
FLOAT_KERNEL(BF16)
FLOAT_KERNEL(F8_E4M3)
FLOAT_KERNEL(F4_E2M1)

static void multiply_floats(int type, const uint8_t* weights, int rows, int columns, FloatScales scales,
                            const float* prepared, int n, Rows y, float* scratch) {
    static void (*const BY_TYPE[FLOAT_TYPES])(const uint8_t*, int, int, FloatScales, const float*, int, Rows,
                                              float*) = {[F32] = floats_F32,
                                                         [F16] = floats_F16,
                                                         [BF16] = floats_BF16,
                                                         [F8_E4M3] = floats_F8_E4M3,
                                                         [F4_E2M1] = floats_F4_E2M1};
    BY_TYPE[type](weights, rows, columns, scales, prepared, n, y, scratch);
}
