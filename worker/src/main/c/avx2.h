// The vocabulary of vectors that the kernels are written in, for AVX2 with FMA and F16C: 8 lanes.
#pragma once
#include "kernels.h"
#include <immintrin.h>

enum { LANES = 8, GROUPS = TILE_ROWS / LANES };
enum {
    GROUPS_AT_ONCE = 1,          // groups of rows that a matrix product keeps in registers ...
    COLUMNS_MAX = 4,             // ... and activation rows
    DIRECT_MAX = 1,              // up to this many activation rows, weights are decoded in registers
    DIRECT_ROWS = 1,             // of which so many at once
    CHUNK_UNITS = SEGMENT_UNITS, // 32-column units that a matrix product unpacks at a time
    DOT_ROWS = 3,                // rows and columns of the float product's dot form
    DOT_COLUMNS = 4,
    LANE_ROWS = 6,    // rows of the float product with lanes = batch
    VALUE_VECTORS = 2 // vectors of a value's columns that attention keeps in registers for each head
};

typedef __m256 vf;
typedef __m256i vi;

// Floats.
INLINE vf vf_zero(void) { return _mm256_setzero_ps(); }
INLINE vf vf_set(float v) { return _mm256_set1_ps(v); }
INLINE vf vf_load(const float* p) { return _mm256_loadu_ps(p); }
INLINE void vf_store(float* p, vf v) { _mm256_storeu_ps(p, v); }
INLINE vi first_lanes(int count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
INLINE vf vf_load_first(const float* p, int count) { return _mm256_maskload_ps(p, first_lanes(count)); }
INLINE void vf_store_first(float* p, vf v, int count) { _mm256_maskstore_ps(p, first_lanes(count), v); }
INLINE vf vf_load_bf16(const uint8_t* p) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const void*)p)), 16));
}
INLINE vf vf_load_f16(const uint8_t* p) { return _mm256_cvtph_ps(_mm_loadu_si128((const void*)p)); }
INLINE vf vf_load_s8(const uint8_t* p) {
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const void*)p)));
}
INLINE vf vf_load_u8(const uint8_t* p) {
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const void*)p)));
}
INLINE vf vf_load_low_u4(const uint8_t* p) {
    vi bytes = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const void*)p));
    return _mm256_cvtepi32_ps(_mm256_and_si256(bytes, _mm256_set1_epi32(15)));
}
INLINE vf vf_load_high_u4(const uint8_t* p) {
    return _mm256_cvtepi32_ps(_mm256_srli_epi32(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const void*)p)), 4));
}
// 2^(e - 128) of bytes e, exact; 0 and 1 give subnormal numbers.
INLINE vf vf_load_exponents(const uint8_t* p) {
    vi e = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const void*)p));
    vi normal = _mm256_slli_epi32(_mm256_sub_epi32(e, _mm256_set1_epi32(1)), 23);
    vi subnormal = _mm256_sllv_epi32(_mm256_set1_epi32(0x00200000), e);
    return _mm256_castsi256_ps(_mm256_blendv_epi8(normal, subnormal, _mm256_cmpgt_epi32(_mm256_set1_epi32(2), e)));
}
// FP8 E4M3: bits at the places of binary32's, then the exponent is corrected (exact).
INLINE vf vf_load_e4m3(const uint8_t* p) {
    vi code = _mm256_slli_epi32(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const void*)p)), 20);
    vi bits = _mm256_and_si256(code, _mm256_set1_epi32((int)0x87f00000));
    return _mm256_mul_ps(_mm256_castsi256_ps(bits), vf_set(0x1p120f));
}
// FP4 E2M1 in the low halves of bytes, or in the high ones, likewise.
INLINE vf vf_load_e2m1(const uint8_t* p, const int high) {
    vi code = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const void*)p));
    if (high) code = _mm256_srli_epi32(code, 4);
    vi sign = _mm256_and_si256(_mm256_slli_epi32(code, 28), _mm256_set1_epi32(INT32_MIN));
    vi rest = _mm256_and_si256(_mm256_slli_epi32(code, 22), _mm256_set1_epi32(0x01c00000));
    return _mm256_mul_ps(_mm256_castsi256_ps(_mm256_or_si256(sign, rest)), vf_set(0x1p126f));
}
INLINE vf vf_add(vf a, vf b) { return _mm256_add_ps(a, b); }
INLINE vf vf_sub(vf a, vf b) { return _mm256_sub_ps(a, b); }
INLINE vf vf_mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
INLINE vf vf_div(vf a, vf b) { return _mm256_div_ps(a, b); }
INLINE vf vf_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
INLINE vf vf_fnma(vf a, vf b, vf c) { return _mm256_fnmadd_ps(a, b, c); }
INLINE vf vf_min(vf a, vf b) { return _mm256_min_ps(a, b); } // b where one is NaN
INLINE vf vf_max(vf a, vf b) { return _mm256_max_ps(a, b); } // b where one is NaN
INLINE vf vf_negate(vf a) { return _mm256_xor_ps(a, _mm256_set1_ps(-0.0f)); }
INLINE vf vf_from_ints(vi v) { return _mm256_cvtepi32_ps(v); }
// x where x > limit, +0 elsewhere (also where x is NaN).
INLINE vf vf_above(vf x, float limit) { return _mm256_and_ps(_mm256_cmp_ps(x, vf_set(limit), _CMP_GT_OQ), x); }
// v where x > limit, +0 where x <= limit, x where x is NaN.
INLINE vf vf_above_or_nan(vf x, float limit, vf v) {
    vf live = _mm256_and_ps(_mm256_cmp_ps(x, vf_set(limit), _CMP_GT_OQ), v);
    return _mm256_blendv_ps(live, x, _mm256_cmp_ps(x, x, _CMP_UNORD_Q));
}
INLINE vf power_of_two(vi n) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(n, _mm256_set1_epi32(127)), 23));
}
// p * 2^n for integral n in [-151, 129], as (p * 2^a) * 2^b with a = n / 2 rounded down.
INLINE vf vf_times_power_of_two(vf p, vf n) {
    vi whole = _mm256_cvtps_epi32(n), a = _mm256_srai_epi32(whole, 1), b = _mm256_sub_epi32(whole, a);
    return vf_mul(vf_mul(p, power_of_two(a)), power_of_two(b));
}
INLINE float tree8(__m256 v) {
    __m128 x = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    x = _mm_add_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
}
// The tree of rule D over 32 partial sums.
INLINE float vf_tree(const vf s[GROUPS]) { return tree8(vf_add(vf_add(s[0], s[2]), vf_add(s[1], s[3]))); }

