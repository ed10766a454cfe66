// Rule C: products of integer-coded weights with quantised activations. Rows of weights are lanes.
//
// Activations are prepared once for all threads: rows stand in blocks of up to COLUMNS_MAX, unit after unit, and beside
// them what corrects the weights' offset and, for types that have minima, the sums of rule B.
// A few activation rows meet weights that are decoded in registers (`direct`); for more of them a chunk of a tile
// is unpacked to bytes and read again by each block (`matrix`). Both do the same operations for each output.
#pragma once

// ---- Activations

// Rows of a block that begins where `left` rows are left: as even as possible.
INLINE int block_rows(int left) {
    return left <= COLUMNS_MAX ? left : left < 2 * COLUMNS_MAX ? (left + 1) / 2 : COLUMNS_MAX;
}

// Prepared activations of a block of rows: [unit][row][32] codes, [unit][row] scales, [unit][part][row] corrections
// and sums.
typedef struct {
    int8_t* q;
    float* dx;
    int32_t* correction; // -offset * sum of codes
    float* sx;           // dx * sum of codes
} Block;

// The block that begins at row `row`.
INLINE Block block_at(int type, uint8_t* prepared, int n, int columns, int row) {
    const int64_t all = (int64_t)n * columns, units = all / UNIT_COLUMNS, before = (int64_t)row * columns;
    const int parts = parts_of(CODINGS[type]);
    float* dx = (float*)(prepared + round_up(all, 64));
    int32_t* correction = (int32_t*)(dx + units);
    float* sx = (float*)(correction + parts * units);
    const int64_t first = before / UNIT_COLUMNS;
    return (Block){(int8_t*)prepared + before, dx + first, correction + parts * first, sx + parts * first};
}

static int64_t prepared_bytes(int type, int n, int columns) {
    const int64_t all = (int64_t)n * columns;
    return round_up(all, 64) + all / UNIT_COLUMNS * 4 * (1 + 2 * parts_of(CODINGS[type]));
}

INLINE int sum_of(const int8_t* q, int count) {
    int sum = 0;
    for (int i = 0; i < count; i++) sum += q[i];
    return sum;
}

INLINE void prepare_row(int type, const int8_t* q, const float* dx, int columns, Block block, int rows, int row) {
    const Coding c = CODINGS[type];
    const int parts = parts_of(c), part = UNIT_COLUMNS / parts;
    for (int b = 0; b < columns / UNIT_COLUMNS; b++) {
        memcpy(block.q + ((int64_t)b * rows + row) * UNIT_COLUMNS, q + (int64_t)b * UNIT_COLUMNS, UNIT_COLUMNS);
        block.dx[(int64_t)b * rows + row] = dx[b];
        for (int u = 0; u < parts; u++) {
            int sum = sum_of(q + (int64_t)b * UNIT_COLUMNS + u * part, part);
            int64_t at = ((int64_t)b * parts + u) * rows + row;
            block.correction[at] = -c.offset * sum;
            block.sx[at] = dx[b] * (float)sum;
        }
    }
}

static void prepare(int type, const int8_t* q, const float* dx, int n, int columns, int from, int to,
                    uint8_t* prepared) {
    for (int first = 0, rows; first < to; first += rows) {
        rows = block_rows(n - first);
        Block block = block_at(type, prepared, n, columns, first);
        for (int row = first < from ? from : first; row < least(first + rows, to); row++) {
            prepare_row(type, q + (int64_t)row * columns, dx + (int64_t)row * (columns / UNIT_COLUMNS), columns, block,
                        rows, row - first);
        }
    }
}

// ---- Weights decoded in registers

INLINE void prefetch_ahead(const uint8_t* p, const int bytes) {
    for (int i = 0; i < bytes; i += 64) _mm_prefetch((const char*)p + 1024 + i, _MM_HINT_T0);
}

// Adds the partials of a segment to out; those of the first segment are taken as they are.
INLINE void add_segment(vf partial, float* out, int first) {
    vf_store(out, first ? partial : vf_add(vf_load(out), partial));
}

