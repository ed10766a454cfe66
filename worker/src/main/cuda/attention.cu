// Softmax attention over pages (rules D, E, G) in three kernels, two passes over the positions and no rescaling.
//
// A unit is a step's row and a few query heads that read the same key-value head; a launch makes the units from
// `firstUnit` on, as many as its scratch memory holds: scores[unit][head of the unit][pitch], by absolute position.
#include "canon.cuh"

// What all three kernels are told, field by field as in the launch.
struct Pages {
  const float* cache;  // with the layer's offset
  s64 pageStride;
  int rowStride;
  int pageRows;
  const int* tables;
  int pagesPerSequence;
};

__device__ __forceinline__ const float* cachedRow(const Pages& pages, const int* table, int position) {
  int page = position / pages.pageRows;
  int row = position - page * pages.pageRows;
  return pages.cache + __ldg(table + page) * pages.pageStride + (s64)row * pages.rowStride;
}

// Which row, key-value head and query heads a unit stands for.
struct Unit {
  int row;
  int kvHead;
  int head;   // the first
  int heads;  // 1 to the kernel's most
  int first;  // position that it sees
  int end;
};

__device__ __forceinline__ Unit unitOf(int number, int heads, int kvHeads, int headsOfUnit, int window,
                                       const int* positions) {
  int group = heads / kvHeads;
  int parts = (group + headsOfUnit - 1) / headsOfUnit;
  Unit unit;
  unit.row = number / (kvHeads * parts);
  int rest = number - unit.row * kvHeads * parts;
  unit.kvHead = rest / parts;
  int part = rest - unit.kvHead * parts;
  unit.head = unit.kvHead * group + part * headsOfUnit;
  unit.heads = min(headsOfUnit, group - part * headsOfUnit);
  unit.end = __ldg(positions + unit.row) + 1;
  unit.first = window == 0 ? 0 : max(0, unit.end - window);
  return unit;
}

// scores = (query . key) * scale. A warp makes eight positions times HEADS heads, a lane has one partial sum of each.
template <int HEADS>
__device__ __forceinline__ void scoresOf(Pages pages, const int* sequences, const int* positions, const float* query,
                                         int queryStride, int heads, int kvHeads, int keyColumns, int keyOffset,
                                         float scale, int window, int firstUnit, float* scores, int pitch) {
  const int POSITIONS = 8;
  Unit unit = unitOf(firstUnit + blockIdx.y, heads, kvHeads, HEADS, window, positions);
  int from = (blockIdx.x * (blockDim.x / LANES) + threadIdx.x / LANES) * POSITIONS;
  if (from >= unit.end || from + POSITIONS <= unit.first) return;
  const int* table = pages.tables + (s64)__ldg(sequences + unit.row) * pages.pagesPerSequence;
  int column = keyOffset + unit.kvHead * keyColumns;
  const float* keys[POSITIONS];
#pragma unroll
  for (int p = 0; p < POSITIONS; p++) {
    int position = min(max(from + p, unit.first), unit.end - 1);
    keys[p] = cachedRow(pages, table, position) + column;
  }
  const float* queries[HEADS];
#pragma unroll
  for (int h = 0; h < HEADS; h++) {
    int head = unit.head + min(h, unit.heads - 1);
    queries[h] = query + (s64)unit.row * queryStride + (s64)head * keyColumns;
  }
  float sums[POSITIONS * HEADS] = {};
  int padded = (keyColumns + LANES - 1) / LANES * LANES;
#pragma unroll 2
  for (int k = lane(); k < padded; k += LANES) {
    bool inside = k < keyColumns;  // both factors are padded with zeros
    float key[POSITIONS];
#pragma unroll
    for (int p = 0; p < POSITIONS; p++) key[p] = inside ? keys[p][k] : 0;
#pragma unroll
    for (int h = 0; h < HEADS; h++) {
      float value = inside ? queries[h][k] : 0;
#pragma unroll
      for (int p = 0; p < POSITIONS; p++)
        sums[h * POSITIONS + p] = __fmaf_rn(key[p], value, sums[h * POSITIONS + p]);
    }
  }
  float sum = trees<POSITIONS * HEADS>(sums);
  int output = treeOutput<POSITIONS * HEADS>();
  int position = from + output % POSITIONS;
  int h = output / POSITIONS;
  if (treeWriter<POSITIONS * HEADS>() && h < unit.heads && position >= unit.first && position < unit.end)
    scores[((s64)blockIdx.y * HEADS + h) * pitch + position] = __fmul_rn(sum, scale);
}

