// Integer arithmetic: exact, wrapping, all 32 lanes at a time.
#include <algorithm>
#include <type_traits>

#include "machine.h"
#include "operations.h"

namespace emulator {
namespace {
template <class T, class F>
void unary(Context& c, const Instruction& in, u32 lanes) {
    T* d = out<T>(c, in);
    const T* a = arg<T>(c, in, 1);
    F f;
    EACH_LANE(d[i] = f(a[i]));
}
template <class T, class F>
void binary(Context& c, const Instruction& in, u32 lanes) {
    T* d = out<T>(c, in);
    const T *a = arg<T>(c, in, 1), *b = arg<T>(c, in, 2);
    F f;
    EACH_LANE(d[i] = f(a[i], b[i]));
}
template <class T, class F>
void ternary(Context& c, const Instruction& in, u32 lanes) {
    T* d = out<T>(c, in);
    const T *a = arg<T>(c, in, 1), *b = arg<T>(c, in, 2), *e = arg<T>(c, in, 3);
    F f;
    EACH_LANE(d[i] = f(a[i], b[i], e[i]));
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
#define TERNARY(NAME, RESULT)               \
    struct NAME {                           \
        template <class T>                  \
        T operator()(T a, T b, T c) const { \
            return (T)(RESULT);             \
        }                                   \
    }
UNARY(Negate, -a);
UNARY(Absolute, a < 0 ? -a : a);
BINARY(Add, a + b);
BINARY(Subtract, a - b);
BINARY(Multiply, a* b);
BINARY(MultiplyHigh, ((__int128)a * (__int128)b) >> (8 * sizeof(T)));
BINARY(Minimum, a < b ? a : b);
BINARY(Maximum, a > b ? a : b);
BINARY(Divide, b == 0 ? (T)-1 : (T)(a / b));
BINARY(Remainder, b == 0 ? a : (T)(a % b));
TERNARY(MultiplyAdd, a* b + c);
TERNARY(MultiplyAddHigh, (T)(((__int128)a * (__int128)b) >> (8 * sizeof(T))) + c);
TERNARY(AbsoluteDifference, c + (a < b ? b - a : a - b));
struct Multiply24 {
    template <class T>
    T operator()(T a, T b) const {
        const int unused = 8 * sizeof(T) - 24;
        return (T)((T)(a << unused) >> unused) * (T)((T)(b << unused) >> unused);
    }
};

template <template <class, class> class Shape, class F>
Operation ofType(Type type) {
    switch (type) {
        case B16:
        case U16: return Shape<u16, F>::run;
        case S16: return Shape<s16, F>::run;
        case B32:
        case U32: return Shape<u32, F>::run;
        case S32: return Shape<s32, F>::run;
        case B64:
        case U64: return Shape<u64, F>::run;
        case S64: return Shape<s64, F>::run;
        default: return nullptr;
    }
}
template <class T, class F>
struct Unary {
    static constexpr Operation run = unary<T, F>;
};
template <class T, class F>
struct Binary {
    static constexpr Operation run = binary<T, F>;
};
template <class T, class F>
struct Ternary {
    static constexpr Operation run = ternary<T, F>;
};

template <class Narrow, class Wide, bool ADD>
void wide(Context& c, const Instruction& in, u32 lanes) {
    Wide* d = out<Wide>(c, in);
    const Narrow *a = arg<Narrow>(c, in, 1), *b = arg<Narrow>(c, in, 2);
    if (ADD) {
        const Wide* e = arg<Wide>(c, in, 3);
        EACH_LANE(d[i] = (Wide)a[i] * (Wide)b[i] + e[i]);
    } else {
        EACH_LANE(d[i] = (Wide)a[i] * (Wide)b[i]);
    }
}

template <class T>
void extended(Context& c, const Instruction& in, u32 lanes) {
    using Double = unsigned __int128;
    const int bits = 8 * sizeof(T);
    auto op = (Carry)in.variant;
    bool product = op == Carry::MULTIPLY_LOW || op == Carry::MULTIPLY_HIGH;
    T* d = out<T>(c, in);
    const T *a = arg<T>(c, in, 1), *b = arg<T>(c, in, 2), *e = product ? arg<T>(c, in, 3) : nullptr;
    ONE_BY_ONE {
        u8& carry = c.warp->carry[i];
        Double carried = in.variant2 ? carry : 0, result;
        if (product) {
            Double whole = (Double)a[i] * b[i];
            result = (Double)(T)(op == Carry::MULTIPLY_LOW ? whole : whole >> bits) + e[i] + carried;
        } else {
            result = op == Carry::ADD ? (Double)a[i] + b[i] + carried : (Double)a[i] - b[i] - carried;
        }
        d[i] = (T)result;
        if (in.flag) carry = (u8)(result >> bits & 1);
    }
}

template <bool SIGNED_A, bool SIGNED_B>
void dot4(Context& c, const Instruction& in, u32 lanes) {
    u32* d = out<u32>(c, in);
    const u32 *a = arg<u32>(c, in, 1), *b = arg<u32>(c, in, 2), *e = arg<u32>(c, in, 3);
    EACH_LANE(u32 sum = e[i]; for (int k = 0; k < 4; k++) {
        int x = SIGNED_A ? (s8)(a[i] >> 8 * k) : (int)(a[i] >> 8 * k & 255);
        int y = SIGNED_B ? (s8)(b[i] >> 8 * k) : (int)(b[i] >> 8 * k & 255);
        sum += x * y;
    } d[i] = sum);
}
void dot4ofTypes(Context& c, const Instruction& in, u32 lanes) {
    static constexpr Operation forms[] = {dot4<false, false>, dot4<false, true>, dot4<true, false>, dot4<true, true>};
    forms[2 * isSigned(in.type) + isSigned(in.sourceType)](c, in, lanes);
}
void dot2(Context& c, const Instruction& in, u32 lanes) {
    u32* d = out<u32>(c, in);
    const u32 *a = arg<u32>(c, in, 1), *b = arg<u32>(c, in, 2), *e = arg<u32>(c, in, 3);
    ONE_BY_ONE {
        u32 sum = e[i];
        for (int k = 0; k < 2; k++) {
            int x = isSigned(in.type) ? (s16)(a[i] >> 16 * k) : (int)(a[i] >> 16 * k & 65535);
            u32 byte = b[i] >> 8 * (k + 2 * in.flag);
            sum += x * (isSigned(in.sourceType) ? (s8)byte : (int)(byte & 255));
        }
        d[i] = sum;
    }
}
}  // namespace

Operation integerUnary(const std::string& name, Type type) {
    return name == "neg" ? ofType<Unary, Negate>(type) : name == "abs" ? ofType<Unary, Absolute>(type) : nullptr;
}

Operation integerBinary(const std::string& name, Type type) {
    if (name == "add") return ofType<Binary, Add>(type);
    if (name == "sub") return ofType<Binary, Subtract>(type);
    if (name == "mul") return ofType<Binary, Multiply>(type);
    if (name == "mulhi") return ofType<Binary, MultiplyHigh>(type);
    if (name == "mul24") return type == U32 ? binary<u32, Multiply24> : type == S32 ? binary<s32, Multiply24> : nullptr;
    if (name == "min") return ofType<Binary, Minimum>(type);
    if (name == "max") return ofType<Binary, Maximum>(type);
    if (name == "div") return ofType<Binary, Divide>(type);
    if (name == "rem") return ofType<Binary, Remainder>(type);
    return nullptr;
}

Operation integerTernary(const std::string& name, Type type) {
    if (name == "mad") return ofType<Ternary, MultiplyAdd>(type);
    if (name == "madhi") return ofType<Ternary, MultiplyAddHigh>(type);
    if (name == "sad") return ofType<Ternary, AbsoluteDifference>(type);
    return nullptr;
}

Operation wideMultiply(Type type, bool add) {
    switch (type) {
        case U16: return add ? wide<u16, u32, true> : wide<u16, u32, false>;
        case S16: return add ? wide<s16, s32, true> : wide<s16, s32, false>;
        case U32: return add ? wide<u32, u64, true> : wide<u32, u64, false>;
        case S32: return add ? wide<s32, s64, true> : wide<s32, s64, false>;
        default: return nullptr;
    }
}

Operation carryArithmetic(Type type) {
    return bytesOf(type) == 4 ? extended<u32> : bytesOf(type) == 8 ? extended<u64> : nullptr;
}
Operation dotProduct4() { return dot4ofTypes; }
Operation dotProduct2() { return dot2; }
}  // namespace emulator