// One tile with a block of `rows` activation rows: out[row * stride + 0..31].
INLINE void direct(const int type, const int rows, const uint8_t* p, int units, Block x, float* out, int64_t stride) {
    const Coding c = CODINGS[type];
    const int parts = parts_of(c);
    const int apart = parts == 2 || rows < 3; // few rows: a single chain of sums would wait for itself
    for (int begin = 0; begin < units; begin += SEGMENT_UNITS) {
        vf acc[COLUMNS_MAX][GROUPS];
        EACH (r, rows)
            EACH (g, GROUPS) acc[r][g] = vf_zero();
        const uint8_t* head = p;
        p += head_bytes(c);
        for (int b = begin; b < least(begin + SEGMENT_UNITS, units); b++, p += unit_bytes(c)) {
            prefetch_ahead(p, unit_bytes(c));
            EACH (part, GROUPS / GROUPS_AT_ONCE) {
                const int group = part * GROUPS_AT_ONCE;
                Sum sums[2][COLUMNS_MAX][GROUPS_AT_ONCE]; // of the left and of the right half of the columns
                EACH (r, rows) {
                    EACH (g, GROUPS_AT_ONCE) {
                        sums[0][r][g].wide = vi_set(x.correction[b * parts * rows + r]);
                        sums[1][r][g].wide = parts == 2 ? vi_set(x.correction[(b * parts + 1) * rows + r]) : vi_zero();
                    }
                }
                EACH (k, 4) {
                    EACH (half, 2) {
                        vi w[GROUPS_AT_ONCE];
                        EACH (g, GROUPS_AT_ONCE) w[g] = unit_word(c, p, group + g, k + 4 * half);
                        EACH (r, rows) {
                            vi q = vi_four(x.q + (int64_t)(b * rows + r) * UNIT_COLUMNS + 16 * half + 4 * k);
                            EACH (g, GROUPS_AT_ONCE) {
                                sum_step(c.room, apart ? 4 : 8, apart ? k : 2 * k + half, &sums[apart ? half : 0][r][g],
                                         w[g], q);
                            }
                        }
                    }
                }
                EACH (u, parts) {
                    EACH (g, GROUPS_AT_ONCE) {
                        vf dw = unit_scale(c, head, p, group + g, u);
                        EACH (r, rows) {
                            vi sum = apart && parts == 1 ? vi_add(sums[0][r][g].wide, sums[1][r][g].wide)
                                                         : sums[u][r][g].wide;
                            vf* a = &acc[r][group + g];
                            *a = vf_fma(vf_from_ints(sum), vf_mul(dw, vf_set(x.dx[b * rows + r])), *a);
                            if (has_minima(c))
                                *a = vf_fnma(unit_minimum(c, head, p, group + g, u),
                                             vf_set(x.sx[(b * parts + u) * rows + r]), *a);
                        }
                    }
                }
            }
        }
        EACH (r, rows)
            EACH (g, GROUPS) add_segment(acc[r][g], out + r * stride + LANES * g, begin == 0);
    }
}

// ---- Weights unpacked to bytes

// A chunk of a tile: [unit][8 words][32 rows][4] bytes, [unit][part][32 rows] scales and minima.
typedef struct {
    uint8_t* words;
    float* scales;
    float* minima;
} Chunk;

INLINE Chunk chunk_in(uint8_t* scratch) {
    float* scales = (float*)(scratch + CHUNK_UNITS * 1024);
    return (Chunk){scratch, scales, scales + CHUNK_UNITS * 2 * TILE_ROWS};
}

static int64_t scratch_bytes(int type, int n, int columns) {
    (void)type, (void)columns;
    return CHUNK_UNITS * (1024 + 4 * TILE_ROWS * 4) + (int64_t)n * TILE_ROWS * 4;
}

// Unpacks units from `p`, which is at the beginning of a segment; returns where the next ones are.
INLINE const uint8_t* unpack(const int type, const uint8_t* p, int units, Chunk out) {
    const Coding c = CODINGS[type];
    const int parts = parts_of(c);
    const uint8_t* head = p;
    for (int b = 0; b < units; b++, p += unit_bytes(c)) {
        if (has_head(c) && b % SEGMENT_UNITS == 0) {
            head = p;
            p += head_bytes(c);
        }
        prefetch_ahead(p, unit_bytes(c));
        for (int g = 0; g < GROUPS; g++) {
            EACH (k, 8) {
                vi_store(out.words + 1024 * b + 128 * k + 4 * LANES * g, unit_word(c, p, g, k));
            }
            EACH (u, parts) {
                const int at = (b * parts + u) * TILE_ROWS + LANES * g;
                vf_store(out.scales + at, unit_scale(c, head, p, g, u));
                if (has_minima(c)) vf_store(out.minima + at, unit_minimum(c, head, p, g, u));
            }
        }
    }
    return p;
}

