// What Java calls. The first argument of every kernel is the variant, by its number; addresses are bytes off the Java
// heap that stay where they are during the call. NativeCalls.java has the same signatures.
#include "kernels.h"
#include <cpuid.h>

#define EXPORT __attribute__((visibility("default")))

// Grows with every change of a signature or of the meaning of an argument.
EXPORT int bergfried_interface(void) { return 2; }

enum { AVX2, AVX512, VARIANTS };
static const KernelTable* const KERNELS[VARIANTS] = {&bergfried_avx2, &bergfried_avx512};

static uint64_t enabled_registers(void) {
    uint32_t low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static int has(uint32_t word, uint32_t bits) { return (word & bits) == bits; }

// Whether this processor and its operating system can run a variant.
EXPORT int bergfried_supports(int variant) {
    uint32_t a, b, c, d, b7, c7, c8;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !has(c, bit_FMA | bit_OSXSAVE | bit_AVX | bit_F16C | bit_MOVBE)) return 0;
    if (!__get_cpuid_count(7, 0, &a, &b7, &c7, &d) || !has(b7, bit_AVX2 | bit_BMI | bit_BMI2)) return 0;
    if (!__get_cpuid(0x80000001, &a, &b, &c8, &d) || !has(c8, bit_LZCNT)) return 0;
    uint64_t registers = enabled_registers();
    if (variant == AVX2) return (registers & 0x6) == 0x6;
    if (variant != AVX512) return 0;
    return (registers & 0xe6) == 0xe6 &&
           has(b7, bit_AVX512F | bit_AVX512DQ | bit_AVX512CD | bit_AVX512BW | bit_AVX512VL) && has(c7, bit_AVX512VNNI);
}

// ---- Rules B and C

EXPORT void bergfried_quantise(int variant, float* x, int64_t stride, int columns, int8_t* q, float* dx, int rows) {
    KERNELS[variant]->quantise((Rows){x, stride}, columns, q, dx, rows);
}

EXPORT int64_t bergfried_prepared_bytes(int variant, int type, int n, int columns) {
    return KERNELS[variant]->prepared_bytes(type, n, columns);
}

EXPORT void bergfried_prepare(int variant, int type, const int8_t* q, const float* dx, int n, int columns, int from,
                              int to, uint8_t* prepared) {
    KERNELS[variant]->prepare(type, q, dx, n, columns, from, to, prepared);
}

EXPORT int64_t bergfried_scratch_bytes(int variant, int type, int n, int columns) {
    return KERNELS[variant]->scratch_bytes(type, n, columns);
}

EXPORT void bergfried_multiply(int variant, int type, const uint8_t* tiles, int rows, int columns,
                               const uint8_t* prepared, int n, float* y, int64_t stride, uint8_t* scratch) {
    KERNELS[variant]->multiply(type, tiles, rows, columns, prepared, n, (Rows){y, stride}, scratch);
}

// ---- Rule D

EXPORT int64_t bergfried_prepared_float_bytes(int variant, int n, int columns) {
    return KERNELS[variant]->prepared_float_bytes(n, columns);
}

EXPORT void bergfried_prepare_floats(int variant, int type, float* x, int64_t stride, int n, int columns, int from,
                                     int to, float* prepared) {
    KERNELS[variant]->prepare_floats(type, (Rows){x, stride}, n, columns, from, to, prepared);
}

EXPORT int64_t bergfried_float_scratch_bytes(int variant, int n, int columns) {
    return KERNELS[variant]->float_scratch_bytes(n, columns);
}

EXPORT void bergfried_multiply_floats(int variant, int type, const uint8_t* weights, int rows, int columns,
                                      const float* scales, int row, const float* prepared, int n, float* y,
                                      int64_t stride, float* scratch) {
    KERNELS[variant]->multiply_floats(type, weights, rows, columns, (FloatScales){scales, row}, prepared, n,
                                      (Rows){y, stride}, scratch);
}

