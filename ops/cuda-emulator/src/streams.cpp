// Streams, events, and what is captured into graphs.
#include "driver.h"

namespace emulator {
thread_local std::vector<DriverContext*> contexts;

DriverState& state() {
    static DriverState* instance = new DriverState;
    return *instance;
}

Stream::Stream() : thread([this] { run(); }) {}
Stream::~Stream() {
    {
        std::lock_guard<std::mutex> held(lock);
        stopping = true;
    }
    arrived.notify_all();
    thread.join();
}

void Stream::run() {
    for (;;) {
        std::function<void()> operation;
        {
            std::unique_lock<std::mutex> held(lock);
            arrived.wait(held, [&] { return stopping || !queue.empty(); });
            if (queue.empty()) return;
            operation = std::move(queue.front());
            queue.pop_front();
            busy = true;
        }
        operation();
        std::lock_guard<std::mutex> held(lock);
        busy = false;
        if (queue.empty()) emptied.notify_all();
    }
}

void Stream::push(std::function<void()> operation) {
    {
        std::lock_guard<std::mutex> held(lock);
        queue.push_back(std::move(operation));
    }
    arrived.notify_one();
}
void Stream::synchronise() {
    std::unique_lock<std::mutex> held(lock);
    emptied.wait(held, [&] { return queue.empty() && !busy; });
}
bool Stream::idle() {
    std::lock_guard<std::mutex> held(lock);
    return queue.empty() && !busy;
}

Stream* streamOf(void* handle) {
    std::lock_guard<std::recursive_mutex> held(driverLock);
    DriverState& s = state();
    if ((u64)handle <= 2) {  // the default stream under its three names
        if (!s.defaultStream) s.streams.insert(s.defaultStream = new Stream);
        return s.defaultStream;
    }
    return s.streams.count((Stream*)handle) ? (Stream*)handle : nullptr;
}

// The default stream waits for all blocking streams, and they wait for it.
static void awaitOrder(Stream* stream) {
    std::vector<Stream*> others;
    {
        std::lock_guard<std::recursive_mutex> held(driverLock);
        DriverState& s = state();
        if (stream == s.defaultStream) {
            for (auto* other : s.streams) {
                if (other != stream && !(other->flags & 1)) others.push_back(other);
            }
        } else if (!(stream->flags & 1) && s.defaultStream) {
            others.push_back(s.defaultStream);
        }
    }
    for (auto* other : others) other->synchronise();
}

int enqueue(void* handle, std::function<void()> operation) {
    Stream* stream = streamOf(handle);
    if (!stream) return INVALID_HANDLE;
    if (stream->capture) {
        stream->capture->operations.push_back(std::move(operation));
        return SUCCESS;
    }
    awaitOrder(stream);
    stream->push(std::move(operation));
    return SUCCESS;
}

int enqueueAndWait(void* handle, std::function<void()> operation) {
    Stream* stream = streamOf(handle);
    if (!stream) return INVALID_HANDLE;
    awaitOrder(stream);
    stream->push(std::move(operation));
    stream->synchronise();
    return state().fault;
}
}  // namespace emulator

using namespace emulator;

DRIVER_FUNCTION cuStreamCreate(void** handle, unsigned flags) {
    NEEDS_CONTEXT;
    auto* stream = new Stream;
    stream->flags = flags;
    std::lock_guard<std::recursive_mutex> held(driverLock);
    state().streams.insert(stream);
    *handle = stream;
    return SUCCESS;
}
DRIVER_FUNCTION cuStreamCreateWithPriority(void** handle, unsigned flags, int priority) {
    int result = cuStreamCreate(handle, flags);
    if (!result) ((Stream*)*handle)->priority = priority;
    return result;
}
DRIVER_FUNCTION cuStreamDestroy_v2(void* handle) {
    if (!state().initialised) return NOT_INITIALISED;
    {
        std::lock_guard<std::recursive_mutex> held(driverLock);
        if (!state().streams.erase((Stream*)handle)) return INVALID_HANDLE;
    }
    ((Stream*)handle)->synchronise();
    delete (Stream*)handle;
    return SUCCESS;
}
DRIVER_FUNCTION cuStreamSynchronize(void* handle) {
    NEEDS_CONTEXT;
    Stream* stream = streamOf(handle);
    if (!stream) return INVALID_HANDLE;
    if (stream->capture) return CAPTURE_INVALIDATED;
    return enqueueAndWait(handle, [] {});
}
DRIVER_FUNCTION cuStreamQuery(void* handle) {
    NEEDS_CONTEXT;
    Stream* stream = streamOf(handle);
    if (!stream) return INVALID_HANDLE;
    return stream->idle() ? (int)state().fault : NOT_READY;
}
DRIVER_FUNCTION cuStreamGetFlags(void* handle, unsigned* flags) {
    *flags = streamOf(handle)->flags;
    return SUCCESS;
}
DRIVER_FUNCTION cuStreamGetPriority(void* handle, int* priority) {
    *priority = streamOf(handle)->priority;
    return SUCCESS;
}
DRIVER_FUNCTION cuStreamWaitEvent(void* handle, void* event, unsigned) {
    NEEDS_CONTEXT;
    return enqueue(handle, [event] { ((Event*)event)->await(); });
}
DRIVER_FUNCTION cuLaunchHostFunc(void* handle, void (*function)(void*), void* argument) {
    NEEDS_CONTEXT;
    return enqueue(handle, [=] { function(argument); });
}
DRIVER_FUNCTION cuStreamAddCallback(void* handle, void (*function)(void*, int, void*), void* argument, unsigned) {
    NEEDS_CONTEXT;
    return enqueue(handle, [=] { function(handle, state().fault, argument); });
}

