// The device, contexts, modules and launches: the functions of the driver's interface that JCuda calls. Errors are
// those that NVIDIA's driver answers, and as there the fault of a kernel stays until the context is reset.
#include "driver.h"

#include <algorithm>
#include <cstdio>

using namespace emulator;

int emulator::refuse(int result, const std::string& why) {
    fprintf(stderr, "cuda-emulator: %s\n", why.c_str());
    return result;
}

DRIVER_FUNCTION cuInit(unsigned flags) {
    if (flags) return INVALID_VALUE;
    if (settings().devices == 0) return NO_DEVICE;
    state().initialised = true;
    return SUCCESS;
}
DRIVER_FUNCTION cuDriverGetVersion(int* version) {
    *version = settings().driverVersion;
    return SUCCESS;
}

// ---- the device

DRIVER_FUNCTION cuDeviceGetCount(int* count) {
    if (!state().initialised) return NOT_INITIALISED;
    *count = settings().devices;
    return SUCCESS;
}
DRIVER_FUNCTION cuDeviceGet(int* device, int ordinal) {
    if (!state().initialised) return NOT_INITIALISED;
    if (ordinal < 0 || ordinal >= settings().devices) return INVALID_DEVICE;
    *device = ordinal;
    return SUCCESS;
}
DRIVER_FUNCTION cuDeviceGetName(char* name, int length, int) {
    snprintf(name, length, "CUDA emulator (no GPU), as sm_%d", settings().computeCapability);
    return SUCCESS;
}
DRIVER_FUNCTION cuDeviceGetUuid(char* uuid, int) {
    memcpy(uuid, "emulator-no-gpu!", 16);
    return SUCCESS;
}
DRIVER_FUNCTION cuDeviceTotalMem_v2(size_t* bytes, int) {
    *bytes = settings().memoryBytes;
    return SUCCESS;
}
DRIVER_FUNCTION cuDeviceComputeCapability(int* major, int* minor, int) {
    *major = settings().computeCapability / 10;
    *minor = settings().computeCapability % 10;
    return SUCCESS;
}
DRIVER_FUNCTION cuDeviceGetPCIBusId(char* id, int length, int) {
    snprintf(id, length, "0000:00:00.0");
    return SUCCESS;
}
DRIVER_FUNCTION cuDeviceGetAttribute(int* value, int attribute, int) {
    static const std::map<int, int> attributes = {
        {1, 1024},     {2, 1024},     {3, 1024},    {4, 64},        {5, 2147483647},
        {6, 65535},    {7, 65535},                                // block and grid sizes
        {8, 49152},    {81, 167936},  {97, 166912}, {111, 1024},  // shared memory: of a block, a multiprocessor, on
                                                                  // request
        {9, 65536},    {12, 65536},   {82, 65536},                // constant memory, registers
        {10, 32},      {16, 4},       {39, 2048},   {106, 32},  // warp size, multiprocessors, threads and blocks of one
        {13, 1410000}, {36, 1215000}, {37, 5120},   {38, 40 << 20},  // clocks, bus width, cache
        {14, 512},     {31, 1},       {41, 1},      {83, 1}};        // alignment, concurrent kernels, unified addresses
    int capability = settings().computeCapability;
    auto found = attributes.find(attribute);
    *value = attribute == 75             ? capability / 10
             : attribute == 76           ? capability % 10
             : found == attributes.end() ? 0
                                         : found->second;
    return SUCCESS;
}

// ---- contexts

