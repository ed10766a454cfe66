// Names and sizes of PTX's types; 8-bit floats.
#include "types.h"

#include <map>

namespace emulator {
Type typeNamed(const std::string& name) {
    static const std::map<std::string, Type> names = {
        {"b8", B8},       {"u8", U8},         {"s8", S8},         {"b16", B16},       {"u16", U16}, {"s16", S16},
        {"f16", F16},     {"bf16", BF16},     {"b32", B32},       {"u32", U32},       {"s32", S32}, {"f32", F32},
        {"f16x2", F16X2}, {"bf16x2", BF16X2}, {"e4m3x2", E4M3X2}, {"e5m2x2", E5M2X2}, {"b64", B64}, {"u64", U64},
        {"s64", S64},     {"f64", F64},       {"pred", PRED}};
    auto found = names.find(name);
    return found == names.end() ? NONE : found->second;
}

int bytesOf(Type type) {
    switch (type) {
        case B8:
        case U8:
        case S8:
        case PRED: return 1;
        case B16:
        case U16:
        case S16:
        case F16:
        case BF16:
        case E4M3X2:
        case E5M2X2: return 2;
        case B32:
        case U32:
        case S32:
        case F32:
        case F16X2:
        case BF16X2: return 4;
        case B64:
        case U64:
        case S64:
        case F64: return 8;
        default: return 0;
    }
}

float fp8ToFloat(u8 value, bool e4m3) {
    const int mantissaBits = e4m3 ? 3 : 2, bias = e4m3 ? 7 : 15;
    bool negative = value >> 7;
    int exponent = (value & 0x7f) >> mantissaBits, mantissa = value & ((1 << mantissaBits) - 1);
    float unit = (float)(1 << mantissaBits);
    if (e4m3 && exponent == 15 && mantissa == 7) return NAN;
    if (!e4m3 && exponent == 31) return mantissa ? NAN : negative ? -INFINITY : INFINITY;
    float f = exponent ? std::ldexp(1.f + mantissa / unit, exponent - bias) : std::ldexp(mantissa / unit, 1 - bias);
    return negative ? -f : f;
}

u8 floatToFp8(float f, bool e4m3) {
    if (std::isnan(f)) return 0x7f;
    u8 sign = std::signbit(f) ? 0x80 : 0;
    float size = std::fabs(f);
    int largest = e4m3 ? 0x7e : 0x7b;
    if (size >= fp8ToFloat(largest, e4m3)) return sign | largest;
    int low = 0, high = largest;
    while (high - low > 1) {
        int middle = (low + high) / 2;
        (fp8ToFloat(middle, e4m3) <= size ? low : high) = middle;
    }
    float below = size - fp8ToFloat(low, e4m3), above = fp8ToFloat(high, e4m3) - size;
    if (below == above) return sign | (low & 1 ? high : low);
    return sign | (below < above ? low : high);
}
}  // namespace emulator
