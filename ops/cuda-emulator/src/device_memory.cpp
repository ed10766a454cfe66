// Device memory and pinned host memory. Fresh and freed memory is filled with patterns; freed memory is remembered, so
// that a use after free can be named.
#include <sys/mman.h>

#include <cstdio>

#include "driver.h"

namespace emulator {
std::mutex deviceLock;
std::recursive_mutex driverLock;

static void* reserve(u64 bytes) {
    void* p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? nullptr : p;
}

// Twice the memory that there is said to be: released addresses are not used again at once.
DeviceMemory::DeviceMemory() : span(2 * settings().memoryBytes + (64 << 20)) {
    bytes = (u8*)reserve(span);
    written = (u8*)reserve(span);
    cells = (GlobalCell*)reserve(span * sizeof(GlobalCell));
}

DeviceMemory& deviceMemory() {
    static DeviceMemory* instance = new DeviceMemory;
    return *instance;
}

// Each allocation is followed by a gap, so that a step beyond its end is seen.
u64 DeviceMemory::allocate(u64 n) {
    std::lock_guard<std::recursive_mutex> held(driverLock);
    if (!n || !bytes || used + n > settings().memoryBytes) return 0;
    u64 slot = ((n + 511) & ~511ull) + 512, address;
    auto found = freeSlots.lower_bound(slot);
    if (top + slot <= span) {
        address = base + top;
        top += slot;
    } else if (found != freeSlots.end()) {
        address = found->second;
        freeSlots.erase(found);
    } else {
        return 0;
    }
    changes++;
    live[address] = {n, false};
    used += n;
    dead.erase(address);
    memset(bytes + (address - base), 0xCD, n);
    if (written) memset(written + (address - base), 0, n);
    return address;
}

bool DeviceMemory::release(u64 address) {
    std::lock_guard<std::recursive_mutex> held(driverLock);
    auto found = live.find(address);
    if (found == live.end() || found->second.pinnedHost) return false;
    u64 n = found->second.bytes, slot = ((n + 511) & ~511ull) + 512;
    changes++;
    used -= n;
    dead[address] = n;
    memset(bytes + (address - base), 0xDD, n);
    freeSlots.emplace(slot, address);
    live.erase(found);
    return true;
}

bool DeviceMemory::find(u64 address, Region& region) {
    std::lock_guard<std::recursive_mutex> held(driverLock);
    auto next = live.upper_bound(address);
    if (next == live.begin()) return false;
    auto& [start, allocation] = *std::prev(next);
    if (address >= start + allocation.bytes) return false;
    region.low = start, region.high = start + allocation.bytes;
    bool host = allocation.pinnedHost;
    region.hostDelta = host ? 0 : (u64)bytes - base;
    region.written = host || !written ? nullptr : written + (start - base);
    region.accesses = host || !cells ? nullptr : cells + (start - base);
    return true;
}

std::string DeviceMemory::describe(u64 address) {
    std::lock_guard<std::recursive_mutex> held(driverLock);
    char text[160];
    auto freed = dead.upper_bound(address);
    if (freed != dead.begin() && address < std::prev(freed)->first + std::prev(freed)->second) {
        snprintf(text, sizeof text, ": inside a freed allocation of %llu bytes",
                 (unsigned long long)std::prev(freed)->second);
        return text;
    }
    auto next = live.upper_bound(address);
    if (next != live.begin()) {
        u64 start = std::prev(next)->first, n = std::prev(next)->second.bytes, beyond = address - start - n;
        if (address >= start + n && beyond < 4096) {
            snprintf(text, sizeof text, ": %llu bytes past the end of the %llu-byte allocation at 0x%llx",
                     (unsigned long long)beyond, (unsigned long long)n, (unsigned long long)start);
            return text;
        }
    }
    return address < base ? ": looks like a host address" : ": no allocation there";
}

void DeviceMemory::pin(void* p, u64 n, bool) {
    std::lock_guard<std::recursive_mutex> held(driverLock);
    changes++;
    live[(u64)p] = {n, true};
}
u64 DeviceMemory::unpin(void* p) {
    std::lock_guard<std::recursive_mutex> held(driverLock);
    auto found = live.find((u64)p);
    if (found == live.end() || !found->second.pinnedHost) return 0;
    u64 n = found->second.bytes;
    changes++;
    live.erase(found);
    return n;
}
bool DeviceMemory::isPinned(const void* p, u64 n) {
    std::lock_guard<std::recursive_mutex> held(driverLock);
    auto next = live.upper_bound((u64)p);
    if (next == live.begin()) return false;
    auto& [start, allocation] = *std::prev(next);
    return allocation.pinnedHost && (u64)p + n <= start + allocation.bytes;
}

u8* DeviceMemory::host(u64 address, u64 n) {
    Region region;
    if (!find(address, region) || address + n > region.high) return nullptr;
    return (u8*)(address + region.hostDelta);
}

void DeviceMemory::markWritten(u64 address, u64 n) {
    Region region;
    if (find(address, region) && region.written) memset(region.written + (address - region.low), 1, n);
}
void DeviceMemory::copyWritten(u64 target, u64 source, u64 n) {
    Region to, from;
    if (!find(target, to) || !find(source, from) || !to.written) return;
    if (!from.written) return markWritten(target, n);
    memmove(to.written + (target - to.low), from.written + (source - from.low), n);
}
}  // namespace emulator
