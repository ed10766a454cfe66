// Executes a grid: blocks one after the other, the warps of a block in turn, the lanes of a warp together. Lanes that
// went different ways are taken lowest instruction first, so that they meet again. With chaos, blocks, warps and groups
// of lanes come in a random order, and groups are split at random: all of that is allowed to a device.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <sstream>

#include "machine.h"

namespace emulator {
namespace {
struct Random {
    u64 state;
    u64 next() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return state;
    }
};

class Scheduler {
  public:
    Scheduler(Function& function, Dimensions grid, Dimensions size, u32 dynamicShared, const u8* parameters,
              Memory& memory, const Options& options, Statistics& statistics)
        : f(function), grid(grid), size(size), dynamicShared(dynamicShared), options(options), statistics(statistics) {
        static u32 launches = 0;
        c = Context{nullptr, nullptr, &block, &f, &memory, &options, &statistics, parameters, ++launches, 0};
        c.budget = options.budget;
        random.state = options.seed * 0x9E3779B97F4A7C15ull | 1;
        block.coin = options.seed;
        block.threads = (u32)size.total();
        block.warps.resize((block.threads + warpSize - 1) / warpSize);
        block.shared.resize(f.staticShared + dynamicShared);
        block.local.resize((size_t)f.localBytes * block.threads);
        size_t bytes = std::max<size_t>(64, (size_t)f.registerBytes * block.warps.size());
        registers.reset((u8*)aligned_alloc(64, bytes));
    }

    void run() {
        u64 blocks = grid.total();
        std::vector<u64> order;
        if (options.chaos) {
            for (u64 i = 0; i < blocks; i++) order.push_back(i);
            for (u64 i = blocks; i > 1; i--) std::swap(order[i - 1], order[random.next() % i]);
        }
        for (u64 i = 0; i < blocks; i++) {
            startBlock(options.chaos ? order[i] : i);
            runBlock();
            statistics.blocks++;
        }
    }

  private:
    Function& f;
    Dimensions grid, size;
    u32 dynamicShared;
    const Options& options;
    Statistics& statistics;
    Context c;
    Block block;
    Random random{1};
    std::unique_ptr<u8, void (*)(void*)> registers{nullptr, free};

    // Nothing is zero at the start of a block, as on a device.
    void startBlock(u64 id) {
        block.linearId = id;
        block.id[0] = (u32)(id % grid.x), block.id[1] = (u32)(id / grid.x % grid.y);
        block.id[2] = (u32)(id / grid.x / grid.y);
        block.exited = 0;
        block.epoch = 1;
        memset(block.arrived, 0, sizeof block.arrived);
        memset(block.expected, 0, sizeof block.expected);
        memset(block.shared.data(), 0xCD, block.shared.size());
        memset(block.local.data(), 0xCD, block.local.size());
        memset(registers.get(), 0xCD, (size_t)f.registerBytes * block.warps.size());
        if (options.sharedRaces || options.uninitialised) block.cells.assign(block.shared.size(), SharedCell());
        if (options.uninitialised) block.localWritten.assign(block.local.size(), 0);
        for (u32 w = 0; w < block.warps.size(); w++) startWarp(w);
    }

    void startWarp(u32 index) {
        Warp& w = block.warps[index];
        w.registers = registers.get() + (size_t)f.registerBytes * index;
        w.index = index;
        w.atBarrier = w.atCollective = 0;
        w.epoch = 1;
        u32 threads = std::min<u32>(block.threads - index * warpSize, warpSize);
        w.alive = threads == warpSize ? ~0u : (1u << threads) - 1;
        for (u32 lane = 0; lane < warpSize; lane++) {
            w.pc[lane] = 0;
            u32 t = index * warpSize + lane, bit = 1u << lane;
            const u32 special[] = {// in the order of Parser::declareSpecialRegisters
                                   t % size.x,
                                   t / size.x % size.y,
                                   t / size.x / size.y,
                                   size.x,
                                   size.y,
                                   size.z,
                                   block.id[0],
                                   block.id[1],
                                   block.id[2],
                                   grid.x,
                                   grid.y,
                                   grid.z,
                                   lane,
                                   index,
                                   (u32)block.warps.size(),
                                   bit,
                                   bit - 1,
                                   bit | (bit - 1),
                                   ~(bit | (bit - 1)),
                                   ~(bit - 1),
                                   0,
                                   dynamicShared};
            for (u32 k = 0; k < sizeof special / sizeof *special; k++)
                ((u32*)(w.registers + k * 128))[lane] = special[k];
        }
    }

