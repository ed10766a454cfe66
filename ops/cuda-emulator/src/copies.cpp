// Allocation, copies and fills. Copies from and to pinned memory are really asynchronous; pageable memory is staged, as
// NVIDIA documents it.
#include <sys/mman.h>

#include <cstdio>

#include "driver.h"

using namespace emulator;

DRIVER_FUNCTION cuMemAlloc_v2(u64* address, size_t bytes) {
    NEEDS_CONTEXT;
    if (!bytes) return INVALID_VALUE;
    u64 allocated = deviceMemory().allocate(bytes);
    if (!allocated) return OUT_OF_MEMORY;
    *address = allocated;
    return SUCCESS;
}
DRIVER_FUNCTION cuMemFree_v2(u64 address) {
    NEEDS_CONTEXT;
    if (!address) return SUCCESS;
    std::set<Stream*> streams;
    {
        std::lock_guard<std::recursive_mutex> held(driverLock);
        streams = state().streams;
    }
    for (auto* stream : streams) stream->synchronise();
    if (deviceMemory().release(address)) return SUCCESS;
    return refuse(INVALID_VALUE, "cuMemFree of an address that is not allocated");
}
DRIVER_FUNCTION cuMemAllocAsync(u64* address, size_t bytes, void*) { return cuMemAlloc_v2(address, bytes); }
DRIVER_FUNCTION cuMemFreeAsync(u64 address, void* stream) {
    NEEDS_CONTEXT;
    return enqueue(stream, [address] { deviceMemory().release(address); });
}
DRIVER_FUNCTION cuMemGetInfo_v2(size_t* free, size_t* total) {
    NEEDS_CONTEXT;
    *total = settings().memoryBytes;
    *free = *total - deviceMemory().usedBytes();
    return SUCCESS;
}
DRIVER_FUNCTION cuMemGetAddressRange_v2(u64* start, size_t* bytes, u64 address) {
    Region region;
    if (!deviceMemory().find(address, region)) return INVALID_VALUE;
    if (start) *start = region.low;
    if (bytes) *bytes = region.high - region.low;
    return SUCCESS;
}

DRIVER_FUNCTION cuMemHostAlloc(void** host, size_t bytes, unsigned) {
    NEEDS_CONTEXT;
    void* p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) return OUT_OF_MEMORY;
    deviceMemory().pin(p, bytes, true);
    *host = p;
    return SUCCESS;
}
DRIVER_FUNCTION cuMemAllocHost_v2(void** host, size_t bytes) { return cuMemHostAlloc(host, bytes, 0); }
DRIVER_FUNCTION cuMemFreeHost(void* host) {
    u64 bytes = deviceMemory().unpin(host);
    if (!bytes) return INVALID_VALUE;
    munmap(host, bytes);
    return SUCCESS;
}
DRIVER_FUNCTION cuMemHostRegister_v2(void* host, size_t bytes, unsigned) {
    NEEDS_CONTEXT;
    deviceMemory().pin(host, bytes, false);
    return SUCCESS;
}
DRIVER_FUNCTION cuMemHostUnregister(void* host) { return deviceMemory().unpin(host) ? SUCCESS : INVALID_VALUE; }
DRIVER_FUNCTION cuMemHostGetDevicePointer_v2(u64* address, void* host, unsigned) {
    NEEDS_CONTEXT;
    if (!deviceMemory().isPinned(host, 1)) return INVALID_VALUE;
    *address = (u64)host;
    return SUCCESS;
}

static int checkRange(u64 address, size_t bytes, const char* function) {
    if (!bytes || deviceMemory().host(address, bytes)) return SUCCESS;
    char text[96];
    snprintf(text, sizeof text, "%s of %zu bytes at 0x%llx", function, bytes, (unsigned long long)address);
    return refuse(INVALID_VALUE, text + deviceMemory().describe(address + bytes - 1));
}
static void copyIn(u64 target, const void* source, size_t bytes) {
    std::lock_guard<std::mutex> held(deviceLock);
    u8* to = deviceMemory().host(target, bytes);
    if (!to) return;
    memcpy(to, source, bytes);
    deviceMemory().markWritten(target, bytes);
}
static void copyOut(void* target, u64 source, size_t bytes) {
    std::lock_guard<std::mutex> held(deviceLock);
    if (u8* from = deviceMemory().host(source, bytes)) memcpy(target, from, bytes);
}

