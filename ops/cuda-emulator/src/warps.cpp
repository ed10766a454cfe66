// Collectives of a warp: shuffles, votes, reductions. The scheduler runs them when all lanes of the mask have come.
#include <algorithm>

#include "machine.h"
#include "operations.h"

namespace emulator {
namespace {
void shuffled(Context& c, const Instruction& in, u32 lanes) {
    u32* d = out<u32>(c, in);
    u8* inRange = in.operands[1].present() ? out<u8>(c, in, 1) : nullptr;
    const u32 *lanesWanted = arg<u32>(c, in, 3), *clamps = arg<u32>(c, in, 4);
    u32 values[warpSize];
    memcpy(values, arg<u32>(c, in, 2), sizeof values);
    ONE_BY_ONE {
        int lane = (int)i, by = lanesWanted[i] & 31, clamp = clamps[i] & 31, segment = clamps[i] >> 8 & 31;
        int first = lane & segment, last = first | (clamp & ~segment), from;
        bool ok;
        switch ((Shuffle)in.variant) {
            case Shuffle::UP: from = lane - by, ok = from >= last; break;
            case Shuffle::DOWN: from = lane + by, ok = from <= last; break;
            case Shuffle::BUTTERFLY: from = lane ^ by, ok = from <= last; break;
            default: from = first | (by & ~segment), ok = from <= last;
        }
        if (!ok) from = lane;
        if (!(lanes >> from & 1)) {
            fail(c, in, lane, LAUNCH_FAILED, "shfl.sync reads lane " + std::to_string(from) + ", which takes no part");
        }
        d[i] = values[from];
        if (inRange) inRange[i] = ok;
    }
}

void voted(Context& c, const Instruction& in, u32 lanes) {
    const u8* a = arg<u8>(c, in, 1);
    u32 yes = 0;
    ONE_BY_ONE yes |= (u32)((bool)a[i] != in.operands[1].negated) << i;
    auto kind = (Vote)in.variant;
    if (kind == Vote::BALLOT) {
        u32* d = out<u32>(c, in);
        EACH_LANE(d[i] = yes);
        return;
    }
    bool result = kind == Vote::ANY ? yes != 0 : kind == Vote::ALL ? yes == lanes : yes == 0 || yes == lanes;
    u8* d = out<u8>(c, in);
    EACH_LANE(d[i] = result);
}

u32 reduced(Atomic op, bool asSigned, u32 a, u32 b) {
    switch (op) {
        case Atomic::ADD: return a + b;
        case Atomic::MINIMUM: return asSigned ? (u32)std::min((s32)a, (s32)b) : std::min(a, b);
        case Atomic::MAXIMUM: return asSigned ? (u32)std::max((s32)a, (s32)b) : std::max(a, b);
        case Atomic::AND: return a & b;
        case Atomic::OR: return a | b;
        default: return a ^ b;
    }
}
void reducedOver(Context& c, const Instruction& in, u32 lanes) {
    const u32* a = arg<u32>(c, in, 1);
    u32 result = a[lowest(lanes)];
    for (u32 left = lanes & (lanes - 1); left; left &= left - 1) {
        result = reduced((Atomic)in.variant, isSigned(in.type), result, a[lowest(left)]);
    }
    u32* d = out<u32>(c, in);
    EACH_LANE(d[i] = result);
}

template <class T>
void matched(Context& c, const Instruction& in, u32 lanes) {
    T values[warpSize];
    memcpy(values, arg<T>(c, in, 2), sizeof values);
    ONE_BY_ONE {
        u32 same = 0;
        for (u32 l = lanes; l; l &= l - 1) same |= (u32)(values[lowest(l)] == values[i]) << lowest(l);
        bool all = same == lanes;
        out<u32>(c, in)[i] = in.flag && !all ? 0 : same;
        if (in.operands[1].present()) out<u8>(c, in, 1)[i] = all;
    }
}
void matchedOfType(Context& c, const Instruction& in, u32 lanes) {
    bytesOf(in.type) == 8 ? matched<u64>(c, in, lanes) : matched<u32>(c, in, lanes);
}

void active(Context& c, const Instruction& in, u32 lanes) {
    u32* d = out<u32>(c, in);
    EACH_LANE(d[i] = lanes);
}
void synchronised(Context& c, const Instruction&, u32) { c.warp->epoch++; }
}  // namespace

Operation shuffle() { return shuffled; }
Operation vote() { return voted; }
Operation reduce() { return reducedOver; }
Operation match() { return matchedOfType; }
Operation activeLanes() { return active; }
Operation synchroniseWarp() { return synchronised; }
}  // namespace emulator
