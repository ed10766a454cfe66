// Rule C: products of integer-coded weights with quantised activations. Rows of weights are lanes.
//
// Activations are prepared once for all threads: rows stand in blocks of up to COLUMNS_MAX, unit after unit, and beside
// them what corrects the weights' offset and, for types that have minima, the sums of rule B.
// A few activation rows meet weights that are decoded in registers (`direct`); for more of them a chunk of a tile
// is unpacked to bytes and read again by each block (`matrix`). Both do the same operations for each output.
#pragma once

typedef struct {
    int unit_bytes; // of a tile's 32 columns
    int head_bytes; // before each 256 columns
    int units;      // scales in 32 columns
    int minima;     // 1 if the type has mw
    int offset;     // stored unsigned codes are this much larger than the integers of rule C
    int room;       // as in sum_step
} Coding;

static const Coding CODINGS[CODED_TYPES] = {
    [Q4_0] = {.unit_bytes = 576, .units = 1, .offset = 8, .room = 8},
    [Q8_0] = {.unit_bytes = 1088, .units = 1, .offset = BYTE_OFFSET, .room = 0},
    [Q6_K] = {.unit_bytes = 832, .head_bytes = 64, .units = 2, .offset = 32, .room = 2},
};

// ---- Tiles

// Word `k` of 8 of one unit for a group of rows, as bytes of four columns each.
INLINE vi unit_word(const int type, const uint8_t* unit, int group, const int k) {
    const uint8_t* p = unit + 4 * LANES * group;
    if (type == Q8_0) return vi_bytes(vi_load(p + 128 * k));
    vi nibbles = vi_load(p + 128 * (k % 4));
    vi word = k < 4 ? vi_low_nibbles(nibbles) : vi_high_nibbles(nibbles);
    return type == Q6_K ? vi_with_pair(word, vi_load(p + 512 + 128 * (k / 4)), k % 4) : word;
}

// The scales dw of rule C of a group of rows. `u`: which part of the unit's columns.
INLINE vf unit_scale(const int type, const uint8_t* head, const uint8_t* unit, int group, const int u) {
    const int row = LANES * group;
    switch (type) {
        case Q4_0: return vf_load_f16(unit + 512 + 2 * row);
        case Q8_0: return vf_load_f16(unit + 1024 + 2 * row);
        default: return vf_mul(vf_load_f16(head + 2 * row), vf_load_s8(unit + 768 + 32 * u + row)); // Q6_K
    }
}

// The negative minima of rule C, -mw, of a group of rows.
INLINE vf unit_minimum(const int type, const uint8_t* head, const uint8_t* unit, int group, const int u) {
    (void)type, (void)head, (void)unit, (void)group, (void)u;
    return vf_zero(); // no type has minima
}

static int64_t tile_bytes(int type, int columns) {
    const Coding c = CODINGS[type];
    return (int64_t)columns / UNIT_COLUMNS * c.unit_bytes + (int64_t)columns / SEGMENT * c.head_bytes;
}

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
    const int parts = CODINGS[type].units;
    float* dx = (float*)(prepared + round_up(all, 64));
    int32_t* correction = (int32_t*)(dx + units);
    float* sx = (float*)(correction + parts * units);
    const int64_t first = before / UNIT_COLUMNS;
    return (Block){(int8_t*)prepared + before, dx + first, correction + parts * first, sx + parts * first};
}

static int64_t prepared_bytes(int type, int n, int columns) {
    const int64_t all = (int64_t)n * columns;
    return round_up(all, 64) + all / UNIT_COLUMNS * 4 * (1 + 2 * CODINGS[type].units);
}

INLINE int sum_of(const int8_t* q, int count) {
    int sum = 0;
    for (int i = 0; i < count; i++) sum += q[i];
    return sum;
}