// Integers.
INLINE vi vi_zero(void) { return _mm256_setzero_si256(); }
INLINE vi vi_set(int v) { return _mm256_set1_epi32(v); }
INLINE vi vi_add(vi a, vi b) { return _mm256_add_epi32(a, b); }
INLINE vi vi_load(const void* p) { return _mm256_loadu_si256(p); }
INLINE void vi_store(void* p, vi v) { _mm256_storeu_si256(p, v); }
INLINE vi vi_low_nibbles(vi v) { return _mm256_and_si256(v, _mm256_set1_epi8(15)); }
INLINE vi vi_high_nibbles(vi v) { return _mm256_and_si256(_mm256_srli_epi16(v, 4), _mm256_set1_epi8(15)); }
// Bits of each byte of `plane`, `mask` from bit `from` on, moved to bit `to` on, beside what `word` has.
INLINE vi vi_with(vi word, vi plane, const int mask, const int from, const int to) {
    vi moved = from < to   ? _mm256_slli_epi16(plane, to - from)
               : from > to ? _mm256_srli_epi16(plane, from - to)
                           : plane;
    return _mm256_or_si256(word, _mm256_and_si256(moved, _mm256_set1_epi8((char)(mask << to))));
}
// A table of 16 bytes with `add` added to each, and what it has at the places that the bytes of `word` name.
INLINE vi vi_table(const int8_t* table, int add) {
    return _mm256_broadcastsi128_si256(_mm_add_epi8(_mm_loadu_si128((const void*)table), _mm_set1_epi8((char)add)));
}
INLINE vi vi_lookup(vi table, vi word) { return _mm256_shuffle_epi8(table, word); }
// Signed bytes as this variant multiplies them: as they are.
enum { BYTE_OFFSET = 0 };
INLINE vi vi_bytes(vi v) { return v; }
INLINE vi vi_four(const int8_t* q) {
    int v;
    memcpy(&v, q, 4);
    return _mm256_set1_epi32(v);
}

