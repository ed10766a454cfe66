// Floating-point arithmetic. Every instruction rounds once, as IEEE 754 says; compiled without contraction.
// Approximate instructions (rsqrt, ex2, ...) are better here than on a GPU: never compare their bits.
#include <cfenv>

#include "machine.h"
#include "operations.h"

namespace emulator {
namespace {
template <class T, class F, bool FTZ>
void unary(Context& c, const Instruction& in, u32 lanes) {
    T* d = out<T>(c, in);
    const T* a = arg<T>(c, in, 1);
    F f;
    if constexpr (FTZ) {
        EACH_LANE(d[i] = flushed(canonicalNan(f(flushed(a[i])))));
    } else {
        EACH_LANE(d[i] = canonicalNan(f(a[i])));
    }
}
template <class T, class F, bool FTZ>
void binary(Context& c, const Instruction& in, u32 lanes) {
    T* d = out<T>(c, in);
    const T *a = arg<T>(c, in, 1), *b = arg<T>(c, in, 2);
    F f;
    if constexpr (FTZ) {
        EACH_LANE(d[i] = flushed(canonicalNan(f(flushed(a[i]), flushed(b[i])))));
    } else {
        EACH_LANE(d[i] = canonicalNan(f(a[i], b[i])));
    }
}
template <class T, bool FTZ>
void fused(Context& c, const Instruction& in, u32 lanes) {
    T* d = out<T>(c, in);
    const T *a = arg<T>(c, in, 1), *b = arg<T>(c, in, 2), *e = arg<T>(c, in, 3);
    if constexpr (sizeof(T) == 8) {
        EACH_LANE(d[i] = __builtin_fma(a[i], b[i], e[i]));
    } else if constexpr (FTZ) {
        EACH_LANE(d[i] = flushed(canonicalNan(__builtin_fmaf(flushed(a[i]), flushed(b[i]), flushed(e[i])))));
    } else {
        EACH_LANE(d[i] = canonicalNan(__builtin_fmaf(a[i], b[i], e[i])));
    }
}

#define UNARY(NAME, RESULT)       \
    struct NAME {                 \
        template <class T>        \
        T operator()(T a) const { \
            return (T)(RESULT);   \
        }                         \
    }
#define BINARY(NAME, RESULT)           \
    struct NAME {                      \
        template <class T>             \
        T operator()(T a, T b) const { \
            return (T)(RESULT);        \
        }                              \
    }
UNARY(Reciprocal, (T)1 / a);
UNARY(SquareRoot, std::sqrt(a));
UNARY(ReciprocalRoot, 1.0 / std::sqrt((double)a));
UNARY(Power2, exp2((double)a));
UNARY(Logarithm2, log2((double)a));
UNARY(Sine, sin((double)a));
UNARY(Cosine, cos((double)a));
UNARY(HyperbolicTangent, tanh((double)a));
BINARY(Add, a + b);
BINARY(Subtract, a - b);
BINARY(Multiply, a* b);
BINARY(Divide, a / b);
BINARY(Minimum, a != a ? b : b != b ? a : a < b || (a == b && std::signbit(a)) ? a : b);
BINARY(Maximum, a != a ? b : b != b ? a : a > b || (a == b && !std::signbit(a)) ? a : b);

// Signs are bits: a NaN keeps its payload.
template <class Bits, bool NEGATE>
void signBit(Context& c, const Instruction& in, u32 lanes) {
    const Bits sign = (Bits)1 << (8 * sizeof(Bits) - 1);
    Bits* d = out<Bits>(c, in);
    const Bits* a = arg<Bits>(c, in, 1);
    EACH_LANE(d[i] = NEGATE ? a[i] ^ sign : a[i] & ~sign);
}
template <class Bits>
void signFrom(Context& c, const Instruction& in, u32 lanes) {  // copysign: the sign of a, the rest of b
    const Bits sign = (Bits)1 << (8 * sizeof(Bits) - 1);
    Bits* d = out<Bits>(c, in);
    const Bits *a = arg<Bits>(c, in, 1), *b = arg<Bits>(c, in, 2);
    EACH_LANE(d[i] = (a[i] & sign) | (b[i] & ~sign));
}

template <Operation BASE>
void saturated(Context& c, const Instruction& in, u32 lanes) {
    BASE(c, in, lanes);
    float* d = out<float>(c, in);
    EACH_LANE(d[i] = d[i] > 0.f ? (d[i] < 1.f ? d[i] : 1.f) : 0.f);
}

__attribute__((noinline, optimize("rounding-math"))) void fusedDirected(Context& c, const Instruction& in, u32 lanes) {
    float* d = out<float>(c, in);
    const float *a = arg<float>(c, in, 1), *b = arg<float>(c, in, 2), *e = arg<float>(c, in, 3);
    auto rounding = (Rounding)in.variant;
    fesetround(rounding == Rounding::ZERO ? FE_TOWARDZERO : rounding == Rounding::DOWN ? FE_DOWNWARD : FE_UPWARD);
    ONE_BY_ONE {
        volatile float x = a[i], y = b[i], z = e[i];
        d[i] = _mm_cvtss_f32(_mm_fmadd_ss(_mm_set_ss(x), _mm_set_ss(y), _mm_set_ss(z)));
    }
    fesetround(FE_TONEAREST);
}

template <class F>
Operation unaryOf(Type type, bool ftz) {
    if (type == F64) return unary<double, F, false>;
    return type != F32 ? nullptr : ftz ? unary<float, F, true> : unary<float, F, false>;
}
template <class F>
Operation binaryOf(Type type, bool ftz, bool saturate) {
    if (type == F64) return binary<double, F, false>;
    if (type != F32) return nullptr;
    if (saturate) return saturated<binary<float, F, false>>;
    return ftz ? binary<float, F, true> : binary<float, F, false>;
}

void half(Context& c, const Instruction& in, u32 lanes) {
    bool bfloat = in.type == BF16 || in.type == BF16X2, pair = in.type == F16X2 || in.type == BF16X2;
    int n = (int)in.operands.size();
    auto value = [&](int k, int lane) -> u32 {
        return k >= n ? 0 : pair ? arg<u32>(c, in, k)[lane] : arg<u16>(c, in, k)[lane];
    };
    ONE_BY_ONE {
        u32 x = value(1, i), y = value(2, i), z = value(3, i);
        u32 low = halfResult((HalfOp)in.variant, bfloat, x, y, z);
        if (pair) {
            out<u32>(c, in)[i] = low | (u32)halfResult((HalfOp)in.variant, bfloat, x >> 16, y >> 16, z >> 16) << 16;
        } else {
            out<u16>(c, in)[i] = low;
        }
    }
}

template <class T>
void property(Context& c, const Instruction& in, u32 lanes) {  // testp
    u8* p = out<u8>(c, in);
    const T* a = arg<T>(c, in, 1);
    ONE_BY_ONE {
        int kind = std::fpclassify(a[i]);
        bool answers[] = {std::isfinite(a[i]), kind == FP_INFINITE, kind != FP_NAN,
                          kind == FP_NAN,      kind == FP_NORMAL,   kind == FP_SUBNORMAL};
        p[i] = answers[in.variant];
    }
}
}  // namespace

Operation floatUnary(const std::string& name, Type type, bool ftz) {
    if (name == "neg") return type == F32 ? signBit<u32, true> : type == F64 ? signBit<u64, true> : nullptr;
    if (name == "abs") return type == F32 ? signBit<u32, false> : type == F64 ? signBit<u64, false> : nullptr;
    if (name == "rcp") return unaryOf<Reciprocal>(type, ftz);
    if (name == "sqrt") return unaryOf<SquareRoot>(type, ftz);
    if (name == "rsqrt") return unaryOf<ReciprocalRoot>(type, ftz);
    if (type != F32) return nullptr;
    if (name == "ex2") return unaryOf<Power2>(type, ftz);
    if (name == "lg2") return unaryOf<Logarithm2>(type, ftz);
    if (name == "sin") return unaryOf<Sine>(type, ftz);
    if (name == "cos") return unaryOf<Cosine>(type, ftz);
    if (name == "tanh") return unaryOf<HyperbolicTangent>(type, ftz);
    return nullptr;
}

Operation floatBinary(const std::string& name, Type type, bool ftz, bool saturate) {
    if (name == "add") return binaryOf<Add>(type, ftz, saturate);
    if (name == "sub") return binaryOf<Subtract>(type, ftz, saturate);
    if (name == "mul") return binaryOf<Multiply>(type, ftz, saturate);
    if (name == "div") return binaryOf<Divide>(type, ftz, false);
    if (name == "min") return binaryOf<Minimum>(type, ftz, false);
    if (name == "max") return binaryOf<Maximum>(type, ftz, false);
    return nullptr;
}

Operation multiplyAdd(Type type, Rounding rounding, bool ftz, bool saturate) {
    if (type == F64) return rounding == Rounding::NEAREST ? fused<double, false> : nullptr;
    if (type != F32) return nullptr;
    if (rounding != Rounding::NEAREST) return ftz || saturate ? nullptr : fusedDirected;
    return saturate ? saturated<fused<float, false>> : ftz ? fused<float, true> : fused<float, false>;
}

u16 halfResult(HalfOp op, bool bfloat, u16 x, u16 y, u16 z) {
    if (op == HalfOp::NEGATE) return x ^ 0x8000;
    if (op == HalfOp::ABSOLUTE) return x & 0x7fff;
    auto wide = [&](u16 h) { return (double)(bfloat ? bfloatToFloat(h) : halfToFloat(h)); };
    double a = wide(x), b = wide(y), result;
    switch (op) {
        case HalfOp::ADD: result = a + b; break;
        case HalfOp::SUBTRACT: result = a - b; break;
        case HalfOp::MULTIPLY: result = a * b; break;
        case HalfOp::FMA: result = std::fma(a, b, wide(z)); break;
        case HalfOp::MINIMUM: result = Minimum()(a, b); break;
        default: result = Maximum()(a, b); break;
    }
    return bfloat ? doubleToBfloat(result) : doubleToHalf(result);
}

Operation halfArithmetic() { return half; }
Operation testProperty(Type type) { return type == F32 ? property<float> : type == F64 ? property<double> : nullptr; }
Operation copySign(Type type) { return type == F32 ? signFrom<u32> : type == F64 ? signFrom<u64> : nullptr; }
}  // namespace emulator
