// What a tile of an integer-coded type consists of (TileForm.java and TileLayout.java have the same), and how a group
// of its rows becomes what rule C multiplies: bytes, scales and minima. Rows of weights are lanes.
#pragma once

// Parts of the codes of 32 columns, in this order: the lower four bits, the next two, the next one; or whole bytes.
enum { NIBBLES = 1, PAIRS = 2, BITS = 4, BYTES = 8 };

// What stands before 256 columns (the head), what stands behind the codes of 32 columns, and what that means.
typedef enum {
    HALF,                      // 32 f16 d: dw = d
    HALF_AND_OFFSET,           // 32 f16 d, 32 f16 m: dw = d, mw = m
    BFLOAT,                    // 32 bf16 d: dw = d
    EXPONENT,                  // 32 bytes e: dw = 2^(e - 128)
    UNIT,                      // head: 32 f16 d. 32 s8 s: dw = d * s
    TWO_UNITS,                 // head: 32 f16 d. 32 s8 s of columns 0-15, 32 of columns 16-31: dw = d * s
    UNIT_AND_OFFSET,           // head: 32 f16 d, 32 f16 dmin. 32 u8 s, 32 u8 m: dw = d * s, mw = -(dmin * m)
    UNIT_AND_OFFSET_IN_NIBBLES // the same for columns 0-15, then for 16-31; a byte has s below and m above
} Scales;

