// A decoded PTX module: what the parser makes and the scheduler executes.
#pragma once
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "types.h"

namespace emulator {
struct Context;
struct Instruction;
struct Module;

// Executes one instruction for the lanes of a warp whose bits are set.
using Operation = void (*)(Context&, const Instruction&, u32 lanes);

// The module is not PTX that this emulator understands.
struct ParseError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// A fault of a running kernel, with the error that a driver would answer.
struct KernelFault : std::runtime_error {
    int code;
    KernelFault(int code, const std::string& what) : std::runtime_error(what), code(code) {}
};

// A register (32 values, at a byte offset of the warp's register file), a constant (32 equal values) or nothing.
struct Operand {
    s32 offset = -1;
    u8 size = 0;
    bool negated = false;
    std::shared_ptr<u8> constant;
    bool present() const { return offset >= 0 || constant; }
};

struct Address {
    s32 base = -1;  // register offset, or -1
    u8 baseSize = 0;
    s64 displacement = 0;
};

// An allocation of device memory: where it lies on the host, and which of its bytes were written.
struct Region {
    u64 low = 1, high = 0;
    u64 hostDelta = 0;                      // host address = device address + hostDelta
    u8* written = nullptr;                  // of the byte at `low`; null where this is not recorded
    struct GlobalCell* accesses = nullptr;  // of the byte at `low`; null where races are not looked for
    bool holds(u64 address, u32 bytes) const { return address >= low && address + bytes <= high; }
};

enum class Flow : u8 { PLAIN, BRANCH, BRANCH_TABLE, EXIT, BARRIER, COLLECTIVE };

struct Instruction {
    Operation run = nullptr;
    Flow flow = Flow::PLAIN;
    s32 guard = -1;  // offset of the predicate
    bool guardNegated = false;
    Type type = NONE, sourceType = NONE;
    Space space = GENERIC;
    u8 count = 1;                  // elements of a vector, bytes of a copy
    u8 variant = 0, variant2 = 0;  // meaning depends on the operation
    s8 memberMask = -1;            // operand with the lanes of a collective; -1: all
    bool flag = false, ftz = false, saturate = false;
    u32 target = 0;
    std::vector<u32> targets;
    int line = 0, file = 0, sourceLine = 0;
    Address address, address2;
    std::vector<Operand> operands;
    mutable Region region;  // the last one accessed here
};

struct Parameter {
    std::string name;
    u32 offset, size;
};

struct Function {
    std::string name;
    std::vector<Parameter> parameters;
    u32 parameterBytes = 0;
    std::vector<Instruction> code;
    u32 registerBytes = 0, localBytes = 0, staticShared = 0;
    u32 maxThreads = 1024, maxDynamicShared = 48 * 1024;
    std::string unsupported;  // why it cannot be executed, or empty
    Module* module = nullptr;
    u64 memoryGeneration = 0;  // the allocations that the instructions' regions belong to
};

struct GlobalVariable {
    u64 address = 0, size = 0;
};

struct Module {
    int version = 0, target = 0;
    bool architectureSpecific = false;
    std::map<std::string, std::unique_ptr<Function>> functions;
    std::map<std::string, GlobalVariable> globals;
    std::vector<std::string> files;
};

// Device memory: the driver owns it.
struct Memory {
    virtual ~Memory() {}
    virtual bool find(u64 address, Region& region) = 0;
    virtual u64 allocate(u64 bytes) = 0;
    virtual std::string describe(u64 address) = 0;
    virtual u64 generation() = 0;  // changes with every allocation and release
};

struct Options {
    bool sharedRaces = false, globalRaces = false, uninitialised = false, strict = false;
    bool chaos = false;
    u64 seed = 1;
    u64 budget = 0;  // warp instructions of a launch
};

struct Statistics {
    u64 warpInstructions = 0, laneInstructions = 0, blocks = 0, launches = 0;
    double seconds = 0;
};

struct Dimensions {
    u32 x, y, z;
    u64 total() const { return (u64)x * y * z; }
};

// Throws ParseError. Functions with unknown instructions are kept, with the reason in `unsupported`.
std::unique_ptr<Module> parseModule(const char* text, Memory& memory);

// Executes a kernel to its end; throws KernelFault.
void execute(Function& function, Dimensions grid, Dimensions block, u32 dynamicShared, const u8* parameters,
             Memory& memory, const Options& options, Statistics& statistics);
}  // namespace emulator
