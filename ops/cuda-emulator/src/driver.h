// The state behind the driver's functions: settings, device memory, streams, contexts.
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "machine.h"

// A function of the driver's interface.
#define DRIVER_FUNCTION extern "C" __attribute__((visibility("default"))) int

namespace emulator {
enum Result {
    SUCCESS = 0,
    INVALID_VALUE = 1,
    OUT_OF_MEMORY = 2,
    NOT_INITIALISED = 3,
    NO_DEVICE = 100,
    INVALID_DEVICE = 101,
    INVALID_CONTEXT = 201,
    NO_BINARY_FOR_GPU = 209,
    INVALID_PTX = 218,
    UNSUPPORTED_PTX_VERSION = 222,
    FILE_NOT_FOUND = 301,
    INVALID_HANDLE = 400,
    NOT_FOUND = 500,
    NOT_READY = 600,
    LAUNCH_OUT_OF_RESOURCES = 701,
    NOT_SUPPORTED = 801,
    CAPTURE_INVALIDATED = 901
};

// What the environment variables CUDA_EMULATOR_* say; tests may change it through cudaEmulatorSet.
struct Settings {
    Options options;
    int computeCapability = 80, ptxVersion = 90, driverVersion = 13000, devices = 1;
    u64 memoryBytes = 8ull << 30;
    bool statistics = false;

    Settings();
    // Answers whether there is such a setting.
    bool set(const std::string& name, const std::string& value);
};
Settings& settings();

extern std::recursive_mutex driverLock;  // guards the state below
extern std::mutex deviceLock;            // kernels and copies run one at a time

// Device addresses are not mapped in the host process: touching one there crashes, as on a real machine.
class DeviceMemory : public Memory {
  public:
    DeviceMemory();
    u64 allocate(u64 bytes) override;
    bool release(u64 address);
    bool find(u64 address, Region& region) override;
    std::string describe(u64 address) override;
    u64 generation() override { return changes; }

    void pin(void* host, u64 bytes, bool owned);
    // Answers the bytes that were pinned there, or 0.
    u64 unpin(void* host);
    bool isPinned(const void* host, u64 bytes);
    // Where `bytes` bytes of device memory lie, or null if they are not all allocated.
    u8* host(u64 address, u64 bytes);
    void markWritten(u64 address, u64 bytes);
    void copyWritten(u64 target, u64 source, u64 bytes);
    u64 usedBytes() const { return used; }

  private:
    struct Allocation {
        u64 bytes;
        bool pinnedHost;
    };
    static constexpr u64 base = 1ull << 45;
    u64 span;
    u8 *bytes, *written;
    GlobalCell* cells;
    u64 top = 0, used = 0;
    std::atomic<u64> changes{1};
    std::map<u64, Allocation> live;
    std::map<u64, u64> dead;            // address -> bytes
    std::multimap<u64, u64> freeSlots;  // bytes -> address
};
DeviceMemory& deviceMemory();

struct Graph {
    std::vector<std::function<void()>> operations;
};

// A stream is a thread, so work that is not waited for is really late.
class Stream {
  public:
    u32 flags = 0;
    int priority = 0;
    Graph* capture = nullptr;

    Stream();
    ~Stream();
    void push(std::function<void()> operation);
    void synchronise();
    bool idle();

  private:
    std::deque<std::function<void()>> queue;
    std::mutex lock;
    std::condition_variable arrived, emptied;
    bool busy = false, stopping = false;
    std::thread thread;
    void run();
};

struct Event {
    std::mutex lock;
    std::condition_variable happened;
    bool recorded = false, done = true;
    std::chrono::steady_clock::time_point time;
    void await() {
        std::unique_lock<std::mutex> held(lock);
        happened.wait(held, [&] { return done; });
    }
};

struct DriverContext {
    u32 flags = 0;
};

struct LoadedModule {
    std::unique_ptr<Module> module;
};

struct DriverState {
    bool initialised = false;
    DriverContext* primary = nullptr;
    int primaryReferences = 0;
    std::set<Stream*> streams;
    Stream* defaultStream = nullptr;
    std::set<LoadedModule*> modules;
    std::atomic<int> fault{0};  // once a kernel failed, every call answers its error until the context is reset
    std::string faultText;
    Statistics statistics;
};
DriverState& state();
extern thread_local std::vector<DriverContext*> contexts;

// Says why on standard error, and answers the result.
int refuse(int result, const std::string& why);
// Null for a handle that is no stream.
Stream* streamOf(void* handle);
int enqueue(void* stream, std::function<void()> operation);
int enqueueAndWait(void* stream, std::function<void()> operation);

#define NEEDS_CONTEXT                                                     \
    do {                                                                  \
        if (!state().initialised) return NOT_INITIALISED;                 \
        if (contexts.empty() || !contexts.back()) return INVALID_CONTEXT; \
        if (state().fault) return state().fault;                          \
    } while (0)
}  // namespace emulator
