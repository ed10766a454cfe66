// Operations on rows: one block a row, neighbouring threads at neighbouring columns.
#include "canon.cuh"

#define ROW_KERNEL extern "C" __global__ void __launch_bounds__(256)

// Rule B. A warp takes 32 columns; `blocks` = n * columns / 32.
ROW_KERNEL quantise(const float* x, int xStride, u32* q, float* scales, int columns, int blocks) {
  int b = (blockIdx.x * blockDim.x + threadIdx.x) / LANES;
  if (b >= blocks) return;
  int perRow = columns / BLOCK;
  int row = b / perRow;
  float value = x[(s64)row * xStride + (b - row * perRow) * BLOCK + lane()];
  int largest = __float_as_int(value) & 0x7fffffff;  // the bits of |x| are ordered like |x|, with Inf and NaN on top
#pragma unroll
  for (int h = 16; h >= 1; h >>= 1) largest = max(largest, __shfl_xor_sync(ALL_LANES, largest, h));
  float dx = 0;
  int code = 0;
  if (largest >= 0x7f800000) {
    dx = __int_as_float(0x7fc00000);
  } else if (__int_as_float(largest) >= 0x1p-100f) {
    dx = __fdiv_rn(__int_as_float(largest), 127.0f);
    code = __float2int_rn(__fmul_rn(value, __fdiv_rn(1.0f, dx)));
  }
  // Four lanes pack their codes into a word, so that a warp writes one sector.
  u32 word = (u32)(code & 255) << (8 * (lane() & 3));
  word |= __shfl_xor_sync(ALL_LANES, word, 1);
  word |= __shfl_xor_sync(ALL_LANES, word, 2);
  if ((lane() & 3) == 0) q[(s64)b * 8 + lane() / 4] = word;
  if (lane() == 0) scales[b] = dx;
}

// Rows of an embedding table (rule G).
ROW_KERNEL embed(const u8* table, int type, const int* ids, int columns, float* y, int yStride) {
  int id = ids[blockIdx.x];
  float* to = y + (s64)blockIdx.x * yStride;
  if (type <= BF16) {
    for (int k = threadIdx.x; k < columns; k += blockDim.x) to[k] = floatAt(table, type, (s64)id * columns + k);
    return;
  }
  int blockBytes = type == Q8_0 ? Q8_0_BYTES : Q4_0_BYTES;
  int r = id % LANES;
  const u8* tile = table + (s64)(id / LANES) * (columns / BLOCK) * blockBytes;
  for (int k = threadIdx.x; k < columns; k += blockDim.x) {
    const u8* block = tile + (s64)(k / BLOCK) * blockBytes;
    int c = k % BLOCK;
    int code;
    if (type == Q8_0) {
      code = (signed char)block[(LANES * (c / 4) + r) * 4 + c % 4];
    } else {
      int both = block[(LANES * (c % 16 / 4) + r) * 4 + c % 4];
      code = (c < 16 ? both & 15 : both >> 4) - 8;
    }
    float scale = fromHalf(((const u16*)(block + blockBytes - 64))[r]);
    to[k] = __fmul_rn((float)code, scale);
  }
}

// RMSNorm (rule E): the first warp forms the sum, all write. y may be x.
ROW_KERNEL rmsNorm(const float* x, int xStride, const void* weight, int type, float epsilon, float* y, int yStride,
                   int columns) {
  __shared__ float reciprocal;
  const float* from = x + (s64)blockIdx.x * xStride;
  float* to = y + (s64)blockIdx.x * yStride;
  if (threadIdx.x < LANES) {
    float sum = 0;
    int whole = columns / LANES * LANES;
#pragma unroll 8
    for (int k = lane(); k < whole; k += LANES) sum = __fmaf_rn(from[k], from[k], sum);
    if (whole + lane() < columns) sum = __fmaf_rn(from[whole + lane()], from[whole + lane()], sum);
    sum = tree(sum);
    if (lane() == 0) {
      float mean = __fdiv_rn(sum, (float)columns);
      reciprocal = __fdiv_rn(1.0f, __fsqrt_rn(__fadd_rn(mean, epsilon)));
    }
  }
  __syncthreads();
  float r = reciprocal;
  for (int k = threadIdx.x; k < columns; k += blockDim.x)
    to[k] = __fmul_rn(__fmul_rn(from[k], r), floatAt(weight, type, k));
}

ROW_KERNEL add(float* x, int xStride, const float* y, int yStride, int columns) {
  float* to = x + (s64)blockIdx.x * xStride;
  const float* from = y + (s64)blockIdx.x * yStride;
  for (int k = threadIdx.x; k < columns; k += blockDim.x) to[k] = __fadd_rn(to[k], from[k]);
}

ROW_KERNEL addBias(float* x, int xStride, const void* bias, int type, int columns) {
  float* to = x + (s64)blockIdx.x * xStride;
  for (int k = threadIdx.x; k < columns; k += blockDim.x) to[k] = __fadd_rn(to[k], floatAt(bias, type, k));
}

// y may be gate.
ROW_KERNEL swiglu(const float* gate, int gateStride, const float* up, int upStride, float* y, int yStride,
                  int columns) {
  const float* g = gate + (s64)blockIdx.x * gateStride;
  const float* u = up + (s64)blockIdx.x * upStride;
  float* to = y + (s64)blockIdx.x * yStride;
  for (int k = threadIdx.x; k < columns; k += blockDim.x) to[k] = __fmul_rn(silu(g[k]), u[k]);
}