INLINE void prepare_row(int type, const int8_t* q, const float* dx, int columns, Block block, int rows, int row) {
    const Coding c = CODINGS[type];
    const int part = UNIT_COLUMNS / c.units;
    for (int b = 0; b < columns / UNIT_COLUMNS; b++) {
        memcpy(block.q + ((int64_t)b * rows + row) * UNIT_COLUMNS, q + (int64_t)b * UNIT_COLUMNS, UNIT_COLUMNS);
        block.dx[(int64_t)b * rows + row] = dx[b];
        for (int u = 0; u < c.units; u++) {
            int sum = sum_of(q + (int64_t)b * UNIT_COLUMNS + u * part, part);
            int64_t at = ((int64_t)b * c.units + u) * rows + row;
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
    const int apart = c.units == 2 || rows < 3; // few rows: a single chain of sums would wait for itself
    for (int begin = 0; begin < units; begin += SEGMENT_UNITS) {
        vf acc[COLUMNS_MAX][GROUPS];
        EACH (r, rows)
            EACH (g, GROUPS) acc[r][g] = vf_zero();
        const uint8_t* head = p;
        p += c.head_bytes;
        for (int b = begin; b < least(begin + SEGMENT_UNITS, units); b++, p += c.unit_bytes) {
            prefetch_ahead(p, c.unit_bytes);
            EACH (part, GROUPS / GROUPS_AT_ONCE) {
                const int group = part * GROUPS_AT_ONCE;
                Sum sums[2][COLUMNS_MAX][GROUPS_AT_ONCE]; // of the left and of the right half of the columns
                EACH (r, rows) {
                    EACH (g, GROUPS_AT_ONCE) {
                        sums[0][r][g].wide = vi_set(x.correction[b * c.units * rows + r]);
                        sums[1][r][g].wide =
                            c.units == 2 ? vi_set(x.correction[(b * c.units + 1) * rows + r]) : vi_zero();
                    }
                }
                EACH (k, 4) {
                    EACH (half, 2) {
                        vi w[GROUPS_AT_ONCE];
                        EACH (g, GROUPS_AT_ONCE) w[g] = unit_word(type, p, group + g, k + 4 * half);
                        EACH (r, rows) {
                            vi q = vi_four(x.q + (int64_t)(b * rows + r) * UNIT_COLUMNS + 16 * half + 4 * k);
                            EACH (g, GROUPS_AT_ONCE) {
                                sum_step(c.room, apart ? 4 : 8, apart ? k : 2 * k + half, &sums[apart ? half : 0][r][g],
                                         w[g], q);
                            }
                        }
                    }
                }
                EACH (u, c.units) {
                    EACH (g, GROUPS_AT_ONCE) {
                        vf dw = unit_scale(type, head, p, group + g, u);
                        EACH (r, rows) {
                            vi sum = apart && c.units == 1 ? vi_add(sums[0][r][g].wide, sums[1][r][g].wide)
                                                           : sums[u][r][g].wide;
                            vf* a = &acc[r][group + g];
                            *a = vf_fma(vf_from_ints(sum), vf_mul(dw, vf_set(x.dx[b * rows + r])), *a);
                            if (c.minima)
                                *a = vf_fnma(unit_minimum(type, head, p, group + g, u),
                                             vf_set(x.sx[(b * c.units + u) * rows + r]), *a);
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
    const uint8_t* head = p;
    for (int b = 0; b < units; b++, p += c.unit_bytes) {
        if (c.head_bytes && b % SEGMENT_UNITS == 0) {
            head = p;
            p += c.head_bytes;
        }
        prefetch_ahead(p, c.unit_bytes);
        for (int g = 0; g < GROUPS; g++) {
            EACH (k, 8) {
                vi_store(out.words + 1024 * b + 128 * k + 4 * LANES * g, unit_word(type, p, g, k));
            }
            EACH (u, c.units) {
                const int at = (b * c.units + u) * TILE_ROWS + LANES * g;
                vf_store(out.scales + at, unit_scale(type, head, p, g, u));
                if (c.minima) vf_store(out.minima + at, unit_minimum(type, head, p, g, u));
            }
        }
    }
    return p;
}

// A chunk with a block of `rows` activation rows, of which `x` begins at the chunk's first unit.
INLINE void matrix(const int type, const int rows, Chunk w, int units, Block x, int first, float* out, int64_t stride) {
    const Coding c = CODINGS[type];
    const int words = 8 / c.units;
    for (int group = 0; group < GROUPS; group += GROUPS_AT_ONCE) {
        for (int begin = 0; begin < units; begin += SEGMENT_UNITS) {
            vf acc[COLUMNS_MAX][GROUPS_AT_ONCE];
            EACH (r, rows)
                EACH (g, GROUPS_AT_ONCE) acc[r][g] = vf_zero();
            for (int b = begin; b < least(begin + SEGMENT_UNITS, units); b++) {
                EACH (u, c.units) {
                    const int part = b * c.units + u;
                    Sum sums[COLUMNS_MAX][GROUPS_AT_ONCE];
                    EACH (r, rows)
                        EACH (g, GROUPS_AT_ONCE) sums[r][g].wide = vi_set(x.correction[part * rows + r]);
                    EACH (k, words) {
                        const uint8_t* word = w.words + 1024 * b + 128 * (words * u + k) + 4 * LANES * group;
                        vi weights[GROUPS_AT_ONCE];
                        EACH (g, GROUPS_AT_ONCE) weights[g] = vi_load(word + 4 * LANES * g);
                        EACH (r, rows) {
                            vi q = vi_four(x.q + (int64_t)(b * rows + r) * UNIT_COLUMNS + 4 * (words * u + k));
                            EACH (g, GROUPS_AT_ONCE) sum_step(c.room, words, k, &sums[r][g], weights[g], q);
                        }
                    }
                    EACH (r, rows) {
                        vf dx = vf_set(x.dx[b * rows + r]);
                        EACH (g, GROUPS_AT_ONCE) {
                            const int at = part * TILE_ROWS + LANES * (group + g);
                            acc[r][g] =
                                vf_fma(vf_from_ints(sums[r][g].wide), vf_mul(vf_load(w.scales + at), dx), acc[r][g]);
                            if (c.minima)
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

#define BLOCK_KERNELS(type, rows)                                                                                      \
    NOINLINE void direct_##type##_##rows(const uint8_t* tile, int units, Block x, float* out, int64_t stride) {        \
        direct(type, rows, tile, units, x, out, stride);                                                               \
    }                                                                                                                  \
    NOINLINE void matrix_##type##_##rows(Chunk w, int units, Block x, int first, float* out, int64_t stride) {         \
        matrix(type, rows, w, units, x, first, out, stride);                                                           \
    }
#define UNPACK_KERNEL(type)                                                                                            \
    NOINLINE const uint8_t* unpack_##type(const uint8_t* p, int units, Chunk out) {                                    \
        return unpack(type, p, units, out);                                                                            \
    }

#ifdef __AVX512F__
#define TYPE_KERNELS(type)                                                                                             \
    BLOCK_KERNELS(type, 1)                                                                                             \
    BLOCK_KERNELS(type, 2)                                                                                             \
    BLOCK_KERNELS(type, 3) BLOCK_KERNELS(type, 4) BLOCK_KERNELS(type, 5) BLOCK_KERNELS(type, 6) UNPACK_KERNEL(type)
#define BY_ROWS(kind, type)                                                                                            \
    { kind##_##type##_1, kind##_##type##_2, kind##_##type##_3, kind##_##type##_4, kind##_##type##_5, kind##_##type##_6 }
#else
#define TYPE_KERNELS(type)                                                                                             \
    BLOCK_KERNELS(type, 1) BLOCK_KERNELS(type, 2) BLOCK_KERNELS(type, 3) BLOCK_KERNELS(type, 4) UNPACK_KERNEL(type)
#define BY_ROWS(kind, type)                                                                                            \
    { kind##_##type##_1, kind##_##type##_2, kind##_##type##_3, kind##_##type##_4 }
#endif

TYPE_KERNELS(Q4_0)
TYPE_KERNELS(Q8_0)
TYPE_KERNELS(Q6_K)

    static const Direct DIRECT[CODED_TYPES][COLUMNS_MAX] = {
        [Q4_0] = BY_ROWS(direct, Q4_0), [Q8_0] = BY_ROWS(direct, Q8_0), [Q6_K] = BY_ROWS(direct, Q6_K)};
static const Matrix MATRIX[CODED_TYPES][COLUMNS_MAX] = {
    [Q4_0] = BY_ROWS(matrix, Q4_0), [Q8_0] = BY_ROWS(matrix, Q8_0), [Q6_K] = BY_ROWS(matrix, Q6_K)};
static const Unpack UNPACK[CODED_TYPES] = {[Q4_0] = unpack_Q4_0, [Q8_0] = unpack_Q8_0, [Q6_K] = unpack_Q6_K};

// One tile with all activation rows: out[row * stride + 0..31].
static void multiply_tile(int type, const uint8_t* tile, int columns, const uint8_t* prepared, int n, float* out,
                          int64_t stride, Chunk chunk) {
    const int units = columns / UNIT_COLUMNS;
    if (n <= DIRECT_MAX) {
        for (int first = 0, rows; first < n; first += rows) {
            rows = block_rows(n - first);
            DIRECT[type][rows - 1](tile, units, block_at(type, (uint8_t*)prepared, n, columns, first),
                                   out + first * stride, stride);
        }
        return;
    }
    for (int begin = 0; begin < units; begin += CHUNK_UNITS) {
        const int count = least(CHUNK_UNITS, units - begin), parts = CODINGS[type].units;
        tile = UNPACK[type](tile, count, chunk);
        for (int first = 0, rows; first < n; first += rows) {
            rows = block_rows(n - first);
            Block x = block_at(type, (uint8_t*)prepared, n, columns, first);
            const int64_t skipped = (int64_t)begin * rows;
            Block here = {x.q + skipped * UNIT_COLUMNS, x.dx + skipped, x.correction + parts * skipped,
                          x.sx + parts * skipped};
            MATRIX[type][rows - 1](chunk, count, here, begin == 0, out + first * stride, stride);
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