// Sums of pairs of products of bytes, 16 bits each. Weights are unsigned where there is room to add `room` such sums;
// else they are signed, and their signs go to the activations (|w| <= 128 and |x| <= 127, so a pair still fits).
INLINE vi pair_sums(const int room, vi w, vi x) {
    return room ? _mm256_maddubs_epi16(w, x) : _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(x, w));
}
INLINE vi add_widened(vi sum, vi pairs) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

// A sum of products of bytes.
typedef struct {
    vi wide;  // 32 bits each
    vi pairs; // not yet added to it, 16 bits each
} Sum;

// Step `i` of `steps` of a sum: adds the products of four weights and four activations to each lane. `room`: how many
// sums of pairs fit 16 bits, 0 for signed weights.
INLINE void sum_step(const int room, const int steps, const int i, Sum* s, vi w, vi x) {
    const int each = room ? least(room, steps) : 1;
    vi pairs = pair_sums(room, w, x);
    s->pairs = i % each ? _mm256_add_epi16(s->pairs, pairs) : pairs;
    if (i % each == each - 1) s->wide = add_widened(s->wide, s->pairs);
}

// Rule B: the largest bit pattern among 32 numbers without their signs; NaN is above infinity.
INLINE int vi_largest_magnitude(const vf x[GROUPS]) {
    const vi magnitude = _mm256_set1_epi32(INT32_MAX);
    vi most = vi_zero();
    for (int g = 0; g < GROUPS; g++)
        most = _mm256_max_epi32(most, _mm256_and_si256(_mm256_castps_si256(x[g]), magnitude));
    __m128i m = _mm_max_epi32(_mm256_castsi256_si128(most), _mm256_extracti128_si256(most, 1));
    m = _mm_max_epi32(m, _mm_shuffle_epi32(m, 0x4e));
    return _mm_cvtsi128_si32(_mm_max_epi32(m, _mm_shuffle_epi32(m, 0xb1)));
}
// Rounds 32 numbers to the nearest integer, to even, and stores them as bytes.
INLINE void vi_store_rounded(int8_t* q, const vf x[GROUPS]) {
    vi low = _mm256_packs_epi32(_mm256_cvtps_epi32(x[0]), _mm256_cvtps_epi32(x[1]));
    vi high = _mm256_packs_epi32(_mm256_cvtps_epi32(x[2]), _mm256_cvtps_epi32(x[3]));
    vi bytes = _mm256_packs_epi16(low, high); // in fours: 0 2 4 6 of the lower halves, then 1 3 5 7
    vi_store(q, _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7)));
}

// Rule F: adds 8 terms below 2^24 in fixed point; returns 0 if there were others, which are left out.
INLINE int vf_add_fixed(vf v, int64_t* sums) {
    float terms[LANES];
    vf_store(terms, v);
    int whole = 1;
    for (int i = 0; i < LANES; i++) {
        if (terms[i] < 0x1p24f && terms[i] > -0x1p24f) {
            sums[i] += _mm_cvtsd_si64(_mm_set_sd((double)terms[i] * 0x1p32)); // to the nearest, to even
        } else {
            whole = 0;
        }
    }
    return whole;
}
