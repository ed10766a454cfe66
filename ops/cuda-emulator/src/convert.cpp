// cvt: between all number types, with the four roundings. Usual pairs have loops that vectorise.
#include <limits>

#include "machine.h"
#include "operations.h"

namespace emulator {
namespace {
double wholeNumber(double v, Rounding rounding) {
    switch (rounding) {
        case Rounding::ZERO: return std::trunc(v);
        case Rounding::DOWN: return std::floor(v);
        case Rounding::UP: return std::ceil(v);
        default: return std::nearbyint(v);
    }
}
float roundedFloat(double v, Rounding rounding) {
    float f = (float)v;
    if (rounding == Rounding::NEAREST || (double)f == v || !std::isfinite(f)) return f;
    if (rounding == Rounding::ZERO) return std::fabs((double)f) > std::fabs(v) ? std::nextafterf(f, 0) : f;
    if (rounding == Rounding::DOWN) return (double)f > v ? std::nextafterf(f, -INFINITY) : f;
    return (double)f < v ? std::nextafterf(f, INFINITY) : f;
}

template <class T>
u64 clamped(double v, u64 ofNan) {
    using Limits = std::numeric_limits<T>;
    if (v != v) return ofNan;
    if (v <= (double)Limits::min()) return (u64)(s64)Limits::min();
    if (v >= (double)Limits::max()) return (u64)(s64)Limits::max();
    return (u64)(s64)(T)v;
}
// Out of range: the nearest number of the type. NaN: 0, but 2^63 where 64-bit numbers or doubles take part.
u64 toInteger(double v, Type type, bool fromDouble) {
    const u64 top = 1ull << 63;
    switch (type) {
        case B8:
        case U8: return clamped<u8>(v, 0);
        case S8: return clamped<s8>(v, 0);
        case B16:
        case U16: return clamped<u16>(v, 0);
        case S16: return clamped<s16>(v, 0);
        case B32:
        case U32: return clamped<u32>(v, fromDouble ? 0x80000000u : 0);
        case S32: return clamped<s32>(v, fromDouble ? 0x80000000u : 0);
        case B64:
        case U64: return v >= 0x1p63 && v < 0x1p64 ? (u64)v : clamped<u64>(v, top);
        default: return clamped<s64>(v, top);
    }
}

double readFloat(u64 bits, Type type, bool ftz) {
    switch (type) {
        case F16: return halfToFloat((u16)bits);
        case BF16: return bfloatToFloat((u16)bits);
        case F64: return bitCast<double>(bits);
        default: return ftz ? flushed(bitCast<float>((u32)bits)) : bitCast<float>((u32)bits);
    }
}
u64 writeFloat(double v, const Instruction& in, Rounding rounding) {
    switch (in.type) {
        case F16: return doubleToHalf(v);
        case BF16: return doubleToBfloat(v);
        case F64: return bitCast<u64>(v);
        default: {
            float f = canonicalNan(roundedFloat(v, rounding));
            return bitCast<u32>(in.ftz ? flushed(f) : f);
        }
    }
}

u64 extended(u64 bits, Type type) {
    int unused = 64 - 8 * bytesOf(type);
    return isSigned(type) ? (u64)((s64)(bits << unused) >> unused) : bits << unused >> unused;
}

u64 convertOne(u64 bits, const Instruction& in) {
    auto rounding = (Rounding)(in.variant & 7);
    bool whole = in.variant & 8;
    if (isFloat(in.sourceType)) {
        double v = readFloat(bits, in.sourceType, in.ftz);
        if (!isFloat(in.type)) return toInteger(wholeNumber(v, rounding), in.type, in.sourceType == F64);
        if (whole) v = wholeNumber(v, rounding);
        if (in.saturate) v = v > 0 ? (v < 1 ? v : 1) : 0;
        return writeFloat(v, in, whole ? Rounding::NEAREST : rounding);
    }
    u64 value = extended(bits, in.sourceType);
    bool negative = isSigned(in.sourceType);
    if (isFloat(in.type)) {
        if (in.type == F32 && rounding == Rounding::NEAREST) {
            return bitCast<u32>(negative ? (float)(s64)value : (float)value);
        }
        return writeFloat(negative ? (double)(s64)value : (double)value, in, rounding);
    }
    if (in.saturate) return toInteger(negative ? (double)(s64)value : (double)value, in.type, false);
    return extended(value, in.type);
}

void anyToAny(Context& c, const Instruction& in, u32 lanes) {
    const Operand &to = in.operands[0], &from = in.operands[1];
    const u8* source = arg<u8>(c, in, 1);
    ONE_BY_ONE {
        u64 bits = 0;
        memcpy(&bits, source + (size_t)i * from.size, from.size);
        u64 result = convertOne(bits, in);
        memcpy(c.registers + to.offset + (size_t)i * to.size, &result, to.size);
    }
}

template <class To, class From>
void simple(Context& c, const Instruction& in, u32 lanes) {
    To* d = out<To>(c, in);
    const From* a = arg<From>(c, in, 1);
    EACH_LANE(d[i] = (To)a[i]);
}
void halfToSingle(Context& c, const Instruction& in, u32 lanes) {
    float* d = out<float>(c, in);
    const u16* a = arg<u16>(c, in, 1);
    EACH_LANE(d[i] = canonicalNan(halfToFloat(a[i])));
}

u32 packed(Type type, float high, float low) {
    switch (type) {
        case F16X2: return (u32)floatToHalf(high) << 16 | floatToHalf(low);
        case BF16X2: return (u32)floatToBfloat(high) << 16 | floatToBfloat(low);
        default: return (u32)floatToFp8(high, type == E4M3X2) << 8 | floatToFp8(low, type == E4M3X2);
    }
}
void pair(Context& c, const Instruction& in, u32 lanes) {
    const float *high = arg<float>(c, in, 1), *low = arg<float>(c, in, 2);
    ONE_BY_ONE {
        float x = high[i], y = low[i];
        if (in.flag && !(x > 0)) x = 0;
        if (in.flag && !(y > 0)) y = 0;
        u32 both = packed(in.type, x, y);
        if (bytesOf(in.type) == 4)
            out<u32>(c, in)[i] = both;
        else
            out<u16>(c, in)[i] = (u16)both;
    }
}
void fp8Pair(Context& c, const Instruction& in, u32 lanes) {
    const u16* a = arg<u16>(c, in, 1);
    bool e4m3 = in.sourceType == E4M3X2;
    ONE_BY_ONE {
        u16 high = floatToHalf(fp8ToFloat(a[i] >> 8, e4m3)), low = floatToHalf(fp8ToFloat((u8)a[i], e4m3));
        out<u32>(c, in)[i] = (u32)high << 16 | low;
    }
}

Operation simpleOf(Type to, Type from, bool rounds) {
    bool word = to == U32 || to == S32 || to == B32;
    if (to == F32 && from == F16) return halfToSingle;
    if (to == F32 && from == S32 && !rounds) return simple<float, s32>;
    if (to == F32 && from == U32 && !rounds) return simple<float, u32>;
    if (to == F64 && from == F32) return simple<double, float>;
    if ((to == S64 || to == U64) && from == S32) return simple<s64, s32>;
    if ((to == S64 || to == U64) && from == U32) return simple<u64, u32>;
    if (word && (from == U64 || from == S64)) return simple<u32, u64>;
    if (word && from == U16) return simple<u32, u16>;
    if (word && from == S16) return simple<s32, s16>;
    if (to == U16 && from == U32) return simple<u16, u32>;
    return nullptr;
}
}  // namespace

Operation convert(const Instruction& in) {
    bool plain = in.operands[0].size == bytesOf(in.type) && in.operands[1].size == bytesOf(in.sourceType) &&
                 !in.saturate && !in.ftz;
    Operation fast = plain ? simpleOf(in.type, in.sourceType, in.variant & 7) : nullptr;
    return fast ? fast : anyToAny;
}
Operation convertPair() { return pair; }
Operation convertFp8Pair() { return fp8Pair; }
}  // namespace emulator