// Integers that four bits stand for: IQ4's, closer together around zero; and twice the values of a float of sign, two
// bits of exponent and one of fraction.
static const int8_t UNEVEN[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
static const int8_t E2M1[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

typedef struct {
    int planes; // of the codes
    Scales scales;
    int offset;          // what is multiplied is this much larger than the integers of rule C
    int room;            // as in sum_step: 4 if what is multiplied is below 32, 2 if it is below 64, else 0
    const int8_t* table; // the integers that codes stand for, if they are no numbers
} Coding;

static const Coding CODINGS[CODED_TYPES] = {
    [Q4_0] = {NIBBLES, HALF, .offset = 8, .room = 4},
    [Q8_0] = {BYTES, HALF, .offset = BYTE_OFFSET, .room = 0},
    [Q6_K] = {NIBBLES | PAIRS, TWO_UNITS, .offset = 32, .room = 2},
    [Q4_K] = {NIBBLES, UNIT_AND_OFFSET, .offset = 0, .room = 4},
    [Q5_K] = {NIBBLES | BITS, UNIT_AND_OFFSET, .offset = 0, .room = 4},
    [Q4_1] = {NIBBLES, HALF_AND_OFFSET, .offset = 0, .room = 4},
    [Q5_0] = {NIBBLES | BITS, HALF, .offset = 16, .room = 4},
    [Q5_1] = {NIBBLES | BITS, HALF_AND_OFFSET, .offset = 0, .room = 4},
    [Q2_K] = {PAIRS, UNIT_AND_OFFSET_IN_NIBBLES, .offset = 0, .room = 4},
    [Q3_K] = {PAIRS | BITS, TWO_UNITS, .offset = 4, .room = 4},
    [IQ4_NL] = {NIBBLES, HALF, .offset = BYTE_OFFSET, .room = 0, .table = UNEVEN},
    [IQ4_XS] = {NIBBLES, UNIT, .offset = BYTE_OFFSET, .room = 0, .table = UNEVEN},
    [MXFP4] = {NIBBLES, EXPONENT, .offset = 12, .room = 4, .table = E2M1},
    [INT4] = {NIBBLES, BFLOAT, .offset = 8, .room = 4},
};

// ---- Sizes

INLINE int has_head(Coding c) { return c.scales >= UNIT; }

// Bytes before 256 columns.
INLINE int head_bytes(Coding c) { return !has_head(c) ? 0 : c.scales == UNIT || c.scales == TWO_UNITS ? 64 : 128; }

// Scales in 32 columns.
INLINE int parts_of(Coding c) { return c.scales == TWO_UNITS || c.scales == UNIT_AND_OFFSET_IN_NIBBLES ? 2 : 1; }

// Whether the type has mw.
INLINE int has_minima(Coding c) {
    return c.scales == HALF_AND_OFFSET || c.scales == UNIT_AND_OFFSET || c.scales == UNIT_AND_OFFSET_IN_NIBBLES;
}

// Where parts of 32 columns begin.
INLINE int pairs_at(Coding c) { return c.planes & NIBBLES ? 512 : 0; }
INLINE int bits_at(Coding c) { return pairs_at(c) + (c.planes & PAIRS ? 256 : 0); }
INLINE int scales_at(Coding c) { return bits_at(c) + (c.planes & BITS ? 128 : 0) + (c.planes & BYTES ? 1024 : 0); }

// Bytes of 32 columns without the head.
INLINE int unit_bytes(Coding c) {
    return scales_at(c) + (c.scales == EXPONENT || c.scales == UNIT ? 32 : c.scales == HALF_AND_OFFSET ? 128 : 64);
}

static int64_t tile_bytes(int type, int columns) {
    const Coding c = CODINGS[type];
    return (int64_t)columns / UNIT_COLUMNS * unit_bytes(c) + (int64_t)columns / SEGMENT * head_bytes(c);
}

// ---- Groups of rows

// Word `k` of 8 of one unit for a group of rows: the codes of four columns, one in a byte, as they are multiplied.
INLINE vi unit_word(const Coding c, const uint8_t* unit, int group, const int k) {
    const uint8_t* p = unit + 4 * LANES * group;
    if (c.planes & BYTES) return vi_bytes(vi_load(p + 128 * k));
    vi word = vi_zero();
    int bits = 0;
    if (c.planes & NIBBLES) {
        vi nibbles = vi_load(p + 128 * (k % 4));
        word = k < 4 ? vi_low_nibbles(nibbles) : vi_high_nibbles(nibbles);
        bits = 4;
    }
    if (c.planes & PAIRS) {
        word = vi_with(word, vi_load(p + pairs_at(c) + 128 * (k / 4)), 3, 2 * (k % 4), bits);
        bits += 2;
    }
    if (c.planes & BITS) word = vi_with(word, vi_load(p + bits_at(c)), 1, k, bits);
    return c.table ? vi_lookup(vi_table(c.table, c.offset), word) : word;
}

// The scales dw of rule C of a group of rows. `part`: of the unit's columns.
INLINE vf unit_scale(const Coding c, const uint8_t* head, const uint8_t* unit, int group, const int part) {
    const int row = LANES * group;
    const uint8_t* p = unit + scales_at(c);
    switch (c.scales) {
        case HALF:
        case HALF_AND_OFFSET: return vf_load_f16(p + 2 * row);
        case BFLOAT: return vf_load_bf16(p + 2 * row);
        case EXPONENT: return vf_load_exponents(p + row);
        case UNIT:
        case TWO_UNITS: return vf_mul(vf_load_f16(head + 2 * row), vf_load_s8(p + 32 * part + row));
        case UNIT_AND_OFFSET: return vf_mul(vf_load_f16(head + 2 * row), vf_load_u8(p + row));
        default: return vf_mul(vf_load_f16(head + 2 * row), vf_load_low_u4(p + 32 * part + row));
    }
}

// The negative minima of rule C, -mw, of a group of rows.
INLINE vf unit_minimum(const Coding c, const uint8_t* head, const uint8_t* unit, int group, const int part) {
    const int row = LANES * group;
    const uint8_t* p = unit + scales_at(c);
    switch (c.scales) {
        case HALF_AND_OFFSET: return vf_negate(vf_load_f16(p + 64 + 2 * row));
        case UNIT_AND_OFFSET: return vf_mul(vf_load_f16(head + 64 + 2 * row), vf_load_u8(p + 32 + row));
        case UNIT_AND_OFFSET_IN_NIBBLES:
            return vf_mul(vf_load_f16(head + 64 + 2 * row), vf_load_high_u4(p + 32 * part + row));
        default: return vf_zero();
    }
}