// ---- Elements and rows

EXPORT void bergfried_rms_norm(int variant, float* x, int64_t x_stride, int type, const uint8_t* weight, int columns,
                               float epsilon, float* y, int64_t y_stride, int rows) {
    KERNELS[variant]->rms_norm((Rows){x, x_stride}, type, weight, columns, epsilon, (Rows){y, y_stride}, rows);
}

EXPORT void bergfried_add(int variant, float* x, int64_t x_stride, float* y, int64_t y_stride, int columns, int rows) {
    KERNELS[variant]->add((Rows){x, x_stride}, (Rows){y, y_stride}, columns, rows);
}

EXPORT void bergfried_scale(int variant, float* x, int64_t stride, int columns, float factor, int rows) {
    KERNELS[variant]->scale((Rows){x, stride}, columns, factor, rows);
}

EXPORT void bergfried_scale_by_sigmoid(int variant, float* x, int64_t stride, int columns, float* logits,
                                       int64_t logit_stride, int rows) {
    KERNELS[variant]->scale_by_sigmoid((Rows){x, stride}, columns, (Rows){logits, logit_stride}, rows);
}

EXPORT void bergfried_swiglu(int variant, float* gate, int64_t gate_stride, float* up, int64_t up_stride, int columns,
                             float* y, int64_t y_stride, int rows) {
    KERNELS[variant]->swiglu((Rows){gate, gate_stride}, (Rows){up, up_stride}, columns, (Rows){y, y_stride}, rows);
}

EXPORT void bergfried_clamped_swiglu(int variant, float* gate, int64_t gate_stride, float* up, int64_t up_stride,
                                     int columns, float alpha, float limit, float* y, int64_t y_stride, int rows) {
    KERNELS[variant]->clamped_swiglu((Rows){gate, gate_stride}, (Rows){up, up_stride}, columns, alpha, limit,
                                     (Rows){y, y_stride}, rows);
}

EXPORT void bergfried_rope(int variant, float* row, const float* turns, int heads, int64_t head_stride, int half,
                           int interleaved) {
    KERNELS[variant]->rope(row, turns, heads, head_stride, half, interleaved);
}

EXPORT int bergfried_accumulate(int variant, const float* y, float weight, int columns, int64_t* sums) {
    return KERNELS[variant]->accumulate(y, weight, columns, sums);
}

EXPORT void bergfried_combine(int variant, const int64_t* sums, float* y, int64_t count) {
    KERNELS[variant]->combine(sums, y, count);
}

// ---- Attention

EXPORT int64_t bergfried_attention_scratch_bytes(int variant, int heads, int key_columns, int value_columns, int end) {
    return KERNELS[variant]->attention_scratch_bytes(heads, key_columns, value_columns, end);
}

EXPORT void bergfried_attention(int variant, int heads, int key_columns, int value_columns, int64_t key_at,
                                int64_t value_at, float scale, const float* sinks, const float* layer,
                                const int32_t* pages, int64_t page_stride, int64_t row_stride, int page_rows, int first,
                                int end, const float* query, float* y, uint8_t* scratch) {
    Attention a = {heads, key_columns, value_columns, key_at, value_at, scale, sinks};
    Cache cache = {layer, pages, page_stride, row_stride, page_rows, first, end};
    KERNELS[variant]->attention(a, cache, query, y, scratch);
}

// ---- Limits of the processor

EXPORT int64_t bergfried_read_all(int variant, const uint8_t* p, int64_t bytes) {
    return KERNELS[variant]->read_all(p, bytes);
}

EXPORT int64_t bergfried_peak_dots(int variant, int64_t rounds) { return KERNELS[variant]->peak_dots(rounds); }

EXPORT int64_t bergfried_peak_fmas(int variant, int64_t rounds) { return KERNELS[variant]->peak_fmas(rounds); }