DRIVER_FUNCTION cuCtxCreate_v2(void** context, unsigned flags, int) {
    if (!state().initialised) return NOT_INITIALISED;
    contexts.push_back(new DriverContext{flags});
    *context = contexts.back();
    return SUCCESS;
}
DRIVER_FUNCTION cuCtxDestroy_v2(void* context) {
    contexts.erase(std::remove(contexts.begin(), contexts.end(), context), contexts.end());
    state().fault = 0;
    return SUCCESS;
}
DRIVER_FUNCTION cuCtxSetCurrent(void* context) {
    if (!state().initialised) return NOT_INITIALISED;
    if (contexts.empty()) contexts.push_back(nullptr);
    contexts.back() = (DriverContext*)context;
    return SUCCESS;
}
DRIVER_FUNCTION cuCtxGetCurrent(void** context) {
    if (!state().initialised) return NOT_INITIALISED;
    *context = contexts.empty() ? nullptr : contexts.back();
    return SUCCESS;
}
DRIVER_FUNCTION cuCtxPushCurrent_v2(void* context) {
    contexts.push_back((DriverContext*)context);
    return SUCCESS;
}
DRIVER_FUNCTION cuCtxPopCurrent_v2(void** context) {
    if (contexts.empty()) return INVALID_CONTEXT;
    if (context) *context = contexts.back();
    contexts.pop_back();
    return SUCCESS;
}
DRIVER_FUNCTION cuCtxGetDevice(int* device) {
    NEEDS_CONTEXT;
    *device = 0;
    return SUCCESS;
}
DRIVER_FUNCTION cuCtxGetApiVersion(void*, unsigned* version) {
    *version = 3020;
    return SUCCESS;
}
DRIVER_FUNCTION cuCtxGetStreamPriorityRange(int* least, int* greatest) {
    NEEDS_CONTEXT;
    if (least) *least = 0;
    if (greatest) *greatest = -5;
    return SUCCESS;
}
DRIVER_FUNCTION cuCtxSynchronize() {
    NEEDS_CONTEXT;
    std::set<Stream*> streams;
    {
        std::lock_guard<std::recursive_mutex> held(driverLock);
        streams = state().streams;
    }
    for (auto* stream : streams) stream->synchronise();
    return state().fault;
}
DRIVER_FUNCTION cuStreamGetCtx(void*, void** context) { return cuCtxGetCurrent(context); }
DRIVER_FUNCTION cuDevicePrimaryCtxRetain(void** context, int) {
    if (!state().initialised) return NOT_INITIALISED;
    std::lock_guard<std::recursive_mutex> held(driverLock);
    if (!state().primary) state().primary = new DriverContext;
    state().primaryReferences++;
    *context = state().primary;
    return SUCCESS;
}
// With the last reference the context goes, and with it the fault of a kernel.
DRIVER_FUNCTION cuDevicePrimaryCtxRelease_v2(int) {
    std::lock_guard<std::recursive_mutex> held(driverLock);
    if (state().primaryReferences == 0) return INVALID_CONTEXT;
    if (--state().primaryReferences == 0) state().fault = 0;
    return SUCCESS;
}
DRIVER_FUNCTION cuDevicePrimaryCtxReset_v2(int) {
    state().fault = 0;
    return SUCCESS;
}
DRIVER_FUNCTION cuDevicePrimaryCtxGetState(int, unsigned* flags, int* active) {
    *flags = 0;
    *active = state().primaryReferences > 0;
    return SUCCESS;
}

// ---- modules

static int checkTarget(const Module& m) {
    const Settings& s = settings();
    if (m.version > s.ptxVersion) {
        return refuse(UNSUPPORTED_PTX_VERSION, "PTX ISA " + std::to_string(m.version) + " is newer than this driver's");
    }
    if (m.target > s.computeCapability || (m.architectureSpecific && m.target != s.computeCapability)) {
        return refuse(NO_BINARY_FOR_GPU, "PTX for sm_" + std::to_string(m.target) + " does not run on this device");
    }
    return SUCCESS;
}