// gpt-oss: see Backend.clampedSwiglu. A NaN passes the bounds. y may be gate.
ROW_KERNEL clampedSwiglu(const float* gate, int gateStride, const float* up, int upStride, float* y, int yStride,
                         int columns, float alpha, float limit) {
  const float* gates = gate + (s64)blockIdx.x * gateStride;
  const float* ups = up + (s64)blockIdx.x * upStride;
  float* to = y + (s64)blockIdx.x * yStride;
  for (int k = threadIdx.x; k < columns; k += blockDim.x) {
    float g = gates[k];
    float u = ups[k];
    g = limit < g ? limit : g;
    u = limit < u ? limit : u;
    u = u < -limit ? -limit : u;
    to[k] = __fmul_rn(__fadd_rn(u, 1.0f), __fmul_rn(g, sigmoid(__fmul_rn(g, alpha))));
  }
}

ROW_KERNEL scale(float* x, int xStride, int columns, float factor) {
  float* to = x + (s64)blockIdx.x * xStride;
  for (int k = threadIdx.x; k < columns; k += blockDim.x) to[k] = __fmul_rn(to[k], factor);
}

ROW_KERNEL scaleBySigmoid(float* x, int xStride, int columns, const float* logits, int logitStride) {
  float* to = x + (s64)blockIdx.x * xStride;
  float factor = sigmoid(logits[(s64)blockIdx.x * logitStride]);
  for (int k = threadIdx.x; k < columns; k += blockDim.x) to[k] = __fmul_rn(to[k], factor);
}

// RoPE (rules E and G): a thread turns a pair. table: [positions, half, 2], cos and sin.
ROW_KERNEL rope(float* x, int xStride, int heads, int headStride, int half, int interleaved, const int* positions,
                const float2* table) {
  float* row = x + (s64)blockIdx.x * xStride;
  const float2* turns = table + (s64)positions[blockIdx.x] * half;
  for (int i = threadIdx.x; i < heads * half; i += blockDim.x) {
    int head = i / half;
    int pair = i - head * half;
    float* at0 = row + (s64)head * headStride + (interleaved ? 2 * pair : pair);
    float* at1 = at0 + (interleaved ? 1 : half);
    float2 turn = __ldg(turns + pair);
    float x0 = *at0;
    float x1 = *at1;
    *at0 = __fmaf_rn(x0, turn.x, -__fmul_rn(x1, turn.y));
    *at1 = __fmaf_rn(x1, turn.x, __fmul_rn(x0, turn.y));
  }
}

// Row i goes to cache row slots[i].
ROW_KERNEL store(const float* x, int xStride, int columns, float* cache, int rowStride, const s64* slots) {
  const float* from = x + (s64)blockIdx.x * xStride;
  float* to = cache + slots[blockIdx.x] * rowStride;
  for (int k = threadIdx.x; k < columns; k += blockDim.x) to[k] = from[k];
}

// Row index[i] goes to row i.
ROW_KERNEL gather(const float* x, int xStride, const int* index, int columns, float* y, int yStride) {
  const float* from = x + (s64)index[blockIdx.x] * xStride;
  float* to = y + (s64)blockIdx.x * yStride;
  for (int k = threadIdx.x; k < columns; k += blockDim.x) to[k] = from[k];
}

// The same for codes, as pairs of 16 bytes, and their scales; blocks = columns / 32.
ROW_KERNEL gatherCodes(const uint4* q, const float* scales, const int* index, int blocks, uint4* toQ,
                       float* toScales) {
  s64 from = (s64)index[blockIdx.x] * blocks;
  s64 to = (s64)blockIdx.x * blocks;
  for (int k = threadIdx.x; k < 2 * blocks; k += blockDim.x) toQ[2 * to + k] = q[2 * from + k];
  for (int k = threadIdx.x; k < blocks; k += blockDim.x) toScales[to + k] = scales[from + k];
}

// Rule F: adds fix(weights[i] * y[i]) to row index[i] of the sums. Rows of one launch are distinct.
ROW_KERNEL accumulate(const float* y, int yStride, const float* weights, const int* index, int columns, s64* sums,
                      int* poisoned) {
  const float* from = y + (s64)blockIdx.x * yStride;
  float weight = weights[blockIdx.x];
  int row = index[blockIdx.x];
  s64* to = sums + (s64)row * columns;
  for (int k = threadIdx.x; k < columns; k += blockDim.x) {
    float term = __fmul_rn(weight, from[k]);
    if (fabsf(term) < 0x1p24f) {
      to[k] += __float2ll_rn(__fmul_rn(term, 0x1p32f));
    } else {
      atomicExch(poisoned + row, 1);
    }
  }
}

// Rule F: y = float(sums) * 2^-32.
ROW_KERNEL combine(const s64* sums, int columns, float* y, int yStride) {
  const s64* from = sums + (s64)blockIdx.x * columns;
  float* to = y + (s64)blockIdx.x * yStride;
  for (int k = threadIdx.x; k < columns; k += blockDim.x) to[k] = __fmul_rn(__ll2float_rn(from[k]), 0x1p-32f);
}