// Softmax of one head's scores in place. A warp takes every eighth segment; segments are added in order, then the
// sink. sinks is null without.
extern "C" __global__ void __launch_bounds__(256) softmax(const int* positions, int heads, int kvHeads,
                                                          int headsOfUnit, int window, const void* sinks, int sinkType,
                                                          int firstUnit, float* scores, int pitch) {
  const int WARPS = 8;
  __shared__ float shared[WARPS];
  Unit unit = unitOf(firstUnit + blockIdx.y, heads, kvHeads, headsOfUnit, window, positions);
  if ((int)blockIdx.x >= unit.heads) return;
  float* x = scores + ((s64)blockIdx.y * headsOfUnit + blockIdx.x) * pitch;
  int warp = threadIdx.x / LANES;
  float sink = sinks == nullptr ? __int_as_float(0xff800000) : floatAt(sinks, sinkType, unit.head + blockIdx.x);

  float most = __int_as_float(0xff800000);
  for (int k = unit.first + threadIdx.x; k < unit.end; k += blockDim.x) most = larger(most, x[k]);
  most = largestOfWarp(most);
  if (lane() == 0) shared[warp] = most;
  __syncthreads();
  most = shared[0];
  for (int w = 1; w < WARPS; w++) most = larger(most, shared[w]);
  most = larger(most, sink);

  int begin = unit.first / SEGMENT * SEGMENT;
  float total = 0;  // every thread adds up all sums
  for (int round = begin; round < unit.end; round += WARPS * SEGMENT) {
    int from = round + warp * SEGMENT;
    float sum = 0;
    for (int k = from + lane(); k < min(unit.end, from + SEGMENT); k += LANES) {
      if (k >= unit.first) {
        float e = canonExp(__fadd_rn(x[k], -most));
        x[k] = e;
        sum = __fadd_rn(sum, e);
      }
    }
    sum = tree(sum);
    __syncthreads();  // what was shared before has been read
    if (lane() == 0) shared[warp] = sum;
    __syncthreads();
    for (int w = 0; w < WARPS && round + w * SEGMENT < unit.end; w++)
      total = round + w * SEGMENT == begin ? shared[w] : __fadd_rn(total, shared[w]);
  }
  float all = __fadd_rn(total, canonExp(__fadd_rn(sink, -most)));
  for (int k = unit.first + threadIdx.x; k < unit.end; k += blockDim.x) x[k] = __fdiv_rn(x[k], all);
}

// y = probabilities . values. A thread has one column of the values for HEADS heads, a warp takes every eighth segment.
template <int HEADS>
__device__ __forceinline__ void valuesOf(Pages pages, const int* sequences, const int* positions, int heads,
                                         int kvHeads, int valueColumns, int valueOffset, int window, int firstUnit,
                                         const float* scores, int pitch, float* y, int yStride) {
  const int WARPS = 8;
  __shared__ float partial[WARPS][HEADS][LANES];
  Unit unit = unitOf(firstUnit + blockIdx.y, heads, kvHeads, HEADS, window, positions);
  const int* table = pages.tables + (s64)__ldg(sequences + unit.row) * pages.pagesPerSequence;
  int warp = threadIdx.y;
  int column = blockIdx.x * LANES + threadIdx.x;
  const float* p = scores + (s64)blockIdx.y * HEADS * pitch;
  int offset = valueOffset + unit.kvHead * valueColumns + min(column, valueColumns - 1);
  int begin = unit.first / SEGMENT * SEGMENT;
  float total[HEADS];
  for (int round = begin; round < unit.end; round += WARPS * SEGMENT) {
    int from = round + warp * SEGMENT;
    int end = min(unit.end, from + SEGMENT);
    float acc[HEADS] = {};
    for (int t = max(unit.first, from); t < end;) {
      int run = min(pages.pageRows - t % pages.pageRows, end - t);  // positions in one page
      const float* value = cachedRow(pages, table, t) + offset;
#pragma unroll 2
      for (int i = 0; i < run; i++, value += pages.rowStride) {
        float v = *value;
#pragma unroll
        for (int h = 0; h < HEADS; h++) {
          if (h < unit.heads) acc[h] = __fmaf_rn(p[(s64)h * pitch + t + i], v, acc[h]);
        }
      }
      t += run;
    }
    if (round > begin) __syncthreads();  // the sums of the round before have been read
#pragma unroll
    for (int h = 0; h < HEADS; h++) partial[warp][h][threadIdx.x] = acc[h];
    __syncthreads();
#pragma unroll
    for (int h = 0; h < HEADS; h++) {
      if (h == warp) {
        for (int w = 0; w < WARPS && round + w * SEGMENT < unit.end; w++) {
          float sum = partial[w][h][threadIdx.x];
          total[h] = round + w * SEGMENT == begin ? sum : __fadd_rn(total[h], sum);
        }
      }
    }
  }
#pragma unroll
  for (int h = 0; h < HEADS; h++) {
    if (h == warp && h < unit.heads && column < valueColumns)
      y[(s64)unit.row * yStride + (s64)(unit.head + h) * valueColumns + column] = total[h];
  }
}

#define ATTENTION(HEADS)                                                                                               \
  extern "C" __global__ void __launch_bounds__(128) scores_##HEADS(                                                    \
      const float* cache, s64 pageStride, int rowStride, int pageRows, const int* tables, int pagesPerSequence,        \
      const int* sequences, const int* positions, const float* query, int queryStride, int heads, int kvHeads,         \
      int keyColumns, int keyOffset, float scale, int window, int firstUnit, float* scores, int pitch) {               \
    Pages pages = {cache, pageStride, rowStride, pageRows, tables, pagesPerSequence};                                  \
    scoresOf<HEADS>(pages, sequences, positions, query, queryStride, heads, kvHeads, keyColumns, keyOffset, scale,     \
                    window, firstUnit, scores, pitch);                                                                 \
  }                                                                                                                    \
  extern "C" __global__ void __launch_bounds__(256) values_##HEADS(                                                    \
      const float* cache, s64 pageStride, int rowStride, int pageRows, const int* tables, int pagesPerSequence,        \
      const int* sequences, const int* positions, int heads, int kvHeads, int valueColumns, int valueOffset,           \
      int window, int firstUnit, const float* scores, int pitch, float* y, int yStride) {                              \
    Pages pages = {cache, pageStride, rowStride, pageRows, tables, pagesPerSequence};                                  \
    valuesOf<HEADS>(pages, sequences, positions, heads, kvHeads, valueColumns, valueOffset, window, firstUnit, scores, \
                    pitch, y, yStride);                                                                                \
  }

ATTENTION(1)
ATTENTION(4)