DRIVER_FUNCTION cuModuleLoadData(void** handle, const void* image) {
    NEEDS_CONTEXT;
    if (!image) return INVALID_VALUE;
    u32 magic;
    memcpy(&magic, image, 4);
    if (magic == 0xBA55ED50u || magic == 0x464c457fu) {
        return refuse(NO_BINARY_FOR_GPU, "cubin and fatbin images hold machine code, which nothing can execute here");
    }
    try {
        auto module = parseModule((const char*)image, deviceMemory());
        if (int result = checkTarget(*module)) return result;
        for (auto& [name, function] : module->functions) {
            if (!function->unsupported.empty())
                refuse(0, "kernel " + name + " cannot be run: " + function->unsupported);
        }
        std::lock_guard<std::recursive_mutex> held(driverLock);
        auto* loaded = new LoadedModule{std::move(module)};
        state().modules.insert(loaded);
        *handle = loaded;
        return SUCCESS;
    } catch (ParseError& e) {
        return refuse(INVALID_PTX, e.what());
    }
}
DRIVER_FUNCTION cuModuleLoadDataEx(void** handle, const void* image, unsigned, int*, void**) {
    return cuModuleLoadData(handle, image);
}
DRIVER_FUNCTION cuModuleLoad(void** handle, const char* path) {
    FILE* file = fopen(path, "rb");
    if (!file) return FILE_NOT_FOUND;
    std::string text;
    char buffer[65536];
    for (size_t n; (n = fread(buffer, 1, sizeof buffer, file));) text.append(buffer, n);
    fclose(file);
    return cuModuleLoadData(handle, text.c_str());
}
DRIVER_FUNCTION cuModuleUnload(void* handle) {
    if (!state().initialised) return NOT_INITIALISED;
    std::lock_guard<std::recursive_mutex> held(driverLock);
    auto* loaded = (LoadedModule*)handle;
    if (!state().modules.erase(loaded)) return INVALID_HANDLE;
    for (auto& [name, variable] : loaded->module->globals) deviceMemory().release(variable.address);
    delete loaded;
    return SUCCESS;
}
DRIVER_FUNCTION cuModuleGetFunction(void** function, void* handle, const char* name) {
    NEEDS_CONTEXT;
    std::lock_guard<std::recursive_mutex> held(driverLock);
    auto* loaded = (LoadedModule*)handle;
    if (!state().modules.count(loaded)) return INVALID_HANDLE;
    auto found = loaded->module->functions.find(name);
    if (found == loaded->module->functions.end()) return NOT_FOUND;
    if (!found->second->unsupported.empty()) return refuse(NOT_SUPPORTED, name + (": " + found->second->unsupported));
    *function = found->second.get();
    return SUCCESS;
}
DRIVER_FUNCTION cuModuleGetGlobal_v2(u64* address, size_t* bytes, void* handle, const char* name) {
    NEEDS_CONTEXT;
    auto& globals = ((LoadedModule*)handle)->module->globals;
    auto found = globals.find(name);
    if (found == globals.end()) return NOT_FOUND;
    if (address) *address = found->second.address;
    if (bytes) *bytes = found->second.size;
    return SUCCESS;
}

static constexpr u32 sharedMax = 166912;  // of a block, on request

DRIVER_FUNCTION cuFuncGetAttribute(int* value, int attribute, void* function) {
    NEEDS_CONTEXT;
    auto* f = (Function*)function;
    const std::map<int, u32> attributes = {
        {0, f->maxThreads},           {1, f->staticShared},        {3, f->localBytes},      {4, 32},
        {5, (u32)f->module->version}, {6, (u32)f->module->target}, {8, f->maxDynamicShared}};
    auto found = attributes.find(attribute);
    *value = found == attributes.end() ? 0 : (int)found->second;
    return SUCCESS;
}
DRIVER_FUNCTION cuFuncSetAttribute(void* function, int attribute, int value) {
    NEEDS_CONTEXT;
    auto* f = (Function*)function;
    if (attribute != 8) return SUCCESS;
    if (value < 0 || (u32)value + f->staticShared > sharedMax) return INVALID_VALUE;
    f->maxDynamicShared = value;
    return SUCCESS;
}
DRIVER_FUNCTION cuFuncSetCacheConfig(void*, int) { return SUCCESS; }
DRIVER_FUNCTION cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, void*, int threads, size_t) {
    *blocks = threads ? std::max(1, 2048 / threads) : 0;
    return SUCCESS;
}

// ---- launches

static int checkLaunch(const Function& f, Dimensions grid, Dimensions block, u32 shared) {
    u64 threads = block.total();
    bool gridFits = grid.x && grid.y && grid.z && grid.x <= 0x7fffffff && grid.y <= 65535 && grid.z <= 65535;
    if (!gridFits || !threads || threads > 1024 || block.z > 64) {
        return refuse(INVALID_VALUE, f.name + ": sizes of the grid or of the block");
    }
    if (threads > f.maxThreads) {
        return refuse(LAUNCH_OUT_OF_RESOURCES, f.name + ": more threads than .maxntid allows");
    }
    bool aboveDefault = shared + f.staticShared > 48 * 1024 && f.maxDynamicShared <= 48 * 1024;
    if (shared > f.maxDynamicShared || aboveDefault) {
        return refuse(INVALID_VALUE, f.name + ": more dynamic shared memory than the function's limit");
    }
    return SUCCESS;
}

