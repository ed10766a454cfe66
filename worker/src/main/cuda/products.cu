// Products of weights with activations (rules C and D).
#include "canon.cuh"

// --- integer-coded weights ---------------------------------------------------------------------------------------

// 32 columns of one row of a tile as eight words of signed bytes, and what their products are multiples of.
template <int TYPE>
struct Codes;

template <>
struct Codes<Q8_0> {
  static const int BYTES = Q8_0_BYTES;
  static const int SHIFT = 0;
  u32 words[8];  // word j: columns 4 j to 4 j + 3

  __device__ __forceinline__ void load(const u8* block, int r) {
    const u32* from = (const u32*)block + r;
#pragma unroll
    for (int j = 0; j < 8; j++) words[j] = __ldg(from + LANES * j);
  }
};

template <>
struct Codes<Q4_0> {
  static const int BYTES = Q4_0_BYTES;
  static const int SHIFT = 4;
  u32 words[8];

  __device__ __forceinline__ void load(const u8* block, int r) {
    const u32* from = (const u32*)block + r;
#pragma unroll
    for (int j = 0; j < 4; j++) {
      u32 both = __ldg(from + LANES * j);
      words[j] = lowNibbles(both);
      words[4 + j] = highNibbles(both);
    }
  }
};

template <int TYPE>
__device__ __forceinline__ float weightScale(const u8* block, int r) {
  return fromHalf(__ldg((const u16*)(block + Codes<TYPE>::BYTES - 64) + r));
}

// A few activation rows: a block of threads makes one tile of 32 outputs for COUNT of them. A thread has one weight row,
// a warp takes every blockDim.y-th segment; the sums of the segments meet in shared memory and are added in order.
template <int TYPE, int COUNT>
__device__ __forceinline__ void fewRows(const u8* w, int rows, int columns, const u8* q, const float* scales, int n,
                                        float* y, int yStride) {
  __shared__ float partial[8][COUNT][LANES];
  int warp = threadIdx.y;
  int warps = blockDim.y;
  int r = threadIdx.x;
  int blocks = columns / BLOCK;
  int first = blockIdx.y * COUNT;
  int live = min(COUNT, n - first);
  const u8* tile = w + (s64)blockIdx.x * blocks * Codes<TYPE>::BYTES;
  const uint4* qRows[COUNT];
  const float* scaleRows[COUNT];
#pragma unroll
  for (int i = 0; i < COUNT; i++) {
    s64 row = first + min(i, live - 1);
    qRows[i] = (const uint4*)(q + row * columns);
    scaleRows[i] = scales + row * blocks;
  }
  float total[COUNT];
  int segments = (columns + SEGMENT - 1) / SEGMENT;
  for (int round = 0; round < segments; round += warps) {
    int segment = round + warp;
    float acc[COUNT] = {};
    int end = min(blocks, (segment + 1) * (SEGMENT / BLOCK));
#pragma unroll 2
    for (int b = segment * (SEGMENT / BLOCK); b < end; b++) {
      const u8* block = tile + (s64)b * Codes<TYPE>::BYTES;
      Codes<TYPE> codes;
      codes.load(block, r);
      float dw = weightScale<TYPE>(block, r);
#pragma unroll
      for (int i = 0; i < COUNT; i++) {
        uint4 x0 = __ldg(qRows[i] + 2 * b);
        uint4 x1 = __ldg(qRows[i] + 2 * b + 1);
        int sum = dot4(codes.words[0], x0.x, 0);
        sum = dot4(codes.words[1], x0.y, sum);
        sum = dot4(codes.words[2], x0.z, sum);
        sum = dot4(codes.words[3], x0.w, sum);
        sum = dot4(codes.words[4], x1.x, sum);
        sum = dot4(codes.words[5], x1.y, sum);
        sum = dot4(codes.words[6], x1.z, sum);
        sum = dot4(codes.words[7], x1.w, sum);
        float scale = __fmul_rn(dw, __ldg(scaleRows[i] + b));
        acc[i] = __fmaf_rn(toFloat(sum >> Codes<TYPE>::SHIFT), scale, acc[i]);
      }
    }
    if (round > 0) __syncthreads();  // the sums of the round before have been read
#pragma unroll
    for (int i = 0; i < COUNT; i++) partial[warp][i][r] = acc[i];
    __syncthreads();
    // Warp i adds up output row i, i + warps ...
    int here = min(warps, segments - round);
#pragma unroll
    for (int i = 0; i < COUNT; i++) {
      if (i % warps == warp) {
        float sum = round == 0 ? partial[0][i][r] : __fadd_rn(total[i], partial[0][i][r]);
        for (int s = 1; s < here; s++) sum = __fadd_rn(sum, partial[s][i][r]);
        total[i] = sum;
      }
    }
  }
  int row = blockIdx.x * LANES + r;
#pragma unroll
  for (int i = 0; i < COUNT; i++) {
    if (i % warps == warp && i < live && row < rows) y[(s64)(first + i) * yStride + row] = total[i];
  }
}