// A chunk with a block of `rows` activation rows, of which `x` begins at the chunk's first unit. Of a type, only this
// matters here: scales in 32 columns, whether it has minima, and the room of sums.
INLINE void matrix(const int parts, const int minima, const int room, const int rows, Chunk w, int units, Block x,
                   int first, float* out, int64_t stride) {
    const int words = 8 / parts;
    for (int group = 0; group < GROUPS; group += GROUPS_AT_ONCE) {
        for (int begin = 0; begin < units; begin += SEGMENT_UNITS) {
            vf acc[COLUMNS_MAX][GROUPS_AT_ONCE];
            EACH (r, rows)
                EACH (g, GROUPS_AT_ONCE) acc[r][g] = vf_zero();
            for (int b = begin; b < least(begin + SEGMENT_UNITS, units); b++) {
                EACH (u, parts) {
                    const int part = b * parts + u;
                    Sum sums[COLUMNS_MAX][GROUPS_AT_ONCE];
                    EACH (r, rows)
                        EACH (g, GROUPS_AT_ONCE) sums[r][g].wide = vi_set(x.correction[part * rows + r]);
                    EACH (k, words) {
                        const uint8_t* word = w.words + 1024 * b + 128 * (words * u + k) + 4 * LANES * group;
                        vi weights[GROUPS_AT_ONCE];
                        EACH (g, GROUPS_AT_ONCE) weights[g] = vi_load(word + 4 * LANES * g);
                        EACH (r, rows) {
                            vi q = vi_four(x.q + (int64_t)(b * rows + r) * UNIT_COLUMNS + 4 * (words * u + k));
                            EACH (g, GROUPS_AT_ONCE) sum_step(room, words, k, &sums[r][g], weights[g], q);
                        }
                    }
                    EACH (r, rows) {
                        vf dx = vf_set(x.dx[b * rows + r]);
                        EACH (g, GROUPS_AT_ONCE) {
                            const int at = part * TILE_ROWS + LANES * (group + g);
                            acc[r][g] =
                                vf_fma(vf_from_ints(sums[r][g].wide), vf_mul(vf_load(w.scales + at), dx), acc[r][g]);
                            if (minima)
                                acc[r][g] = vf_fnma(vf_load(w.minima + at), vf_set(x.sx[part * rows + r]), acc[r][g]);
                        }
                    }
                }
            }
            EACH (r, rows)
                EACH (g, GROUPS_AT_ONCE)
                    add_segment(acc[r][g], out + r * stride + LANES * (group + g), first && begin == 0);
        }
    }
}

// ---- One function for each type and number of activation rows

typedef void (*Direct)(const uint8_t* tile, int units, Block x, float* out, int64_t stride);
typedef void (*Matrix)(Chunk w, int units, Block x, int first, float* out, int64_t stride);
typedef const uint8_t* (*Unpack)(const uint8_t* p, int units, Chunk out);

#define DIRECT_KERNEL(type, rows)                                                                                      \
    NOINLINE void direct_##type##_##rows(const uint8_t* tile, int units, Block x, float* out, int64_t stride) {        \
        direct(type, rows, tile, units, x, out, stride);                                                               \
    }
#define UNPACK_KERNEL(type)                                                                                            \
    NOINLINE const uint8_t* unpack_##type(const uint8_t* p, int units, Chunk out) {                                    \
        return unpack(type, p, units, out);                                                                            \
    }
#define MATRIX_KERNEL(form, parts, minima, room, rows)                                                                 \
    NOINLINE void matrix_##form##_##rows(Chunk w, int units, Block x, int first, float* out, int64_t stride) {         \
        matrix(parts, minima, room, rows, w, units, x, first, out, stride);                                            \
    }
#define MATRIX_KERNELS_4(...)                                                                                          \
    MATRIX_KERNEL(__VA_ARGS__, 1)                                                                                      \
    MATRIX_KERNEL(__VA_ARGS__, 2) MATRIX_KERNEL(__VA_ARGS__, 3) MATRIX_KERNEL(__VA_ARGS__, 4)

#ifdef __AVX512F__
#define DIRECT_KERNELS(type)                                                                                           \
    DIRECT_KERNEL(type, 1)                                                                                             \
    DIRECT_KERNEL(type, 2)                                                                                             \
    DIRECT_KERNEL(type, 3) DIRECT_KERNEL(type, 4) DIRECT_KERNEL(type, 5) DIRECT_KERNEL(type, 6)