// Parameters come as an array of pointers or, through `extra`, as one buffer.
static int readParameters(const Function& f, void** pointers, void** extra, std::vector<u8>& bytes) {
    bytes.resize(std::max(1u, f.parameterBytes));
    if (pointers) {
        for (size_t i = 0; i < f.parameters.size(); i++) {
            if (!pointers[i]) return INVALID_VALUE;
            memcpy(bytes.data() + f.parameters[i].offset, pointers[i], f.parameters[i].size);
        }
        return SUCCESS;
    }
    if (f.parameters.empty()) return SUCCESS;
    if (!extra) return INVALID_VALUE;
    const void* buffer = nullptr;
    size_t size = 0;
    for (int i = 0; i < 8 && extra[i]; i += 2) {
        if (extra[i] == (void*)1) buffer = extra[i + 1];
        if (extra[i] == (void*)2) size = *(size_t*)extra[i + 1];
    }
    if (!buffer || size < f.parameterBytes) return INVALID_VALUE;
    memcpy(bytes.data(), buffer, f.parameterBytes);
    return SUCCESS;
}

static void runKernel(Function& f, Dimensions grid, Dimensions block, u32 shared, const u8* parameters) {
    std::lock_guard<std::mutex> held(deviceLock);
    if (state().fault) return;
    try {
        execute(f, grid, block, shared, parameters, deviceMemory(), settings().options, state().statistics);
    } catch (KernelFault& e) {
        fprintf(stderr, "cuda-emulator: %s\n", e.what());
        state().faultText = e.what();
        state().fault = e.code;
    }
}

DRIVER_FUNCTION cuLaunchKernel(void* function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX,
                               unsigned blockY, unsigned blockZ, unsigned shared, void* stream, void** pointers,
                               void** extra) {
    NEEDS_CONTEXT;
    auto* f = (Function*)function;
    if (!f) return INVALID_HANDLE;
    Dimensions grid{gridX, gridY, gridZ}, block{blockX, blockY, blockZ};
    if (int result = checkLaunch(*f, grid, block, shared)) return result;
    auto parameters = std::make_shared<std::vector<u8>>();
    if (int result = readParameters(*f, pointers, extra, *parameters)) return result;
    return enqueue(stream, [=] { runKernel(*f, grid, block, shared, parameters->data()); });
}

// ---- errors

static const char* nameOf(int result) {
    static const std::map<int, const char*> names = {{0, "CUDA_SUCCESS"},
                                                     {1, "CUDA_ERROR_INVALID_VALUE"},
                                                     {2, "CUDA_ERROR_OUT_OF_MEMORY"},
                                                     {3, "CUDA_ERROR_NOT_INITIALIZED"},
                                                     {100, "CUDA_ERROR_NO_DEVICE"},
                                                     {101, "CUDA_ERROR_INVALID_DEVICE"},
                                                     {201, "CUDA_ERROR_INVALID_CONTEXT"},
                                                     {209, "CUDA_ERROR_NO_BINARY_FOR_GPU"},
                                                     {218, "CUDA_ERROR_INVALID_PTX"},
                                                     {222, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION"},
                                                     {301, "CUDA_ERROR_FILE_NOT_FOUND"},
                                                     {400, "CUDA_ERROR_INVALID_HANDLE"},
                                                     {500, "CUDA_ERROR_NOT_FOUND"},
                                                     {600, "CUDA_ERROR_NOT_READY"},
                                                     {700, "CUDA_ERROR_ILLEGAL_ADDRESS"},
                                                     {701, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES"},
                                                     {702, "CUDA_ERROR_LAUNCH_TIMEOUT"},
                                                     {716, "CUDA_ERROR_MISALIGNED_ADDRESS"},
                                                     {719, "CUDA_ERROR_LAUNCH_FAILED"},
                                                     {801, "CUDA_ERROR_NOT_SUPPORTED"}};
    auto found = names.find(result);
    return found == names.end() ? "CUDA_ERROR_UNKNOWN" : found->second;
}
DRIVER_FUNCTION cuGetErrorName(int result, const char** name) {
    *name = nameOf(result);
    return SUCCESS;
}
// For the fault of a kernel: what the kernel did.
DRIVER_FUNCTION cuGetErrorString(int result, const char** text) {
    bool isFault = result && state().fault == result && !state().faultText.empty();
    *text = isFault ? state().faultText.c_str() : nameOf(result);
    return SUCCESS;
}
DRIVER_FUNCTION cuProfilerStart() { return SUCCESS; }
DRIVER_FUNCTION cuProfilerStop() { return SUCCESS; }