DRIVER_FUNCTION cuEventCreate(void** event, unsigned) {
    NEEDS_CONTEXT;
    *event = new Event;
    return SUCCESS;
}
DRIVER_FUNCTION cuEventDestroy_v2(void* event) {
    if (!state().initialised) return NOT_INITIALISED;
    ((Event*)event)->await();
    delete (Event*)event;
    return SUCCESS;
}
DRIVER_FUNCTION cuEventRecord(void* event, void* handle) {
    NEEDS_CONTEXT;
    auto* e = (Event*)event;
    {
        std::lock_guard<std::mutex> held(e->lock);
        e->recorded = true;
        e->done = false;
    }
    return enqueue(handle, [e] {
        std::lock_guard<std::mutex> held(e->lock);
        e->done = true;
        e->time = std::chrono::steady_clock::now();
        e->happened.notify_all();
    });
}
DRIVER_FUNCTION cuEventRecordWithFlags(void* event, void* handle, unsigned) { return cuEventRecord(event, handle); }
DRIVER_FUNCTION cuEventQuery(void* event) {
    NEEDS_CONTEXT;
    std::lock_guard<std::mutex> held(((Event*)event)->lock);
    return ((Event*)event)->done ? (int)state().fault : NOT_READY;
}
DRIVER_FUNCTION cuEventSynchronize(void* event) {
    NEEDS_CONTEXT;
    ((Event*)event)->await();
    return state().fault;
}
DRIVER_FUNCTION cuEventElapsedTime(float* milliseconds, void* from, void* to) {
    NEEDS_CONTEXT;
    auto *first = (Event*)from, *last = (Event*)to;
    if (!first->recorded || !last->recorded) return INVALID_HANDLE;
    if (!first->done || !last->done) return NOT_READY;
    *milliseconds = std::chrono::duration<float, std::milli>(last->time - first->time).count();
    return SUCCESS;
}

DRIVER_FUNCTION cuStreamBeginCapture_v2(void* handle, int) {
    NEEDS_CONTEXT;
    Stream* stream = streamOf(handle);
    if (!stream || stream == state().defaultStream) return INVALID_HANDLE;
    stream->synchronise();
    stream->capture = new Graph;
    return SUCCESS;
}
DRIVER_FUNCTION cuStreamEndCapture(void* handle, void** graph) {
    NEEDS_CONTEXT;
    Stream* stream = streamOf(handle);
    if (!stream || !stream->capture) return INVALID_HANDLE;
    *graph = stream->capture;
    stream->capture = nullptr;
    return SUCCESS;
}
DRIVER_FUNCTION cuStreamIsCapturing(void* handle, int* status) {
    *status = streamOf(handle)->capture ? 1 : 0;
    return SUCCESS;
}
DRIVER_FUNCTION cuGraphInstantiateWithFlags(void** executable, void* graph, u64) {
    *executable = new Graph(*(Graph*)graph);
    return SUCCESS;
}
DRIVER_FUNCTION cuGraphUpload(void*, void*) { return SUCCESS; }
DRIVER_FUNCTION cuGraphLaunch(void* executable, void* handle) {
    NEEDS_CONTEXT;
    Graph graph = *(Graph*)executable;
    return enqueue(handle, [graph] {
        for (auto& operation : graph.operations) operation();
    });
}
DRIVER_FUNCTION cuGraphExecDestroy(void* executable) {
    delete (Graph*)executable;
    return SUCCESS;
}
DRIVER_FUNCTION cuGraphDestroy(void* graph) {
    delete (Graph*)graph;
    return SUCCESS;
}
