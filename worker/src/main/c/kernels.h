// The native backend's kernels: what the variants share, and the table that each of them fills.
//
// The order of every floating-point operation is that of ARITHMETIC.md, as in the scalar kernels in Java, which are
// the reference: results are equal bit for bit. So no file may be compiled with -ffast-math, and all need
// -ffp-contract=off.
//
// Memory layouts are those of TileLayout.java. Rows of floats may begin at any address that is a multiple of 4.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))
#define NOINLINE static __attribute__((noinline))
// A loop that is unrolled, so that arrays of vectors become registers.
#define EACH(i, count) _Pragma("GCC unroll 32") for (int i = 0; i < (count); i++)

enum { TILE_ROWS = 32, UNIT_COLUMNS = 32, SEGMENT = 256, SEGMENT_UNITS = SEGMENT / UNIT_COLUMNS };

// Integer-coded types (rule C). The numbers are part of the interface to Java.
enum { Q4_0, Q8_0, Q6_K, Q4_K, Q5_K, Q4_1, Q5_0, Q5_1, Q2_K, Q3_K, IQ4_NL, IQ4_XS, MXFP4, INT4, CODED_TYPES };

// Float types (rule D). The numbers are part of the interface to Java.
enum { F32, F16, BF16, F8_E4M3, F4_E2M1, FLOAT_TYPES };

// The scales of FP8 weights, one for 128 x 128 of them: [rows / 128][columns / 128], both rounded up.
typedef struct {
    const float* at; // null for other types
    int row;         // of the matrix, which the first row of the weights is
} FloatScales;

// A matrix of floats: rows, `stride` floats apart.
typedef struct {
    float* at;
    int64_t stride;
} Rows;

// What a query head sees of the cache of a layer, through the page table of its sequence.
typedef struct {
    const float* layer;   // where the layer begins in page 0
    const int32_t* pages; // page table of the sequence
    int64_t page_stride;  // floats from page to page
    int64_t row_stride;   // floats from row to row
    int page_rows;
    int first, end; // positions that are seen
} Cache;

// One softmax attention: `heads` query heads that share a key-value head.
typedef struct {
    int heads;
    int key_columns, value_columns;
    int64_t key_at, value_at; // where the key and the value begin in a cached row
    float scale;
    const float* sinks; // [heads], or null
} Attention;

// The kernels of one variant. Java's Kernels.java says what each operation computes.
typedef struct {
    void (*quantise)(Rows x, int columns, int8_t* q, float* dx, int rows);
    int64_t (*prepared_bytes)(int type, int n, int columns);
    void (*prepare)(int type, const int8_t* q, const float* dx, int n, int columns, int from, int to,
                    uint8_t* prepared);
    int64_t (*scratch_bytes)(int type, int n, int columns);
    void (*multiply)(int type, const uint8_t* tiles, int rows, int columns, const uint8_t* prepared, int n, Rows y,
                     uint8_t* scratch);
    int64_t (*prepared_float_bytes)(int n, int columns);
    void (*prepare_floats)(int type, Rows x, int n, int columns, int from, int to, float* prepared);
    int64_t (*float_scratch_bytes)(int n, int columns);
    void (*multiply_floats)(int type, const uint8_t* weights, int rows, int columns, FloatScales scales,
                            const float* prepared, int n, Rows y, float* scratch);
    void (*rms_norm)(Rows x, int type, const uint8_t* weight, int columns, float epsilon, Rows y, int rows);
    void (*add)(Rows x, Rows y, int columns, int rows);
    void (*scale)(Rows x, int columns, float factor, int rows);
    void (*scale_by_sigmoid)(Rows x, int columns, Rows logits, int rows);
    void (*swiglu)(Rows gate, Rows up, int columns, Rows y, int rows);
    void (*clamped_swiglu)(Rows gate, Rows up, int columns, float alpha, float limit, Rows y, int rows);
    void (*rope)(float* row, const float* turns, int heads, int64_t head_stride, int half, int interleaved);
    int64_t (*attention_scratch_bytes)(int heads, int key_columns, int value_columns, int end);
    void (*attention)(Attention a, Cache cache, const float* query, float* y, uint8_t* scratch);
    int (*accumulate)(const float* y, float weight, int columns, int64_t* sums);
    void (*combine)(const int64_t* sums, float* y, int64_t count);
    int64_t (*read_all)(const uint8_t* p, int64_t bytes);
    int64_t (*peak_dots)(int64_t rounds);
    int64_t (*peak_fmas)(int64_t rounds);
} KernelTable;

extern const KernelTable bergfried_avx2;
extern const KernelTable bergfried_avx512;

INLINE int64_t round_up(int64_t count, int64_t unit) { return (count + unit - 1) / unit * unit; }
INLINE int least(int a, int b) { return a < b ? a : b; }
