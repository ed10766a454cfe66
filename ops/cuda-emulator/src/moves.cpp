// Comparisons, selections, and moves between registers.
#include "machine.h"
#include "operations.h"

namespace emulator {
namespace {
template <Compare HOW, class T>
inline bool holds(T a, T b) {
    bool unordered = a != a || b != b;
    switch (HOW) {
        case Compare::EQ: return a == b;
        case Compare::NE: return a != b && !unordered;
        case Compare::LT: return a < b;
        case Compare::LE: return a <= b;
        case Compare::GT: return a > b;
        case Compare::GE: return a >= b;
        case Compare::EQU: return unordered || a == b;
        case Compare::NEU: return unordered || a != b;
        case Compare::LTU: return unordered || a < b;
        case Compare::LEU: return unordered || a <= b;
        case Compare::GTU: return unordered || a > b;
        case Compare::GEU: return unordered || a >= b;
        case Compare::NUM: return !unordered;
        default: return unordered;
    }
}

inline bool combined(Combine how, bool a, bool b) {
    switch (how) {
        case Combine::AND: return a && b;
        case Combine::OR: return a || b;
        case Combine::XOR: return a != b;
        default: return a;
    }
}

template <class T, Compare HOW>
void compared(Context& c, const Instruction& in, u32 lanes) {
    u8* p = out<u8>(c, in);
    const T *a = arg<T>(c, in, 2), *b = arg<T>(c, in, 3);
    auto how = (Combine)in.variant2;
    bool inverse = in.operands[1].present();
    if (how == Combine::NOTHING && !inverse) {
        EACH_LANE(p[i] = holds<HOW>(a[i], b[i]));
        return;
    }
    const u8* e = how == Combine::NOTHING ? nullptr : arg<u8>(c, in, 4);
    ONE_BY_ONE {
        bool result = holds<HOW>(a[i], b[i]), with = e && (bool)e[i] != in.operands[4].negated;
        p[i] = combined(how, result, with);
        if (inverse) out<u8>(c, in, 1)[i] = combined(how, !result, with);
    }
}

template <class T>
Operation comparedAs(Compare how) {
    static constexpr Operation forms[] = {
        compared<T, Compare::EQ>,  compared<T, Compare::NE>,       compared<T, Compare::LT>,  compared<T, Compare::LE>,
        compared<T, Compare::GT>,  compared<T, Compare::GE>,       compared<T, Compare::EQU>, compared<T, Compare::NEU>,
        compared<T, Compare::LTU>, compared<T, Compare::LEU>,      compared<T, Compare::GTU>, compared<T, Compare::GEU>,
        compared<T, Compare::NUM>, compared<T, Compare::UNORDERED>};
    return forms[(int)how];
}

template <class T>
void selected(Context& c, const Instruction& in, u32 lanes) {
    T* d = out<T>(c, in);
    const T *a = arg<T>(c, in, 1), *b = arg<T>(c, in, 2);
    const u8* p = arg<u8>(c, in, 3);
    EACH_LANE(d[i] = p[i] ? a[i] : b[i]);
}
template <class T>
void selectedBySign(Context& c, const Instruction& in, u32 lanes) {
    T* d = out<T>(c, in);
    const T *a = arg<T>(c, in, 1), *b = arg<T>(c, in, 2);
    const s32* sign = arg<s32>(c, in, 3);
    EACH_LANE(d[i] = sign[i] >= 0 ? a[i] : b[i]);
}

template <class T>
void moved(Context& c, const Instruction& in, u32 lanes) {
    T* d = out<T>(c, in);
    const T* a = arg<T>(c, in, 1);
    EACH_LANE(d[i] = a[i]);
}
template <class Whole, class Part>
void unpacked(Context& c, const Instruction& in, u32 lanes) {
    Whole whole[warpSize];
    int parts = (int)in.operands.size() - 1;
    memcpy(whole, arg<Whole>(c, in, parts), sizeof whole);
    for (int k = 0; k < parts; k++) {
        if (!in.operands[k].present()) continue;
        Part* d = out<Part>(c, in, k);
        EACH_LANE(d[i] = (Part)(whole[i] >> (8 * sizeof(Part) * k)));
    }
}
template <class Whole, class Part>
void packed(Context& c, const Instruction& in, u32 lanes) {
    Whole whole[warpSize] = {};
    for (int k = 1; k < (int)in.operands.size(); k++) {
        const Part* a = arg<Part>(c, in, k);
        for (int i = 0; i < warpSize; i++) whole[i] |= (Whole)a[i] << (8 * sizeof(Part) * (k - 1));
    }
    Whole* d = out<Whole>(c, in);
    EACH_LANE(d[i] = whole[i]);
}

u64 windowOf(Space space) { return space == SHARED ? sharedWindow : space == LOCAL ? localWindow : 0; }
void intoGeneric(Context& c, const Instruction& in, u32 lanes) {
    u64 window = windowOf(in.space);
    u64* d = out<u64>(c, in);
    const u64* a = arg<u64>(c, in, 1);
    EACH_LANE(d[i] = a[i] + window);
}
void outOfGeneric(Context& c, const Instruction& in, u32 lanes) {
    u64 window = windowOf(in.space);
    u64* d = out<u64>(c, in);
    const u64* a = arg<u64>(c, in, 1);
    EACH_LANE(d[i] = a[i] - window);
}
void none(Context&, const Instruction&, u32) {}
}  // namespace

Operation compare(Type type, Compare how) {
    switch (type) {
        case B16:
        case U16: return comparedAs<u16>(how);
        case S16: return comparedAs<s16>(how);
        case B32:
        case U32: return comparedAs<u32>(how);
        case S32: return comparedAs<s32>(how);
        case B64:
        case U64: return comparedAs<u64>(how);
        case S64: return comparedAs<s64>(how);
        case F32: return comparedAs<float>(how);
        case F64: return comparedAs<double>(how);
        default: return nullptr;
    }
}

Operation select(Type type) {
    int bytes = bytesOf(type);
    return bytes == 2 ? selected<u16> : bytes == 4 ? selected<u32> : bytes == 8 ? selected<u64> : nullptr;
}
Operation selectBySign(Type type) {
    int bytes = bytesOf(type);
    return bytes == 2 ? selectedBySign<u16> : bytes == 4 ? selectedBySign<u32> : selectedBySign<u64>;
}
Operation move(Type type) {
    switch (bytesOf(type)) {
        case 1: return moved<u8>;
        case 2: return moved<u16>;
        case 4: return moved<u32>;
        case 8: return moved<u64>;
        default: return nullptr;
    }
}
Operation unpackVector(Type whole, int parts) {
    if (bytesOf(whole) == 8) return parts == 2 ? unpacked<u64, u32> : parts == 4 ? unpacked<u64, u16> : nullptr;
    return bytesOf(whole) != 4 ? nullptr : parts == 2 ? unpacked<u32, u16> : parts == 4 ? unpacked<u32, u8> : nullptr;
}
Operation packVector(Type whole, int parts) {
    if (bytesOf(whole) == 8) return parts == 2 ? packed<u64, u32> : parts == 4 ? packed<u64, u16> : nullptr;
    return bytesOf(whole) != 4 ? nullptr : parts == 2 ? packed<u32, u16> : parts == 4 ? packed<u32, u8> : nullptr;
}
Operation toGeneric() { return intoGeneric; }
Operation fromGeneric() { return outOfGeneric; }
Operation nothing() { return none; }
}  // namespace emulator