DRIVER_FUNCTION cuMemcpyHtoD_v2(u64 target, const void* source, size_t bytes) {
    NEEDS_CONTEXT;
    if (int result = checkRange(target, bytes, "cuMemcpyHtoD")) return result;
    return enqueueAndWait(nullptr, [=] { copyIn(target, source, bytes); });
}
DRIVER_FUNCTION cuMemcpyDtoH_v2(void* target, u64 source, size_t bytes) {
    NEEDS_CONTEXT;
    if (int result = checkRange(source, bytes, "cuMemcpyDtoH")) return result;
    return enqueueAndWait(nullptr, [=] { copyOut(target, source, bytes); });
}
DRIVER_FUNCTION cuMemcpyHtoDAsync_v2(u64 target, const void* source, size_t bytes, void* stream) {
    NEEDS_CONTEXT;
    if (int result = checkRange(target, bytes, "cuMemcpyHtoDAsync")) return result;
    if (deviceMemory().isPinned(source, bytes)) return enqueue(stream, [=] { copyIn(target, source, bytes); });
    auto staged = std::make_shared<std::vector<u8>>((const u8*)source, (const u8*)source + bytes);
    return enqueue(stream, [=] { copyIn(target, staged->data(), bytes); });
}
DRIVER_FUNCTION cuMemcpyDtoHAsync_v2(void* target, u64 source, size_t bytes, void* stream) {
    NEEDS_CONTEXT;
    if (int result = checkRange(source, bytes, "cuMemcpyDtoHAsync")) return result;
    auto copy = [=] { copyOut(target, source, bytes); };
    return deviceMemory().isPinned(target, bytes) ? enqueue(stream, copy) : enqueueAndWait(stream, copy);
}
DRIVER_FUNCTION cuMemcpyDtoDAsync_v2(u64 target, u64 source, size_t bytes, void* stream) {
    NEEDS_CONTEXT;
    if (int result = checkRange(target, bytes, "cuMemcpyDtoD to")) return result;
    if (int result = checkRange(source, bytes, "cuMemcpyDtoD from")) return result;
    return enqueue(stream, [=] {
        std::lock_guard<std::mutex> held(deviceLock);
        u8 *to = deviceMemory().host(target, bytes), *from = deviceMemory().host(source, bytes);
        if (!to || !from) return;
        memmove(to, from, bytes);
        deviceMemory().copyWritten(target, source, bytes);
    });
}
DRIVER_FUNCTION cuMemcpyDtoD_v2(u64 target, u64 source, size_t bytes) {
    return cuMemcpyDtoDAsync_v2(target, source, bytes, nullptr);
}

template <class T>
static int fill(u64 target, T value, size_t count, void* stream) {
    NEEDS_CONTEXT;
    size_t bytes = count * sizeof(T);
    if (int result = checkRange(target, bytes, "cuMemset")) return result;
    return enqueue(stream, [=] {
        std::lock_guard<std::mutex> held(deviceLock);
        T* to = (T*)deviceMemory().host(target, bytes);
        if (!to) return;
        for (size_t i = 0; i < count; i++) to[i] = value;
        deviceMemory().markWritten(target, bytes);
    });
}
DRIVER_FUNCTION cuMemsetD8_v2(u64 target, u8 value, size_t n) { return fill(target, value, n, nullptr); }
DRIVER_FUNCTION cuMemsetD16_v2(u64 target, u16 value, size_t n) { return fill(target, value, n, nullptr); }
DRIVER_FUNCTION cuMemsetD32_v2(u64 target, u32 value, size_t n) { return fill(target, value, n, nullptr); }
DRIVER_FUNCTION cuMemsetD8Async(u64 target, u8 value, size_t n, void* stream) { return fill(target, value, n, stream); }
DRIVER_FUNCTION cuMemsetD16Async(u64 target, u16 value, size_t n, void* stream) {
    return fill(target, value, n, stream);
}
DRIVER_FUNCTION cuMemsetD32Async(u64 target, u32 value, size_t n, void* stream) {
    return fill(target, value, n, stream);
}
