// The state of a running block and the small vocabulary in which operations are written.
#pragma once
#include <vector>

#include "program.h"

namespace emulator {
// Who touched a byte of shared memory last. Epochs count the block's barriers and the warp's synchronisations.
struct SharedCell {
    u32 writeEpoch = 0, readEpoch = 0, writeWarpEpoch = 0, readWarpEpoch = 0;
    s16 writer = -1, reader = -1;
    bool manyReaders = false, written = false;
    int writeLine = 0, readLine = 0;
};

// Who touched a byte of global memory last, in which launch. Threads are numbered over the whole grid, from 1.
struct GlobalCell {
    u32 launch;
    u32 writer, reader;
    u32 writeEpoch, readEpoch;
    u32 writeWarpEpoch, readWarpEpoch;
    u16 writeLine, readLine;
    bool manyReaders, atomic;
};

struct PendingCopy {
    u64 source;
    u32 target, bytes, sourceBytes;
    const Instruction* instruction;
};

struct Warp {
    u8 carry[warpSize] = {};
    u8* registers = nullptr;
    u32 pc[warpSize];
    u32 alive = 0, atBarrier = 0, atCollective = 0;  // lanes
    u8 barrier[warpSize];
    u32 index = 0, epoch = 1;
    std::vector<PendingCopy> openCopies[warpSize];
    std::vector<std::vector<PendingCopy>> copyGroups[warpSize];
};

struct Block {
    std::vector<u8> shared, local, localWritten;
    std::vector<SharedCell> cells;  // of shared memory, where it is checked
    u32 threads, exited = 0, arrived[16], expected[16];
    u32 epoch = 1;
    u32 id[3];
    u64 linearId = 0;
    std::vector<Warp> warps;
    u64 coin = 1;
};

struct Context {
    u8* registers;
    Warp* warp;
    Block* block;
    const Function* function;
    Memory* memory;
    const Options* options;
    Statistics* statistics;
    const u8* parameters;
    u32 launch;  // number of this launch
    u64 budget;  // warp instructions left
};

enum FaultCode { ILLEGAL_ADDRESS = 700, LAUNCH_TIMEOUT = 702, MISALIGNED_ADDRESS = 716, LAUNCH_FAILED = 719 };

// Throws a KernelFault that names the kernel, the line, the block and (lane >= 0) the thread.
[[noreturn]] void fail(Context& c, const Instruction& instruction, int lane, int code, const std::string& what);

template <class T>
inline T* out(Context& c, const Instruction& in, int k = 0) {
    return (T*)(c.registers + in.operands[k].offset);
}
template <class T>
inline const T* arg(Context& c, const Instruction& in, int k) {
    const Operand& o = in.operands[k];
    return (const T*)(o.constant ? o.constant.get() : c.registers + o.offset);
}

inline int lowest(u32 lanes) { return __builtin_ctz(lanes); }
inline int population(u32 lanes) { return __builtin_popcount(lanes); }

// Bits of the lanes whose predicate is set.
inline u32 lanesWhere(const u8* predicate) {
    __m256i values = _mm256_loadu_si256((const __m256i*)predicate);
    return ~(u32)_mm256_movemask_epi8(_mm256_cmpeq_epi8(values, _mm256_setzero_si256()));
}

// Runs the statements for each lane i of `lanes`; all 32 lanes at a time are left to the compiler's vectoriser.
#define EACH_LANE(...)                                                               \
    do {                                                                             \
        if (lanes == ~0u) {                                                          \
            _Pragma("GCC ivdep") for (int i = 0; i < warpSize; i++) { __VA_ARGS__; } \
        } else                                                                       \
            for (int i = 0; i < warpSize; i++)                                       \
                if (lanes >> i & 1) {                                                \
                    __VA_ARGS__;                                                     \
                }                                                                    \
    } while (0)

// The same for operations that cannot be vectorised or that may fault.
#define ONE_BY_ONE for (u32 left = lanes, i = 0; left && (i = lowest(left), true); left &= left - 1)

// Windows of the generic address space.
constexpr u64 sharedWindow = 1ull << 48, localWindow = sharedWindow + (1ull << 40);

enum class Access { READ, WRITE, ATOMIC };

// Checks an access of a lane and answers where the bytes lie on the host.
u8* translate(Context& c, const Instruction& in, Space space, u64 address, u32 bytes, int lane, Access access);
u64 addressOf(Context& c, const Address& address, int lane);
// Carries out the copies of cp.async, which were put off as long as the program allows.
void finishCopies(Context& c, int lane, std::vector<PendingCopy>& copies);
}  // namespace emulator
