// The number types and state spaces of PTX, and the narrow floating-point formats.
#pragma once
#include <immintrin.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>

namespace emulator {
using u8 = uint8_t;
using u16 = uint16_t;
using u32 = uint32_t;
using u64 = uint64_t;
using s8 = int8_t;
using s16 = int16_t;
using s32 = int32_t;
using s64 = int64_t;

constexpr int warpSize = 32;

enum Type : u8 {
    NONE,
    B8,
    U8,
    S8,
    B16,
    U16,
    S16,
    F16,
    BF16,
    B32,
    U32,
    S32,
    F32,
    F16X2,
    BF16X2,
    E4M3X2,
    E5M2X2,
    B64,
    U64,
    S64,
    F64,
    PRED
};
enum Space : u8 { GENERIC, GLOBAL, SHARED, LOCAL, PARAM, CONSTANT };

// The type that a modifier such as "f32" names, or NONE.
Type typeNamed(const std::string& name);
int bytesOf(Type type);

inline bool isSigned(Type t) { return t == S8 || t == S16 || t == S32 || t == S64; }
inline bool isFloat(Type t) { return t == F16 || t == BF16 || t == F32 || t == F64; }
inline bool isHalf(Type t) { return t == F16 || t == BF16 || t == F16X2 || t == BF16X2; }

template <class To, class From>
inline To bitCast(From from) {
    static_assert(sizeof(To) == sizeof(From), "sizes differ");
    To to;
    memcpy(&to, &from, sizeof to);
    return to;
}

// NVIDIA's arithmetic answers one NaN, whatever went in.
inline float canonicalNan(float f) { return f != f ? bitCast<float>(0x7fffffffu) : f; }
inline double canonicalNan(double d) { return d; }

// Subnormal numbers become zeros of the same sign, as instructions with .ftz want it.
inline float flushed(float f) {
    u32 bits = bitCast<u32>(f);
    return bits & 0x7f800000 ? f : bitCast<float>(bits & 0x80000000);
}

inline float halfToFloat(u16 h) { return _cvtsh_ss(h); }
inline u16 floatToHalf(float f) { return _cvtss_sh(f, _MM_FROUND_TO_NEAREST_INT); }
inline float bfloatToFloat(u16 b) { return bitCast<float>((u32)b << 16); }
inline u16 floatToBfloat(float f) {
    u32 bits = bitCast<u32>(f);
    if ((bits & 0x7fffffff) > 0x7f800000) return 0x7fff;
    return (u16)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// A float that rounds to every narrower format as the double would: the last bit is set when something was cut off.
inline float roundedToOdd(double d) {
    float f = (float)d;
    if ((double)f == d || !std::isfinite(f)) return f;
    u32 bits = bitCast<u32>(f);
    if (std::fabs((double)f) > std::fabs(d)) bits--;
    return bitCast<float>(bits | 1);
}
inline u16 doubleToHalf(double d) { return floatToHalf(roundedToOdd(d)); }
inline u16 doubleToBfloat(double d) { return floatToBfloat(roundedToOdd(d)); }

float fp8ToFloat(u8 value, bool e4m3);
// Round to nearest even; what is too large becomes the largest finite value.
u8 floatToFp8(float f, bool e4m3);
}  // namespace emulator