#define DIRECT_BY_ROWS(t)                                                                                              \
    { direct_##t##_1, direct_##t##_2, direct_##t##_3, direct_##t##_4, direct_##t##_5, direct_##t##_6 }
#define MATRIX_KERNELS(...) MATRIX_KERNELS_4(__VA_ARGS__) MATRIX_KERNEL(__VA_ARGS__, 5) MATRIX_KERNEL(__VA_ARGS__, 6)
#define MATRIX_BY_ROWS(f)                                                                                              \
    { matrix_##f##_1, matrix_##f##_2, matrix_##f##_3, matrix_##f##_4, matrix_##f##_5, matrix_##f##_6 }
#else
#define DIRECT_KERNELS(type) DIRECT_KERNEL(type, 1)
#define DIRECT_BY_ROWS(t)                                                                                              \
    { direct_##t##_1 }
#define MATRIX_KERNELS(...) MATRIX_KERNELS_4(__VA_ARGS__)
#define MATRIX_BY_ROWS(f)                                                                                              \
    { matrix_##f##_1, matrix_##f##_2, matrix_##f##_3, matrix_##f##_4 }
#endif

#define TYPE_KERNELS(type)                                                                                             \
    DIRECT_KERNELS(type)                                                                                               \
    UNPACK_KERNEL(type)

TYPE_KERNELS(Q4_0)
TYPE_KERNELS(Q8_0)
TYPE_KERNELS(Q6_K)
TYPE_KERNELS(Q4_K)
TYPE_KERNELS(Q5_K)
TYPE_KERNELS(Q4_1)
TYPE_KERNELS(Q5_0)
TYPE_KERNELS(Q5_1)
TYPE_KERNELS(Q2_K)
TYPE_KERNELS(Q3_K)
TYPE_KERNELS(IQ4_NL)
TYPE_KERNELS(IQ4_XS)
TYPE_KERNELS(MXFP4)
TYPE_KERNELS(INT4)

// form, scales in 32 columns, minima, room
MATRIX_KERNELS(fives, 1, 0, 4)
MATRIX_KERNELS(bytes, 1, 0, 0)
MATRIX_KERNELS(fives_minima, 1, 1, 4)
MATRIX_KERNELS(fives_halves, 2, 0, 4)
MATRIX_KERNELS(sixes_halves, 2, 0, 2)
MATRIX_KERNELS(fives_halves_minima, 2, 1, 4)

typedef struct {
    Direct direct[DIRECT_ROWS];
    Unpack unpack;
    Matrix matrix[COLUMNS_MAX];
} TypeKernels;

#define KERNELS(type, form) [type] = {DIRECT_BY_ROWS(type), unpack_##type, MATRIX_BY_ROWS(form)}

static const TypeKernels TYPES[CODED_TYPES] = {
    KERNELS(Q4_0, fives),        KERNELS(Q8_0, bytes),        KERNELS(Q6_K, sixes_halves),
    KERNELS(Q4_K, fives_minima), KERNELS(Q5_K, fives_minima), KERNELS(Q4_1, fives_minima),
    KERNELS(Q5_0, fives),        KERNELS(Q5_1, fives_minima), KERNELS(Q2_K, fives_halves_minima),
    KERNELS(Q3_K, fives_halves), KERNELS(IQ4_NL, bytes),      KERNELS(IQ4_XS, bytes),
    KERNELS(MXFP4, fives),       KERNELS(INT4, fives),
};

// One tile with all activation rows: out[row * stride + 0..31].
static void multiply_tile(int type, const uint8_t* tile, int columns, const uint8_t* prepared, int n, float* out,
                          int64_t stride, Chunk chunk) {
    const int units = columns / UNIT_COLUMNS;
    if (n <= DIRECT_MAX) {
        for (int first = 0, rows; first < n; first += rows) {
            rows = block_rows(n - first);
            TYPES[type].direct[rows - 1](tile, units, block_at(type, (uint8_t*)prepared, n, columns, first),
                                         out + first * stride, stride);
        }
        return;
    }
    for (int begin = 0; begin < units; begin += CHUNK_UNITS) {
        const int count = least(CHUNK_UNITS, units - begin), parts = parts_of(CODINGS[type]);
        tile = TYPES[type].unpack(tile, count, chunk);
        for (int first = 0, rows; first < n; first += rows) {
            rows = block_rows(n - first);
            Block x = block_at(type, (uint8_t*)prepared, n, columns, first);
            const int64_t skipped = (int64_t)begin * rows;
            Block here = {x.q + skipped * UNIT_COLUMNS, x.dx + skipped, x.correction + parts * skipped,
                          x.sx + parts * skipped};
            TYPES[type].matrix[rows - 1](chunk, count, here, begin == 0, out + first * stride, stride);
        }
    }
}

// `rows` rows of y from the tiles at `tiles`, of which the last may have fewer than 32 rows that count.
static void multiply(int type, const uint8_t* tiles, int rows, int columns, const uint8_t* prepared, int n, Rows y,
                     uint8_t* scratch) {
    Chunk chunk = chunk_in(scratch);
    float* ragged = chunk.minima + CHUNK_UNITS * 2 * TILE_ROWS; // [n][32]
    for (int row = 0; row < rows; row += TILE_ROWS, tiles += tile_bytes(type, columns)) {
        if (rows - row >= TILE_ROWS) {
            multiply_tile(type, tiles, columns, prepared, n, y.at + row, y.stride, chunk);
        } else {
            multiply_tile(type, tiles, columns, prepared, n, ragged, TILE_ROWS, chunk);
            for (int i = 0; i < n; i++)
                memcpy(y.at + i * y.stride + row, ragged + i * TILE_ROWS, sizeof(float) * (rows - row));
        }
    }
}