    void runBlock() {
        std::vector<u32> order(block.warps.size());
        for (u32 i = 0; i < order.size(); i++) order[i] = i;
        for (;;) {
            bool progress = false, alive = false;
            for (size_t i = order.size(); options.chaos && i > 1; i--) {
                std::swap(order[i - 1], order[random.next() % i]);
            }
            for (u32 index : order) {
                Warp& w = block.warps[index];
                if (!w.alive) continue;
                alive = true;
                c.warp = &w;
                c.registers = w.registers;
                progress |= runWarp();
            }
            if (!alive) return;
            u32 epoch = block.epoch;
            releaseBarriers();
            if (!progress && block.epoch == epoch) failDeadlock();
        }
    }

    void releaseBarriers() {
        u32 living = block.threads - block.exited;
        for (int id = 0; id < 16; id++) {
            u32 expected = block.expected[id] ? block.expected[id] : living;
            if (!block.arrived[id] || block.arrived[id] < expected) continue;
            if (options.strict && block.exited && !block.expected[id]) {
                failAnywhere("barrier reached while other threads of the block have exited");
            }
            block.arrived[id] = 0;
            block.epoch++;
            for (auto& w : block.warps) {
                for (u32 left = w.atBarrier; left; left &= left - 1) {
                    if (w.barrier[lowest(left)] == id) w.atBarrier &= ~(1u << lowest(left));
                }
            }
        }
    }

    [[noreturn]] void failAnywhere(const std::string& what) {
        c.warp = &block.warps[0];
        fail(c, Instruction(), -1, LAUNCH_FAILED, what);
    }
    [[noreturn]] void failDeadlock() {
        std::ostringstream o;
        o << "deadlock:";
        for (auto& w : block.warps) {
            if (!w.alive) continue;
            o << " warp " << w.index << " lanes at a barrier " << std::hex << w.atBarrier << ", at a collective "
              << w.atCollective << std::dec;
            if (w.atCollective) o << " (PTX line " << f.code[w.pc[lowest(w.atCollective)]].line << ")";
        }
        failAnywhere(o.str());
    }

    // ---- one warp

    struct Group {
        u32 lanes;  // at the same instruction
        u32 pc;
        u32 meetingPoint;  // where other lanes wait further on
        bool alone;        // no other lanes can run
        u64 patience;      // instructions until the group is looked at anew
    };

    bool runWarp() {
        Warp& w = *c.warp;
        bool progress = false;
        u64 turn = options.chaos ? 1 + random.next() % 200 : 1u << 20;
        while (turn) {
            u32 candidates = w.alive & ~w.atBarrier;
            if (!(candidates & ~w.atCollective)) break;
            Group group = chooseGroup(candidates);
            progress |= runGroup(group, turn);
        }
        return progress;
    }

    Group chooseGroup(u32 candidates) {
        Warp& w = *c.warp;
        u32 runnable = candidates & ~w.atCollective;
        Group g{0, ~0u, ~0u, false, ~0ull};
        if (options.chaos) {
            u32 left = runnable;
            for (u64 k = random.next() % population(runnable); k; k--) left &= left - 1;
            g.pc = w.pc[lowest(left)];
            g.patience = 1 + random.next() % 32;
        } else {
            for (u32 left = runnable; left; left &= left - 1) g.pc = std::min(g.pc, w.pc[lowest(left)]);
        }
        for (u32 left = candidates; left; left &= left - 1) {
            int lane = lowest(left);
            if (w.pc[lane] == g.pc)
                g.lanes |= 1u << lane;
            else if (w.pc[lane] > g.pc)
                g.meetingPoint = std::min(g.meetingPoint, w.pc[lane]);
        }
        w.atCollective &= ~g.lanes;
        g.alone = g.lanes == candidates;
        if (options.chaos && f.code[g.pc].flow != Flow::COLLECTIVE && (random.next() & 3) == 0) {
            u32 some = g.lanes & (u32)random.next();
            if (some && some != g.lanes) g.lanes = some, g.alone = false;
        }
        return g;
    }

    void leave(u32 lanes, u32 pc) {
        for (; lanes; lanes &= lanes - 1) c.warp->pc[lowest(lanes)] = pc;
    }

    void spend(u64 instructions) {
        if (instructions > c.budget) {
            fail(c, Instruction(), -1, LAUNCH_TIMEOUT,
                 "the budget of " + std::to_string(options.budget) +
                     " warp instructions is spent: an endless loop, or CUDA_EMULATOR_BUDGET is too small;");
        }
        c.budget -= instructions;
    }

