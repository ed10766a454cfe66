// The vocabulary of vectors that the kernels are written in, for AVX-512 with VNNI: 16 lanes.
#pragma once
#include "kernels.h"
#include <immintrin.h>

enum { LANES = 16, GROUPS = TILE_ROWS / LANES };
enum {
    GROUPS_AT_ONCE = 2,        // groups of rows that a matrix product keeps in registers ...
    COLUMNS_MAX = 6,           // ... and activation rows
    DIRECT_MAX = 32,           // up to this many activation rows, weights are decoded in registers
    DIRECT_ROWS = COLUMNS_MAX, // of which so many at once
    CHUNK_UNITS = 128,         // 32-column units that a matrix product unpacks at a time
    DOT_ROWS = 4,              // rows and columns of the float product's dot form
    DOT_COLUMNS = 6,
    LANE_ROWS = 12,   // rows of the float product with lanes = batch
    VALUE_VECTORS = 4 // vectors of a value's columns that attention keeps in registers for each head
};

typedef __m512 vf;
typedef __m512i vi;

// Floats.
INLINE vf vf_zero(void) { return _mm512_setzero_ps(); }
INLINE vf vf_set(float v) { return _mm512_set1_ps(v); }
INLINE vf vf_load(const float* p) { return _mm512_loadu_ps(p); }
INLINE void vf_store(float* p, vf v) { _mm512_storeu_ps(p, v); }
INLINE __mmask16 first_lanes(int count) { return (__mmask16)((1u << count) - 1); }
INLINE vf vf_load_first(const float* p, int count) { return _mm512_maskz_loadu_ps(first_lanes(count), p); }
INLINE void vf_store_first(float* p, vf v, int count) { _mm512_mask_storeu_ps(p, first_lanes(count), v); }
INLINE vf vf_load_bf16(const uint8_t* p) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const void*)p)), 16));
}
INLINE vf vf_load_f16(const uint8_t* p) { return _mm512_cvtph_ps(_mm256_loadu_si256((const void*)p)); }
INLINE vf vf_load_s8(const uint8_t* p) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const void*)p)));
}
INLINE vf vf_load_u8(const uint8_t* p) {
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const void*)p)));
}
INLINE vf vf_load_low_u4(const uint8_t* p) {
    vi bytes = _mm512_cvtepu8_epi32(_mm_loadu_si128((const void*)p));
    return _mm512_cvtepi32_ps(_mm512_and_si512(bytes, _mm512_set1_epi32(15)));
}
INLINE vf vf_load_high_u4(const uint8_t* p) {
    return _mm512_cvtepi32_ps(_mm512_srli_epi32(_mm512_cvtepu8_epi32(_mm_loadu_si128((const void*)p)), 4));
}
// 2^(e - 128) of bytes e, exact; 0 and 1 give subnormal numbers.
INLINE vf vf_load_exponents(const uint8_t* p) {
    const vi one = _mm512_set1_epi32(1);
    vi e = _mm512_cvtepu8_epi32(_mm_loadu_si128((const void*)p));
    vi normal = _mm512_slli_epi32(_mm512_sub_epi32(e, one), 23);
    vi subnormal = _mm512_sllv_epi32(_mm512_set1_epi32(0x00200000), e);
    return _mm512_castsi512_ps(_mm512_mask_mov_epi32(normal, _mm512_cmple_epu32_mask(e, one), subnormal));
}
// FP8 E4M3: bits at the places of binary32's, then the exponent is corrected (exact).
INLINE vf vf_load_e4m3(const uint8_t* p) {
    vi code = _mm512_slli_epi32(_mm512_cvtepi8_epi32(_mm_loadu_si128((const void*)p)), 20);
    vi bits = _mm512_and_si512(code, _mm512_set1_epi32((int)0x87f00000));
    return _mm512_mul_ps(_mm512_castsi512_ps(bits), vf_set(0x1p120f));
}
// FP4 E2M1 in the low halves of bytes, or in the high ones, likewise.
INLINE vf vf_load_e2m1(const uint8_t* p, const int high) {
    vi code = _mm512_cvtepu8_epi32(_mm_loadu_si128((const void*)p));
    if (high) code = _mm512_srli_epi32(code, 4);
    vi sign = _mm512_and_si512(_mm512_slli_epi32(code, 28), _mm512_set1_epi32(INT32_MIN));
    vi rest = _mm512_and_si512(_mm512_slli_epi32(code, 22), _mm512_set1_epi32(0x01c00000));
    return _mm512_mul_ps(_mm512_castsi512_ps(_mm512_or_si512(sign, rest)), vf_set(0x1p126f));
}
INLINE vf vf_add(vf a, vf b) { return _mm512_add_ps(a, b); }
INLINE vf vf_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
INLINE vf vf_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
INLINE vf vf_div(vf a, vf b) { return _mm512_div_ps(a, b); }
INLINE vf vf_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
INLINE vf vf_fnma(vf a, vf b, vf c) { return _mm512_fnmadd_ps(a, b, c); }
INLINE vf vf_min(vf a, vf b) { return _mm512_min_ps(a, b); } // b where one is NaN
INLINE vf vf_max(vf a, vf b) { return _mm512_max_ps(a, b); } // b where one is NaN
INLINE vf vf_negate(vf a) {
    return _mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(a), _mm512_set1_epi32(INT32_MIN)));
}
INLINE vf vf_from_ints(vi v) { return _mm512_cvtepi32_ps(v); }
// x where x > limit, +0 elsewhere (also where x is NaN).
INLINE vf vf_above(vf x, float limit) {
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, vf_set(limit), _CMP_GT_OQ), x);
}
// v where x > limit, +0 where x <= limit, x where x is NaN.
INLINE vf vf_above_or_nan(vf x, float limit, vf v) {
    vf live = _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, vf_set(limit), _CMP_GT_OQ), v);
    return _mm512_mask_mov_ps(live, _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), x);
}
// p * 2^n for integral n in [-151, 129]: one rounding, as in (p * 2^a) * 2^b, of which only the last can be inexact.
INLINE vf vf_times_power_of_two(vf p, vf n) { return _mm512_scalef_ps(p, n); }
INLINE float tree8(__m256 v) {
    __m128 x = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    x = _mm_add_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
}
// The tree of rule D over 32 partial sums.
INLINE float vf_tree(const vf s[GROUPS]) {
    vf t = _mm512_add_ps(s[0], s[1]);
    return tree8(_mm256_add_ps(_mm512_castps512_ps256(t), _mm512_extractf32x8_ps(t, 1)));
}

