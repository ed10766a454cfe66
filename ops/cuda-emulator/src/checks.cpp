// What makes the emulator stricter than a device: every access is checked for bounds and alignment, and on request for
// races and for bytes that nobody wrote.
#include <algorithm>
#include <sstream>

#include "machine.h"

namespace emulator {
void fail(Context& c, const Instruction& in, int lane, int code, const std::string& what) {
    std::ostringstream o;
    o << what << " in kernel " << c.function->name << " at ";
    auto& files = c.function->module->files;
    if (in.sourceLine && in.file < (int)files.size()) o << files[in.file] << ":" << in.sourceLine << ", ";
    auto* id = c.block->id;
    o << "PTX line " << in.line << ", block (" << id[0] << "," << id[1] << "," << id[2] << ")";
    if (lane >= 0) o << ", thread " << c.warp->index * warpSize + lane;
    throw KernelFault(code, o.str());
}

namespace {
const char* kindOf(bool write, bool afterRead) {
    return !write ? "read after write" : afterRead ? "write after read" : "write after write";
}

[[noreturn]] void failRace(Context& c, const Instruction& in, int lane, const std::string& where, bool write,
                           bool afterRead, u32 other, int line) {
    std::ostringstream o;
    o << "race (" << kindOf(write, afterRead) << ") on " << where << " with thread " << other << " (PTX line " << line
      << ")";
    fail(c, in, lane, LAUNCH_FAILED, o.str());
}

// Two accesses of a block are ordered by a barrier between them; within a warp a warp synchronisation suffices.
void checkShared(Context& c, const Instruction& in, int lane, u32 byte, Access access) {
    Block& block = *c.block;
    SharedCell& cell = block.cells[byte];
    s16 me = (s16)(c.warp->index * warpSize + lane);
    bool write = access != Access::READ;
    auto conflicts = [&](s16 other, u32 epoch, u32 warpEpoch, bool many) {
        if (other < 0 || epoch != block.epoch || (other == me && !many)) return false;
        return (u32)other / warpSize != c.warp->index || many || warpEpoch == c.warp->epoch;
    };
    bool checked = c.options->sharedRaces && access != Access::ATOMIC;
    bool afterWrite = checked && conflicts(cell.writer, cell.writeEpoch, cell.writeWarpEpoch, false);
    bool afterRead = checked && write && conflicts(cell.reader, cell.readEpoch, cell.readWarpEpoch, cell.manyReaders);
    if (afterWrite || afterRead) {
        bool reader = !afterWrite;
        failRace(c, in, lane, "shared byte " + std::to_string(byte), write, reader, reader ? cell.reader : cell.writer,
                 reader ? cell.readLine : cell.writeLine);
    }
    if (access != Access::WRITE && c.options->uninitialised && !cell.written) {
        fail(c, in, lane, LAUNCH_FAILED, "read of uninitialised shared byte " + std::to_string(byte));
    }
    if (access == Access::ATOMIC) return;
    if (write) {
        cell.writer = me, cell.writeEpoch = block.epoch, cell.writeWarpEpoch = c.warp->epoch, cell.writeLine = in.line;
        cell.written = true, cell.reader = -1, cell.manyReaders = false;
    } else {
        bool sameEpoch = cell.readEpoch == block.epoch && cell.reader >= 0;
        cell.manyReaders = sameEpoch && (cell.manyReaders || cell.reader != me);
        cell.reader = me, cell.readEpoch = block.epoch, cell.readWarpEpoch = c.warp->epoch, cell.readLine = in.line;
    }
}

// Global memory: threads of different blocks are never ordered within a launch, those of a block as above.
void checkGlobal(Context& c, const Instruction& in, int lane, GlobalCell& cell, u64 address, Access access) {
    u32 threads = c.block->threads;
    u32 me = (u32)(c.block->linearId * threads) + c.warp->index * warpSize + lane + 1;
    bool write = access != Access::READ, isAtomic = access == Access::ATOMIC;
    if (cell.launch != c.launch) cell = GlobalCell{c.launch, 0, 0, 0, 0, 0, 0, 0, 0, false, false};
    auto conflicts = [&](u32 other, u32 epoch, u32 warpEpoch, bool many) {
        if (!other || (other == me && !many)) return false;
        if ((other - 1) / threads != c.block->linearId) return true;
        if (epoch != c.block->epoch) return false;
        return (other - 1) % threads / warpSize != c.warp->index || many || warpEpoch == c.warp->epoch;
    };
    bool afterWrite = !(isAtomic && cell.atomic) && conflicts(cell.writer, cell.writeEpoch, cell.writeWarpEpoch, false);
    bool afterRead = write && !isAtomic && conflicts(cell.reader, cell.readEpoch, cell.readWarpEpoch, cell.manyReaders);
    if (afterWrite || afterRead) {
        std::ostringstream where;
        where << "global byte 0x" << std::hex << address;
        u32 other = (afterWrite ? cell.writer : cell.reader) - 1;
        where << std::dec << " (block " << other / threads << ")";
        failRace(c, in, lane, where.str(), write, !afterWrite, other % threads,
                 afterWrite ? cell.writeLine : cell.readLine);
    }
    if (write) {
        cell.writer = me, cell.writeEpoch = c.block->epoch, cell.writeWarpEpoch = c.warp->epoch,
        cell.writeLine = (u16)std::min(in.line, 65535);
        cell.atomic = isAtomic, cell.reader = 0, cell.manyReaders = false;
    } else {
        bool sameEpoch = cell.readEpoch == c.block->epoch;
        bool elsewhere = cell.reader && (cell.reader - 1) / threads != c.block->linearId;
        cell.manyReaders = cell.reader && (sameEpoch || elsewhere) && (cell.manyReaders || cell.reader != me);
        cell.reader = me, cell.readEpoch = c.block->epoch, cell.readWarpEpoch = c.warp->epoch;
        cell.readLine = (u16)std::min(in.line, 65535);
    }
}

u8* sharedByte(Context& c, const Instruction& in, u64 address, u32 bytes, int lane, Access access) {
    Block& block = *c.block;
    if (address + bytes > block.shared.size()) {
        fail(c, in, lane, ILLEGAL_ADDRESS,
             "out-of-bounds shared access at byte " + std::to_string(address) + " of " +
                 std::to_string(block.shared.size()));
    }
    if (!block.cells.empty()) {
        for (u32 k = 0; k < bytes; k++) checkShared(c, in, lane, (u32)address + k, access);
    }
    return block.shared.data() + address;
}

u8* localByte(Context& c, const Instruction& in, u64 address, u32 bytes, int lane, Access access) {
    u32 size = c.function->localBytes;
    if (address + bytes > size) fail(c, in, lane, ILLEGAL_ADDRESS, "out-of-bounds local access");
    size_t at = (size_t)(c.warp->index * warpSize + lane) * size + address;
    if (c.options->uninitialised) {
        u8* written = c.block->localWritten.data() + at;
        if (access == Access::READ && memchr(written, 0, bytes)) {
            fail(c, in, lane, LAUNCH_FAILED, "read of uninitialised local memory");
        }
        memset(written, 1, bytes);
    }
    return c.block->local.data() + at;
}

[[noreturn]] void failGlobal(Context& c, const Instruction& in, u64 address, u32 bytes, int lane, Access access) {
    std::ostringstream o;
    o << "invalid global " << (access == Access::READ ? "read" : "write") << " of " << bytes << " bytes at 0x"
      << std::hex << address << std::dec << c.memory->describe(address);
    fail(c, in, lane, ILLEGAL_ADDRESS, o.str());
}

void checkGlobalBytes(Context& c, const Instruction& in, u64 address, u32 bytes, int lane, Access access) {
    Region& region = in.region;
    u64 at = address - region.low;
    if (c.options->uninitialised && region.written) {
        if (access != Access::WRITE && memchr(region.written + at, 0, bytes)) {
            std::ostringstream o;
            o << "read of uninitialised global memory, byte " << at << " of an allocation of "
              << region.high - region.low << " bytes";
            fail(c, in, lane, LAUNCH_FAILED, o.str());
        }
        if (access != Access::READ) memset(region.written + at, 1, bytes);
    }
    if (c.options->globalRaces && region.accesses) {
        for (u32 k = 0; k < bytes; k++) checkGlobal(c, in, lane, region.accesses[at + k], address + k, access);
    }
}
}  // namespace

u64 addressOf(Context& c, const Address& a, int lane) {
    if (a.base < 0) return a.displacement;
    const u8* base = c.registers + a.base;
    return (a.baseSize == 8 ? ((const u64*)base)[lane] : ((const u32*)base)[lane]) + a.displacement;
}

u8* translate(Context& c, const Instruction& in, Space space, u64 address, u32 bytes, int lane, Access access) {
    if (space == GENERIC) {
        if (address - sharedWindow < 1u << 24)
            space = SHARED, address -= sharedWindow;
        else if (address - localWindow < 1ull << 32)
            space = LOCAL, address -= localWindow;
        else
            space = GLOBAL;
    }
    if (address & (bytes - 1)) {
        fail(c, in, lane, MISALIGNED_ADDRESS, "misaligned access of " + std::to_string(bytes) + " bytes");
    }
    if (space == SHARED) return sharedByte(c, in, address, bytes, lane, access);
    if (space == LOCAL) return localByte(c, in, address, bytes, lane, access);
    if (!in.region.holds(address, bytes)) {
        if (!c.memory->find(address, in.region) || !in.region.holds(address, bytes)) {
            failGlobal(c, in, address, bytes, lane, access);
        }
    }
    if (c.options->uninitialised || c.options->globalRaces) checkGlobalBytes(c, in, address, bytes, lane, access);
    return (u8*)(address + in.region.hostDelta);
}
}  // namespace emulator