    // Runs a group until it splits, waits or has used its turn. Answers whether it executed anything.
    bool runGroup(Group& g, u64& turn) {
        const Instruction* code = f.code.data();
        u64 executed = 0, laneInstructions = 0;
        bool together = true;
        while (together) {
            const Instruction& in = code[g.pc];
            u32 lanes = g.lanes;
            if (in.guard >= 0) {
                u32 set = lanesWhere(c.registers + in.guard);
                lanes &= in.guardNegated ? ~set : set;
            }
            executed++;
            laneInstructions += population(lanes);
            if (turn) turn--;
            if (g.patience) g.patience--;
            if (__builtin_expect(in.flow == Flow::PLAIN, 1)) {
                if (lanes) in.run(c, in, lanes);
                g.pc++;
            } else {
                together = transfer(in, g, lanes);
            }
            if (together && (g.pc >= g.meetingPoint || !turn || !g.patience)) {
                leave(g.lanes, g.pc);
                together = false;
            }
        }
        statistics.warpInstructions += executed;
        statistics.laneInstructions += laneInstructions;
        spend(executed);
        return true;
    }

    // Answers whether the group goes on together at g.pc; if not, its lanes' pcs are set.
    bool transfer(const Instruction& in, Group& g, u32 lanes) {
        switch (in.flow) {
            case Flow::BRANCH: return branch(in, g, lanes);
            case Flow::COLLECTIVE: return collective(in, g, lanes);
            case Flow::BRANCH_TABLE: branchByTable(in, g, lanes); return false;
            case Flow::EXIT: exit(g, lanes); return false;
            default: return barrier(in, g, lanes);
        }
    }

    bool branch(const Instruction& in, Group& g, u32 lanes) {
        if (lanes == g.lanes) {
            g.pc = in.target;
        } else if (!lanes) {
            g.pc++;
        } else {
            leave(lanes, in.target);
            leave(g.lanes & ~lanes, g.pc + 1);
            return false;
        }
        if (g.alone || !lanes) return true;
        leave(g.lanes, g.pc);
        return false;
    }

    void branchByTable(const Instruction& in, Group& g, u32 lanes) {
        leave(g.lanes, g.pc + 1);
        for (u32 left = lanes; left; left &= left - 1) {
            u32 index = arg<u32>(c, in, 0)[lowest(left)];
            if (index >= in.targets.size()) fail(c, in, lowest(left), LAUNCH_FAILED, "brx.idx beyond its table");
            c.warp->pc[lowest(left)] = in.targets[index];
        }
    }

    void exit(Group& g, u32 lanes) {
        Warp& w = *c.warp;
        w.alive &= ~lanes;
        block.exited += population(lanes);
        for (u32 left = lanes; left; left &= left - 1) {
            int lane = lowest(left);
            for (auto& copies : w.copyGroups[lane]) finishCopies(c, lane, copies);
            w.copyGroups[lane].clear();
            finishCopies(c, lane, w.openCopies[lane]);
        }
        leave(g.lanes & ~lanes, g.pc + 1);
    }

    bool barrier(const Instruction& in, Group& g, u32 lanes) {
        if (!lanes) {
            g.pc++;
            return true;
        }
        for (u32 left = lanes; left; left &= left - 1) {
            int lane = lowest(left);
            u32 id = arg<u32>(c, in, 0)[lane] & 15;
            c.warp->barrier[lane] = (u8)id;
            block.arrived[id]++;
            block.expected[id] = in.operands.size() > 1 ? arg<u32>(c, in, 1)[lane] : 0;
        }
        c.warp->atBarrier |= lanes;
        leave(g.lanes, g.pc + 1);
        return false;
    }

    bool collective(const Instruction& in, Group& g, u32 lanes) {
        if (!lanes) {
            g.pc++;
            return true;
        }
        u32 members = in.memberMask < 0 ? ~0u : arg<u32>(c, in, in.memberMask)[lowest(lanes)];
        u32 strangers = lanes & ~members;
        if (strangers) {
            fail(c, in, lowest(strangers), LAUNCH_FAILED, "a lane executes a collective whose member mask omits it");
        }
        if (members & c.warp->alive & ~lanes) {  // wait for the others
            leave(lanes, g.pc);
            leave(g.lanes & ~lanes, g.pc + 1);
            c.warp->atCollective |= lanes;
            return false;
        }
        if (options.strict && in.memberMask >= 0 && members & ~c.warp->alive) {
            fail(c, in, lowest(lanes), LAUNCH_FAILED, "member mask names lanes that have exited");
        }
        in.run(c, in, lanes);
        g.pc++;
        return true;
    }
};
}  // namespace

void execute(Function& function, Dimensions grid, Dimensions block, u32 dynamicShared, const u8* parameters,
             Memory& memory, const Options& options, Statistics& statistics) {
    if (!function.unsupported.empty()) throw KernelFault(LAUNCH_FAILED, function.unsupported);
    if (function.memoryGeneration != memory.generation()) {
        for (auto& in : function.code) in.region = Region();
        function.memoryGeneration = memory.generation();
    }
    auto start = std::chrono::steady_clock::now();
    Scheduler(function, grid, block, dynamicShared, parameters, memory, options, statistics).run();
    statistics.launches++;
    statistics.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}
}  // namespace emulator
