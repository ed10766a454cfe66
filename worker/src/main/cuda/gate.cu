// The choice of experts (rule G): a warp makes one row.
#include "canon.cuh"

enum Scoring { SOFTMAX = 0, SOFTMAX_OF_CHOSEN = 1, SIGMOID = 2 };
enum GroupScore { MAXIMUM = 0, BEST_TWO = 1 };

// Softmax of x[0..n) in shared memory: sums in segments of 256.
__device__ __forceinline__ void softmaxOf(float* x, int n) {
  float most = __int_as_float(0xff800000);
  for (int k = lane(); k < n; k += LANES) most = larger(most, x[k]);
  most = largestOfWarp(most);
  float total = 0;
  for (int from = 0; from < n; from += SEGMENT) {
    float sum = 0;
    for (int k = from + lane(); k < min(n, from + SEGMENT); k += LANES) {
      x[k] = canonExp(__fadd_rn(x[k], -most));
      sum = __fadd_rn(sum, x[k]);
    }
    sum = tree(sum);
    total = from == 0 ? sum : __fadd_rn(total, sum);
  }
  for (int k = lane(); k < n; k += LANES) x[k] = __fdiv_rn(x[k], total);
  __syncwarp();
}

// The open place with the largest value, the lower of equal ones, and closes it. As when they are compared one after the
// other, NaN is passed over, unless it is the first. Every lane gets the result.
__device__ __forceinline__ int takeBest(const float* values, int* open, int n) {
  int first = n;
  int best = n;
  float most = 0;
  for (int k = lane(); k < n; k += LANES) {
    if (open[k]) {
      first = min(first, k);
      float value = values[k];
      if (value == value && (best == n || value > most)) {
        best = k;
        most = value;
      }
    }
  }
#pragma unroll
  for (int h = 16; h >= 1; h >>= 1) {
    first = min(first, __shfl_xor_sync(ALL_LANES, first, h));
    int otherBest = __shfl_xor_sync(ALL_LANES, best, h);
    float otherMost = __shfl_xor_sync(ALL_LANES, most, h);
    bool take = otherBest < n && (best == n || otherMost > most || (otherMost == most && otherBest < best));
    best = take ? otherBest : best;
    most = take ? otherMost : most;
  }
  if (values[first] != values[first]) best = first;
  __syncwarp();
  if (lane() == 0) open[best] = 0;
  __syncwarp();
  return best;
}

__device__ __forceinline__ float scoreOfGroup(const float* choice, int count, int kind) {
  float largest = __int_as_float(0xff800000);
  float second = largest;
  for (int e = 0; e < count; e++) {
    float value = choice[e];
    if (value > largest) {
      second = largest;
      largest = value;
    } else if (value > second) {
      second = value;
    }
  }
  return kind == MAXIMUM ? largest : __fadd_rn(largest, second);
}

// bias is null without. Shared memory: score [experts], choice [experts], open [experts], of groups: score [groups],
// open [groups]; weights [chosen].
extern "C" __global__ void __launch_bounds__(32) gate(const float* scores, int stride, const void* bias, int biasType,
                                                      int scoring, int experts, int chosen, int groups,
                                                      int groupsChosen, int groupScore, int normalise, float epsilon,
                                                      float floor, float factor, int* ids, float* weights) {
  extern __shared__ float memory[];
  float* score = memory;
  float* choice = score + experts;
  int* open = (int*)(choice + experts);
  float* groupScores = (float*)(open + experts);
  int* openGroups = (int*)(groupScores + groups);
  float* weight = (float*)(openGroups + groups);
  const float* from = scores + (s64)blockIdx.x * stride;
  int* toIds = ids + (s64)blockIdx.x * chosen;

  for (int e = lane(); e < experts; e += LANES) score[e] = scoring == SIGMOID ? sigmoid(from[e]) : from[e];
  __syncwarp();
  if (scoring == SOFTMAX) softmaxOf(score, experts);
  for (int e = lane(); e < experts; e += LANES) {
    choice[e] = bias == nullptr ? score[e] : __fadd_rn(score[e], floatAt(bias, biasType, e));
    open[e] = groups == 1;
  }
  __syncwarp();

  if (groups > 1) {
    int perGroup = experts / groups;
    for (int g = lane(); g < groups; g += LANES) {
      groupScores[g] = scoreOfGroup(choice + g * perGroup, perGroup, groupScore);
      openGroups[g] = 1;
    }
    __syncwarp();
    for (int i = 0; i < groupsChosen; i++) {
      int best = takeBest(groupScores, openGroups, groups);
      for (int e = lane(); e < perGroup; e += LANES) open[best * perGroup + e] = 1;
    }
    __syncwarp();
  }

  for (int i = 0; i < chosen; i++) {
    int best = takeBest(choice, open, experts);
    if (lane() == 0) {
      toIds[i] = best;
      weight[i] = score[best];
    }
  }
  __syncwarp();
  if (scoring == SOFTMAX_OF_CHOSEN) softmaxOf(weight, chosen);
  float sum = weight[0];
  for (int i = 1; i < chosen; i++) sum = __fadd_rn(sum, weight[i]);
  sum = __fadd_rn(sum, epsilon);
  sum = sum < floor ? floor : sum;
  for (int i = lane(); i < chosen; i += LANES) {
    float normal = normalise ? __fdiv_rn(weight[i], sum) : weight[i];
    weights[(s64)blockIdx.x * chosen + i] = __fmul_rn(normal, factor);
  }
}