#define FEW_ROWS(TYPE, COUNT)                                                                                          \
  extern "C" __global__ void __launch_bounds__(256) few_##TYPE##_##COUNT(                                              \
      const u8* w, int rows, int columns, const u8* q, const float* scales, int n, float* y, int yStride) {            \
    fewRows<TYPE, COUNT>(w, rows, columns, q, scales, n, y, yStride);                                                  \
  }

FEW_ROWS(Q8_0, 1)
FEW_ROWS(Q8_0, 2)
FEW_ROWS(Q8_0, 4)
FEW_ROWS(Q8_0, 8)
FEW_ROWS(Q4_0, 1)
FEW_ROWS(Q4_0, 2)
FEW_ROWS(Q4_0, 4)
FEW_ROWS(Q4_0, 8)

// Many activation rows, on tensor cores: a block of four warps makes 4 tiles for 32 of them. The codes of a segment
// are staged in shared memory; a weight word is the fragment of mma m16n8k32 as it lies in the tile.
const int MANY = 32;                     // activation rows of a block
const int WARPS = 4;                     // tiles of a block
const int PITCH = SEGMENT / 4 + 4;       // words from one staged row to the next: free of bank conflicts
const int SEGMENT_BLOCKS = SEGMENT / BLOCK;

__device__ __forceinline__ void mma(int (&c)[4], const u32 (&a)[4], u32 b0, u32 b1) {
  asm("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

template <int TYPE>
__device__ __forceinline__ void loadFragment(u32 (&a)[4], const u8* block, int row, int t) {
#pragma unroll
  for (int h = 0; h < 2; h++) {
    const u32* word = (const u32*)block + row + 8 * h;
    if (TYPE == Q4_0) {
      u32 both = __ldg(word + LANES * t);
      a[h] = lowNibbles(both);
      a[2 + h] = highNibbles(both);
    } else {
      a[h] = __ldg(word + LANES * t);
      a[2 + h] = __ldg(word + LANES * (t + 4));
    }
  }
}

template <int TYPE>
__device__ __forceinline__ void manyRows(const u8* w, int rows, int columns, const u8* q, const float* scales, int n,
                                         float* y, int yStride) {
  __shared__ __align__(16) u32 staged[MANY][PITCH];
  __shared__ float stagedScales[SEGMENT_BLOCKS][MANY];
  int g = lane() / 4;  // row of a fragment, and activation row of its other operand
  int t = lane() % 4;  // place in a fragment
  int blocks = columns / BLOCK;
  int tiles = (rows + LANES - 1) / LANES;
  int tile = blockIdx.x * WARPS + threadIdx.x / LANES;
  int first = blockIdx.y * MANY;
  int live = min(MANY, n - first);
  const u8* weights = w + (s64)min(tile, tiles - 1) * blocks * Codes<TYPE>::BYTES;
  float total[2][4][4];
  for (int from = 0; from < blocks; from += SEGMENT_BLOCKS) {
    int here = min(SEGMENT_BLOCKS, blocks - from);
    __syncthreads();  // the segment before has been read
    for (int i = threadIdx.x; i < MANY * here * 2; i += blockDim.x) {
      int row = i / (here * 2);
      int part = i - row * here * 2;
      uint4 codes = make_uint4(0, 0, 0, 0);
      if (row < live) codes = __ldg((const uint4*)(q + (s64)(first + row) * columns + from * BLOCK) + part);
      *(uint4*)&staged[row][4 * part] = codes;
    }
    for (int i = threadIdx.x; i < MANY * here; i += blockDim.x) {
      int row = i / here;
      int b = i - row * here;
      stagedScales[b][row] = row < live ? __ldg(scales + (s64)(first + row) * blocks + from + b) : 0;
    }
    __syncthreads();
    float acc[2][4][4] = {};
    for (int b = 0; b < here; b++) {
      const u8* block = weights + (s64)(from + b) * Codes<TYPE>::BYTES;
#pragma unroll
      for (int m = 0; m < 2; m++) {
        int row = 16 * m + g;
        u32 a[4];
        loadFragment<TYPE>(a, block, row, t);
        float upper = weightScale<TYPE>(block, row);
        float lower = weightScale<TYPE>(block, row + 8);
#pragma unroll
        for (int c = 0; c < 4; c++) {
          int sums[4] = {};
          mma(sums, a, staged[8 * c + g][8 * b + t], staged[8 * c + g][8 * b + 4 + t]);
          float dx0 = stagedScales[b][8 * c + 2 * t];
          float dx1 = stagedScales[b][8 * c + 2 * t + 1];
          float* f = acc[m][c];
          f[0] = __fmaf_rn(toFloat(sums[0] >> Codes<TYPE>::SHIFT), __fmul_rn(upper, dx0), f[0]);
          f[1] = __fmaf_rn(toFloat(sums[1] >> Codes<TYPE>::SHIFT), __fmul_rn(upper, dx1), f[1]);
          f[2] = __fmaf_rn(toFloat(sums[2] >> Codes<TYPE>::SHIFT), __fmul_rn(lower, dx0), f[2]);
          f[3] = __fmaf_rn(toFloat(sums[3] >> Codes<TYPE>::SHIFT), __fmul_rn(lower, dx1), f[3]);
        }
      }
    }
#pragma unroll
    for (int i = 0; i < 32; i++) {
      float sum = (&acc[0][0][0])[i];
      (&total[0][0][0])[i] = from == 0 ? sum : __fadd_rn((&total[0][0][0])[i], sum);
    }
  }
#pragma unroll
  for (int m = 0; m < 2; m++)
#pragma unroll
    for (int c = 0; c < 4; c++)
#pragma unroll
      for (int i = 0; i < 4; i++) {
        int row = tile * LANES + 16 * m + g + 8 * (i / 2);
        int activation = 8 * c + 2 * t + i % 2;
        if (row < rows && activation < live) y[(s64)(first + activation) * yStride + row] = total[m][c][i];
      }
}

extern "C" __global__ void __launch_bounds__(128) many_Q8_0(
    const u8* w, int rows, int columns, const u8* q, const float* scales, int n, float* y, int yStride) {
  manyRows<Q8_0>(w, rows, columns, q, scales, n, y, yStride);
}

extern "C" __global__ void __launch_bounds__(128) many_Q4_0(
    const u8* w, int rows, int columns, const u8* q, const float* scales, int n, float* y, int yStride) {
  manyRows<Q4_0>(w, rows, columns, q, scales, n, y, yStride);
}

// --- float weights -----------------------------------------------------------------------------------------------

template <int TYPE>
__device__ __forceinline__ float weightAt(const void* weights, s64 index) {
  return TYPE == F32 ? __ldg((const float*)weights + index)
       : TYPE == F16 ? fromHalf(__ldg((const u16*)weights + index))
                     : fromBfloat(__ldg((const u16*)weights + index));
}

// Rule D: a lane has one of the 32 partial sums; a warp makes four weight rows times COUNT activation rows.
template <int TYPE, int COUNT>
__device__ __forceinline__ void floatRows(const void* w, int rows, int columns, const float* x, int xStride, int n,
                                          float* y, int yStride) {
  const int ROWS = 4;
  int firstRow = (blockIdx.x * (blockDim.x / LANES) + threadIdx.x / LANES) * ROWS;
  if (firstRow >= rows) return;
  int first = blockIdx.y * COUNT;
  s64 weightRows[ROWS];
  const float* xRows[COUNT];
#pragma unroll
  for (int r = 0; r < ROWS; r++) weightRows[r] = (s64)min(firstRow + r, rows - 1) * columns;
#pragma unroll
  for (int i = 0; i < COUNT; i++) xRows[i] = x + (s64)min(first + i, n - 1) * xStride;
  float sums[ROWS * COUNT] = {};
  int whole = columns / LANES * LANES;
#pragma unroll 4
  for (int k = lane(); k < whole; k += LANES) {
    float weights[ROWS];
#pragma unroll
    for (int r = 0; r < ROWS; r++) weights[r] = weightAt<TYPE>(w, weightRows[r] + k);
#pragma unroll
    for (int i = 0; i < COUNT; i++) {
      float value = __ldg(xRows[i] + k);
#pragma unroll
      for (int r = 0; r < ROWS; r++) sums[i * ROWS + r] = __fmaf_rn(weights[r], value, sums[i * ROWS + r]);
    }
  }
  if (whole < columns) {  // the last columns: both factors are padded with zeros, which turns a sum of -0 into +0
    int k = whole + lane();
    bool inside = k < columns;
#pragma unroll
    for (int i = 0; i < COUNT; i++) {
      float value = inside ? __ldg(xRows[i] + k) : 0;
#pragma unroll
      for (int r = 0; r < ROWS; r++) {
        float weight = inside ? weightAt<TYPE>(w, weightRows[r] + k) : 0;
        sums[i * ROWS + r] = __fmaf_rn(weight, value, sums[i * ROWS + r]);
      }
    }
  }
  float sum = trees<ROWS * COUNT>(sums);
  int output = treeOutput<ROWS * COUNT>();
  int row = firstRow + output % ROWS;
  int activation = first + output / ROWS;
  if (treeWriter<ROWS * COUNT>() && row < rows && activation < n) y[(s64)activation * yStride + row] = sum;
}

#define FLOAT_ROWS(TYPE, COUNT)                                                                                        \
  extern "C" __global__ void __launch_bounds__(128) rows_##TYPE##_##COUNT(                                             \
      const void* w, int rows, int columns, const float* x, int xStride, int n, float* y, int yStride) {               \
    floatRows<TYPE, COUNT>(w, rows, columns, x, xStride, n, y, yStride);                                               \
  }

FLOAT_ROWS(F32, 1)
FLOAT_ROWS(F32, 8)
FLOAT_ROWS(F16, 1)
FLOAT_ROWS(F16, 8)
FLOAT_ROWS(BF16, 1)
FLOAT_ROWS(BF16, 8)
