// Loads, stores, atomics and cp.async.
#include <algorithm>

#include "machine.h"
#include "operations.h"

namespace emulator {
namespace {
// Widens a loaded value to the size of its register.
template <class T>
inline void put(u8* registers, int lane, int size, T value, bool asSigned) {
    using Signed = typename std::make_signed<T>::type;
    u64 wide = asSigned ? (u64)(s64)(Signed)value : (u64)value;
    memcpy(registers + (size_t)lane * size, &wide, size);
}

template <class T, bool SAME_SIZE>
void loaded(Context& c, const Instruction& in, u32 lanes) {
    bool asSigned = isSigned(in.type);
    ONE_BY_ONE {
        u64 address = addressOf(c, in.address, i);
        const u8* p = translate(c, in, in.space, address, sizeof(T) * in.count, i, Access::READ);
        for (int k = 0; k < in.count; k++) {
            const Operand& to = in.operands[k];
            if (to.offset < 0) continue;
            T value;
            memcpy(&value, p + k * sizeof(T), sizeof(T));
            if (SAME_SIZE)
                ((T*)(c.registers + to.offset))[i] = value;
            else
                put<T>(c.registers + to.offset, i, to.size, value, asSigned);
        }
    }
}
template <class T>
void loadedParameter(Context& c, const Instruction& in, u32 lanes) {
    for (int k = 0; k < in.count; k++) {
        T value;
        memcpy(&value, c.parameters + in.address.displacement + k * sizeof(T), sizeof(T));
        const Operand& to = in.operands[k];
        ONE_BY_ONE put<T>(c.registers + to.offset, i, to.size, value, isSigned(in.type));
    }
}
template <class T>
Operation loadOf(const Instruction& in) {
    if (in.space == PARAM) return loadedParameter<T>;
    for (auto& o : in.operands) {
        if (o.offset >= 0 && o.size != sizeof(T)) return loaded<T, false>;
    }
    return loaded<T, true>;
}

template <class T>
void stored(Context& c, const Instruction& in, u32 lanes) {
    ONE_BY_ONE {
        u64 address = addressOf(c, in.address, i);
        u8* p = translate(c, in, in.space, address, sizeof(T) * in.count, i, Access::WRITE);
        for (int k = 0; k < in.count; k++) {
            const u8* from = arg<u8>(c, in, k) + (size_t)i * in.operands[k].size;
            memcpy(p + k * sizeof(T), from, sizeof(T));
        }
    }
}

template <class T>
T bitsCombined(Atomic op, T x, T y) {
    u64 a = 0, b = 0;
    memcpy(&a, &x, sizeof(T));
    memcpy(&b, &y, sizeof(T));
    a = op == Atomic::AND ? a & b : op == Atomic::OR ? a | b : a ^ b;
    T result;
    memcpy(&result, &a, sizeof(T));
    return result;
}
template <class T>
T updated(Atomic op, T old, T value, T swap) {
    switch (op) {
        case Atomic::ADD: return old + value;
        case Atomic::MINIMUM: return value < old ? value : old;
        case Atomic::MAXIMUM: return value > old ? value : old;
        case Atomic::EXCHANGE: return value;
        case Atomic::COMPARE_SWAP: return old == value ? swap : old;
        case Atomic::INCREMENT: return old >= value ? 0 : old + 1;
        case Atomic::DECREMENT: return old == 0 || old > value ? value : old - 1;
        default: return bitsCombined(op, old, value);
    }
}
template <class T>
void atomically(Context& c, const Instruction& in, u32 lanes) {
    auto op = (Atomic)in.variant;
    ONE_BY_ONE {
        u8* p = translate(c, in, in.space, addressOf(c, in.address, i), sizeof(T), i, Access::ATOMIC);
        T old;
        memcpy(&old, p, sizeof(T));
        T swap = op == Atomic::COMPARE_SWAP ? arg<T>(c, in, 2)[i] : T();
        T result = updated(op, old, arg<T>(c, in, 1)[i], swap);
        memcpy(p, &result, sizeof(T));
        if (in.operands[0].offset >= 0) out<T>(c, in)[i] = old;
    }
}
void atomicHalfAdd(Context& c, const Instruction& in, u32 lanes) {
    bool pair = bytesOf(in.type) == 4, bfloat = in.type == BF16 || in.type == BF16X2;
    ONE_BY_ONE {
        u32 bytes = pair ? 4 : 2, old = 0, value = pair ? arg<u32>(c, in, 1)[i] : arg<u16>(c, in, 1)[i];
        u8* p = translate(c, in, in.space, addressOf(c, in.address, i), bytes, i, Access::ATOMIC);
        memcpy(&old, p, bytes);
        u32 result = halfResult(HalfOp::ADD, bfloat, old, value, 0);
        if (pair) result |= (u32)halfResult(HalfOp::ADD, bfloat, old >> 16, value >> 16, 0) << 16;
        memcpy(p, &result, bytes);
        if (in.operands[0].offset >= 0) memcpy(out<u8>(c, in) + (size_t)i * bytes, &old, bytes);
    }
}

// With chaos some copies happen at once and the others at the wait: both are allowed.
void asynchronously(Context& c, const Instruction& in, u32 lanes) {
    ONE_BY_ONE {
        u32 bytes = in.count, sourceBytes = in.operands.empty() ? bytes : std::min(bytes, arg<u32>(c, in, 0)[i]);
        u32 target = (u32)addressOf(c, in.address, i);
        std::vector<PendingCopy> now{{addressOf(c, in.address2, i), target, bytes, sourceBytes, &in}};
        translate(c, in, SHARED, target, bytes, i, Access::WRITE);
        u64& coin = c.block->coin;
        coin = coin * 6364136223846793005ull + 1442695040888963407ull;
        if (c.options->chaos && coin >> 63)
            finishCopies(c, i, now);
        else
            c.warp->openCopies[i].push_back(now[0]);
    }
}
void committed(Context& c, const Instruction&, u32 lanes) {
    ONE_BY_ONE {
        c.warp->copyGroups[i].push_back(std::move(c.warp->openCopies[i]));
        c.warp->openCopies[i].clear();
    }
}
void waited(Context& c, const Instruction& in, u32 lanes) {
    ONE_BY_ONE {
        auto& groups = c.warp->copyGroups[i];
        while (groups.size() > (in.flag ? 0 : in.target)) {
            finishCopies(c, i, groups.front());
            groups.erase(groups.begin());
        }
        if (in.flag) finishCopies(c, i, c.warp->openCopies[i]);
    }
}
void trapped(Context& c, const Instruction& in, u32 lanes) { fail(c, in, lowest(lanes), LAUNCH_FAILED, "trap"); }
}  // namespace

void finishCopies(Context& c, int lane, std::vector<PendingCopy>& copies) {
    for (auto& copy : copies) {
        const Instruction& in = *copy.instruction;
        const u8* from =
            copy.sourceBytes ? translate(c, in, GLOBAL, copy.source, copy.sourceBytes, lane, Access::READ) : nullptr;
        u8* to = translate(c, in, SHARED, copy.target, copy.bytes, lane, Access::WRITE);
        memset(to, 0, copy.bytes);
        if (from) memcpy(to, from, copy.sourceBytes);
    }
    copies.clear();
}

Operation load(const Instruction& in) {
    switch (bytesOf(in.type)) {
        case 1: return loadOf<u8>(in);
        case 2: return loadOf<u16>(in);
        case 4: return loadOf<u32>(in);
        case 8: return loadOf<u64>(in);
        default: return nullptr;
    }
}
Operation store(Type type) {
    switch (bytesOf(type)) {
        case 1: return stored<u8>;
        case 2: return stored<u16>;
        case 4: return stored<u32>;
        case 8: return stored<u64>;
        default: return nullptr;
    }
}
Operation atomic(Type type, Atomic op) {
    if (isHalf(type)) return op == Atomic::ADD ? atomicHalfAdd : nullptr;
    switch (type) {
        case F32: return atomically<float>;
        case F64: return atomically<double>;
        case S32: return atomically<s32>;
        case S64: return atomically<s64>;
        case B16:
        case U16: return atomically<u16>;
        case B32:
        case U32: return atomically<u32>;
        case B64:
        case U64: return atomically<u64>;
        default: return nullptr;
    }
}
Operation copyAsync() { return asynchronously; }
Operation commitCopies() { return committed; }
Operation waitForCopies() { return waited; }
Operation trap() { return trapped; }
}  // namespace emulator