// Integers.
INLINE vi vi_zero(void) { return _mm512_setzero_si512(); }
INLINE vi vi_set(int v) { return _mm512_set1_epi32(v); }
INLINE vi vi_add(vi a, vi b) { return _mm512_add_epi32(a, b); }
INLINE vi vi_load(const void* p) { return _mm512_loadu_si512(p); }
INLINE void vi_store(void* p, vi v) { _mm512_storeu_si512(p, v); }
INLINE vi vi_low_nibbles(vi v) { return _mm512_and_si512(v, _mm512_set1_epi8(15)); }
INLINE vi vi_high_nibbles(vi v) { return _mm512_and_si512(_mm512_srli_epi16(v, 4), _mm512_set1_epi8(15)); }
// Bits of each byte of `plane`, `mask` from bit `from` on, moved to bit `to` on, beside what `word` has.
INLINE vi vi_with(vi word, vi plane, const int mask, const int from, const int to) {
    vi moved = from < to   ? _mm512_slli_epi16(plane, to - from)
               : from > to ? _mm512_srli_epi16(plane, from - to)
                           : plane;
    return _mm512_ternarylogic_epi32(word, moved, _mm512_set1_epi8((char)(mask << to)), 0xf8); // word | (moved & mask)
}
// A table of 16 bytes with `add` added to each, and what it has at the places that the bytes of `word` name.
INLINE vi vi_table(const int8_t* table, int add) {
    return _mm512_broadcast_i32x4(_mm_add_epi8(_mm_loadu_si128((const void*)table), _mm_set1_epi8((char)add)));
}
INLINE vi vi_lookup(vi table, vi word) { return _mm512_shuffle_epi8(table, word); }
// Signed bytes as this variant multiplies them: unsigned, 128 too large.
enum { BYTE_OFFSET = 128 };
INLINE vi vi_bytes(vi v) { return _mm512_xor_si512(v, _mm512_set1_epi8((char)0x80)); }
INLINE vi vi_four(const int8_t* q) {
    int v;
    memcpy(&v, q, 4);
    return _mm512_set1_epi32(v);
}

// A sum of products of bytes.
typedef struct {
    vi wide; // 32 bits each
} Sum;

// Step `i` of `steps` of a sum: adds the products of four unsigned weights and four signed activations to each lane.
// `room` matters to AVX2 only.
INLINE void sum_step(const int room, const int steps, const int i, Sum* s, vi w, vi x) {
    (void)room, (void)steps, (void)i;
    s->wide = _mm512_dpbusd_epi32(s->wide, w, x);
}

// Rule B: the largest bit pattern among 32 numbers without their signs; NaN is above infinity.
INLINE int vi_largest_magnitude(const vf x[GROUPS]) {
    return _mm512_reduce_max_epi32(
        _mm512_max_epi32(_mm512_castps_si512(_mm512_abs_ps(x[0])), _mm512_castps_si512(_mm512_abs_ps(x[1]))));
}
// Rounds 32 numbers to the nearest integer, to even, and stores them as bytes.
INLINE void vi_store_rounded(int8_t* q, const vf x[GROUPS]) {
    for (int g = 0; g < GROUPS; g++)
        _mm_storeu_si128((void*)(q + LANES * g), _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(x[g])));
}

// Rule F: adds 16 terms below 2^24 in fixed point; returns 0 if there were others, which are left out.
INLINE int vf_add_fixed(vf v, int64_t* sums) {
    __mmask16 good = _mm512_cmp_ps_mask(_mm512_abs_ps(v), vf_set(0x1p24f), _CMP_LT_OQ);
    v = _mm512_maskz_mov_ps(good, v);
    __m512d low = _mm512_cvtps_pd(_mm512_castps512_ps256(v)), high = _mm512_cvtps_pd(_mm512_extractf32x8_ps(v, 1));
    const __m512d unit = _mm512_set1_pd(0x1p32);
    vi_store(sums, _mm512_add_epi64(vi_load(sums), _mm512_cvtpd_epi64(_mm512_mul_pd(low, unit))));
    vi_store(sums + 8, _mm512_add_epi64(vi_load(sums + 8), _mm512_cvtpd_epi64(_mm512_mul_pd(high, unit))));
    return good == 0xffff;
}
