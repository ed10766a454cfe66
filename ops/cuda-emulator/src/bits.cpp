// Logic, shifts and bit fields.
#include <algorithm>
#include <type_traits>

#include "machine.h"
#include "operations.h"

namespace emulator {
namespace {
enum class Logic { AND, OR, XOR };

template <class T, Logic OP>
void logic(Context& c, const Instruction& in, u32 lanes) {
    T* d = out<T>(c, in);
    const T *a = arg<T>(c, in, 1), *b = arg<T>(c, in, 2);
    EACH_LANE(d[i] = OP == Logic::AND ? a[i] & b[i] : OP == Logic::OR ? a[i] | b[i] : a[i] ^ b[i]);
}
template <class T>
void complement(Context& c, const Instruction& in, u32 lanes) {
    T* d = out<T>(c, in);
    const T* a = arg<T>(c, in, 1);
    EACH_LANE(d[i] = ~a[i]);
}
void complementPredicate(Context& c, const Instruction& in, u32 lanes) {
    u8* d = out<u8>(c, in);
    const u8* a = arg<u8>(c, in, 1);
    EACH_LANE(d[i] = !a[i]);
}
template <Logic OP>
Operation logicOf(Type type) {
    switch (bytesOf(type)) {
        case 1: return logic<u8, OP>;  // predicates are 0 or 1
        case 2: return logic<u16, OP>;
        case 4: return logic<u32, OP>;
        case 8: return logic<u64, OP>;
        default: return nullptr;
    }
}

template <class T, bool LEFT>
void shifted(Context& c, const Instruction& in, u32 lanes) {
    const u32 bits = 8 * sizeof(T);
    T* d = out<T>(c, in);
    const T* a = arg<T>(c, in, 1);
    const u32* by = arg<u32>(c, in, 2);
    if (LEFT) {
        EACH_LANE(d[i] = by[i] >= bits ? (T)0 : (T)(a[i] << by[i]));
    } else {
        EACH_LANE(T gone = std::is_signed<T>::value && a[i] < 0 ? (T)-1 : (T)0;
                  d[i] = by[i] >= bits ? gone : (T)(a[i] >> by[i]));
    }
}
template <bool LEFT>
Operation shiftOf(Type type) {
    switch (type) {
        case B16:
        case U16: return shifted<u16, LEFT>;
        case S16: return shifted<s16, LEFT>;
        case B32:
        case U32: return shifted<u32, LEFT>;
        case S32: return shifted<s32, LEFT>;
        case B64:
        case U64: return shifted<u64, LEFT>;
        case S64: return shifted<s64, LEFT>;
        default: return nullptr;
    }
}
void funnel(Context& c, const Instruction& in, u32 lanes) {
    u32* d = out<u32>(c, in);
    const u32 *a = arg<u32>(c, in, 1), *b = arg<u32>(c, in, 2), *s = arg<u32>(c, in, 3);
    bool clamp = in.flag, right = in.variant;
    EACH_LANE(u32 by = clamp ? std::min(s[i], 32u) : s[i] & 31; u64 both = (u64)b[i] << 32 | a[i];
              d[i] = right ? (u32)(both >> by) : (u32)((both << by) >> 32));
}

template <class T>
void extract(Context& c, const Instruction& in, u32 lanes) {
    using Bits = typename std::make_unsigned<T>::type;
    const u32 width = 8 * sizeof(T);
    T* d = out<T>(c, in);
    const T* a = arg<T>(c, in, 1);
    const u32 *positions = arg<u32>(c, in, 2), *lengths = arg<u32>(c, in, 3);
    ONE_BY_ONE {
        u32 at = positions[i] & 255, length = lengths[i] & 255;
        Bits value = at < width ? (Bits)(a[i] >> at) : std::is_signed<T>::value && a[i] < 0 ? ~(Bits)0 : 0;
        if (length == 0) {
            value = 0;
        } else if (length < width) {
            Bits field = ((Bits)1 << length) - 1;
            bool negative = (Bits)a[i] >> std::min(at + length - 1, width - 1) & 1;
            value &= field;
            if (std::is_signed<T>::value && negative) value |= ~field;
        }
        d[i] = (T)value;
    }
}
template <class T>
void insert(Context& c, const Instruction& in, u32 lanes) {
    const u32 width = 8 * sizeof(T);
    T* d = out<T>(c, in);
    const T *a = arg<T>(c, in, 1), *b = arg<T>(c, in, 2);
    const u32 *positions = arg<u32>(c, in, 3), *lengths = arg<u32>(c, in, 4);
    ONE_BY_ONE {
        u32 at = positions[i] & 255, length = lengths[i] & 255;
        T result = b[i];
        if (length && at < width) {
            T field = (length >= width ? ~(T)0 : ((T)1 << length) - 1) << at;
            result = (result & ~field) | ((a[i] << at) & field);
        }
        d[i] = result;
    }
}

template <class T>
void populationCount(Context& c, const Instruction& in, u32 lanes) {
    u32* d = out<u32>(c, in);
    const T* a = arg<T>(c, in, 1);
    EACH_LANE(d[i] = __builtin_popcountll(a[i]));
}
template <class T>
void leadingZeros(Context& c, const Instruction& in, u32 lanes) {
    const u32 width = 8 * sizeof(T);
    u32* d = out<u32>(c, in);
    const T* a = arg<T>(c, in, 1);
    EACH_LANE(d[i] = a[i] ? __builtin_clzll(a[i]) - (64 - width) : width);
}
template <class T>
void highestBit(Context& c, const Instruction& in, u32 lanes) {
    u32* d = out<u32>(c, in);
    const T* a = arg<T>(c, in, 1);
    EACH_LANE(typename std::make_unsigned<T>::type v = a[i]; if (std::is_signed<T>::value && a[i] < 0) v = ~v;
              d[i] = v ? 63 - __builtin_clzll(v) : ~0u);
}
template <class T>
void reversed(Context& c, const Instruction& in, u32 lanes) {
    const u32 width = 8 * sizeof(T);
    T* d = out<T>(c, in);
    const T* a = arg<T>(c, in, 1);
    EACH_LANE(T r = 0; for (u32 k = 0; k < width; k++) r |= (a[i] >> k & 1) << (width - 1 - k); d[i] = r);
}

void permute(Context& c, const Instruction& in, u32 lanes) {
    u32* d = out<u32>(c, in);
    const u32 *a = arg<u32>(c, in, 1), *b = arg<u32>(c, in, 2), *s = arg<u32>(c, in, 3);
    EACH_LANE(u64 both = (u64)b[i] << 32 | a[i]; u32 r = 0; for (int k = 0; k < 4; k++) {
        u32 choice = s[i] >> 4 * k & 15;
        u32 byte = both >> 8 * (choice & 7) & 255;
        r |= (choice & 8 ? (byte & 128 ? 255 : 0) : byte) << 8 * k;
    } d[i] = r);
}
void lookup(Context& c, const Instruction& in, u32 lanes) {
    u32* d = out<u32>(c, in);
    const u32 *x = arg<u32>(c, in, 1), *y = arg<u32>(c, in, 2), *z = arg<u32>(c, in, 3);
    u32 table = arg<u32>(c, in, 4)[0];
    EACH_LANE(u32 r = 0; for (int k = 0; k < 8; k++) if (table >> k & 1) r |=
                         (k & 4 ? x[i] : ~x[i]) & (k & 2 ? y[i] : ~y[i]) & (k & 1 ? z[i] : ~z[i]);
              d[i] = r);
}
}  // namespace

Operation bitwise(const std::string& name, Type type) {
    if (name == "and") return logicOf<Logic::AND>(type);
    if (name == "or") return logicOf<Logic::OR>(type);
    if (name == "xor") return logicOf<Logic::XOR>(type);
    if (type == PRED) return complementPredicate;
    switch (bytesOf(type)) {
        case 2: return complement<u16>;
        case 4: return complement<u32>;
        case 8: return complement<u64>;
        default: return nullptr;
    }
}

Operation shift(const std::string& name, Type type) {
    return name == "shl" ? shiftOf<true>(type) : shiftOf<false>(type);
}
Operation funnelShift() { return funnel; }

Operation bitFieldExtract(Type type) {
    return type == U32   ? extract<u32>
           : type == S32 ? extract<s32>
           : type == U64 ? extract<u64>
           : type == S64 ? extract<s64>
                         : nullptr;
}
Operation bitFieldInsert(Type type) { return type == B32 ? insert<u32> : type == B64 ? insert<u64> : nullptr; }

Operation countBits(const std::string& name, Type type) {
    bool narrow = bytesOf(type) == 4;
    if (name == "popc") return narrow ? populationCount<u32> : populationCount<u64>;
    if (name == "clz") return narrow ? leadingZeros<u32> : leadingZeros<u64>;
    if (name == "brev") return narrow ? reversed<u32> : reversed<u64>;
    if (isSigned(type)) return narrow ? highestBit<s32> : highestBit<s64>;
    return narrow ? highestBit<u32> : highestBit<u64>;
}

Operation permuteBytes() { return permute; }
Operation threeInputLogic() { return lookup; }
}  // namespace emulator
