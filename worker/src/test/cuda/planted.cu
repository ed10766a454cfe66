// Kernels with one fault each, and one without: they prove that the emulator's checks bite. Compiled to
// ../resources/org/bergfried/worker/kernel/cuda/planted.ptx with ./build; all run with one block of 64 threads
// unless said otherwise, on arrays of 64 floats.

// Right: each thread takes its neighbour's number from shared memory.
extern "C" __global__ void neighbour(const float* x, float* y) {
    __shared__ float s[64];
    s[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    y[threadIdx.x] = s[(threadIdx.x + 1) % 64];
}

// No barrier between writing and reading.
extern "C" __global__ void missingBarrier(const float* x, float* y) {
    __shared__ float s[64];
    s[threadIdx.x] = x[threadIdx.x];
    y[threadIdx.x] = s[(threadIdx.x + 1) % 64];
}

// No __syncwarp between lanes that pass a number through shared memory.
extern "C" __global__ void missingWarpBarrier(const float* x, float* y) {
    __shared__ volatile float s[64];
    s[threadIdx.x] = x[threadIdx.x];
    y[threadIdx.x] = s[threadIdx.x ^ 1];
}

// Every block adds to the same number without an atomic (two blocks).
extern "C" __global__ void globalRace(const float* x, float* y) {
    if (threadIdx.x == 0) y[0] = y[0] + x[blockIdx.x];
}

// Reads one element beyond the end.
extern "C" __global__ void beyondEnd(const float* x, float* y) { y[threadIdx.x] = x[threadIdx.x + 1]; }

// Writes beyond the end of shared memory, of which the launch gives 128 bytes.
extern "C" __global__ void beyondShared(const float* x, float* y) {
    extern __shared__ float s[];
    s[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    y[threadIdx.x] = s[63 - threadIdx.x];
}

// Half of the shared memory that is read was never written.
extern "C" __global__ void unwrittenShared(const float* x, float* y) {
    __shared__ float s[64];
    if (threadIdx.x < 32) s[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    y[threadIdx.x] = s[63 - threadIdx.x];
}

// Copies: a fault only if x was never written.
extern "C" __global__ void copy(const float* x, float* y) { y[threadIdx.x] = x[threadIdx.x]; }

// A load of 16 bytes at an address that is a multiple of 4 only.
extern "C" __global__ void misaligned(const float* x, float* y) {
    float4 v = reinterpret_cast<const float4*>(x + 1)[threadIdx.x / 8];
    y[threadIdx.x] = v.x + v.y + v.z + v.w;
}

// Half of a warp never comes to the shuffle that names all of it.
extern "C" __global__ void missingLanes(const float* x, float* y) {
    float v = x[threadIdx.x];
    if (threadIdx.x % 2 == 0) v = __shfl_xor_sync(0xffffffff, v, 1);
    y[threadIdx.x] = v;
}

// Threads that left do not come to the barrier.
extern "C" __global__ void barrierAfterExit(const float* x, float* y) {
    if (threadIdx.x >= 32) return;
    __syncthreads();
    y[threadIdx.x] = x[threadIdx.x];
}

// Never ends.
extern "C" __global__ void endless(const float* x, float* y) {
    volatile float* v = y;
    while (x[0] == x[0]) v[threadIdx.x] = 1;
}
