// What all kernels share: the numbers of ARITHMETIC.md in explicit IEEE operations, and the ways of 32 lanes.
// No toolkit header but the one that nvcc includes by itself.
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef long long s64;
typedef unsigned long long u64;

const u32 ALL_LANES = 0xffffffffu;
const int LANES = 32;      // of a warp; also rows of a tile and partial sums of rule D
const int BLOCK = 32;      // columns that share a scale
const int SEGMENT = 256;   // columns, or positions, whose sum is formed on its own

// Numbers of ElementType, as the host passes them.
enum Type { F32 = 0, F16 = 1, BF16 = 2, Q8_0 = 3, Q4_0 = 4 };

const int NIBBLE_BYTES = 512;              // a nibble tile: 32 rows, 32 columns
const int Q4_0_BYTES = NIBBLE_BYTES + 64;  // with 32 f16 scales
const int Q8_0_BYTES = 1024 + 64;

__device__ __forceinline__ int lane() { return threadIdx.x & 31; }

// --- conversions -----------------------------------------------------------------------------------------------

__device__ __forceinline__ float fromHalf(u16 bits) {
  float value;
  asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(bits));
  return value;
}

__device__ __forceinline__ float fromBfloat(u16 bits) { return __int_as_float((u32)bits << 16); }

// The weight `index` of a float tensor, widened (exact). The type is the same for a whole launch.
__device__ __forceinline__ float floatAt(const void* weights, int type, s64 index) {
  switch (type) {
    case F16: return fromHalf(__ldg((const u16*)weights + index));
    case BF16: return fromBfloat(__ldg((const u16*)weights + index));
    default: return __ldg((const float*)weights + index);
  }
}

// An integer below 2^22 in size as a float, by two cheap operations: added to the bits of 1.5 * 2^23 it is that
// float plus the integer.
__device__ __forceinline__ float toFloat(int value) {
  return __fadd_rn(__int_as_float(0x4b400000 + value), -12582912.0f);
}

// --- integer products (rule C) -----------------------------------------------------------------------------------

__device__ __forceinline__ int dot4(u32 a, u32 b, int sum) {
  int result;
  asm("dp4a.s32.s32 %0, %1, %2, %3;" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
  return result;
}

// Four nibbles u of 0..15, which code the integers u - 8, become the signed bytes 16 * (u - 8).
__device__ __forceinline__ u32 lowNibbles(u32 word) { return (word << 4 & 0xf0f0f0f0u) ^ 0x80808080u; }
__device__ __forceinline__ u32 highNibbles(u32 word) { return (word & 0xf0f0f0f0u) ^ 0x80808080u; }

// --- sums in the order of rule D ---------------------------------------------------------------------------------

// The tree over the partial sums of 32 lanes; every lane gets the result.
__device__ __forceinline__ float tree(float sum) {
#pragma unroll
  for (int h = 16; h >= 1; h >>= 1) sum = __fadd_rn(sum, __shfl_xor_sync(ALL_LANES, sum, h));
  return sum;
}

// The trees of COUNT outputs at once, COUNT a power of two up to 32: while more than one output is left, half of the
// lanes goes on with half of them. Lane l gets the output whose number is the leading bits of l: see treeOutput.
template <int COUNT>
__device__ __forceinline__ float trees(float (&sums)[COUNT]) {
  int me = lane();
#pragma unroll
  for (int h = 16, left = COUNT; h >= 1; h >>= 1) {
    if (left > 1) {
      left >>= 1;
      bool upper = me & h;
#pragma unroll
      for (int i = 0; i < COUNT / 2; i++) {
        if (i < left) {
          float mine = upper ? sums[i + left] : sums[i];
          float other = upper ? sums[i] : sums[i + left];
          sums[i] = __fadd_rn(mine, __shfl_xor_sync(ALL_LANES, other, h));
        }
      }
    } else {
      sums[0] = __fadd_rn(sums[0], __shfl_xor_sync(ALL_LANES, sums[0], h));
    }
  }
  return sums[0];
}

// Which of COUNT outputs `trees` leaves in a lane.
template <int COUNT>
__device__ __forceinline__ int treeOutput() { return lane() / (LANES / COUNT); }

// True for the one lane that writes an output.
template <int COUNT>
__device__ __forceinline__ bool treeWriter() { return lane() % (LANES / COUNT) == 0; }

// --- functions (rule E) ------------------------------------------------------------------------------------------

__device__ __forceinline__ float powerOfTwo(int exponent) { return __int_as_float((exponent + 127) << 23); }

__device__ __forceinline__ float canonExp(float x) {
  if (!(x > -104.0f)) return x != x ? x : 0.0f;
  x = x > 89.0f ? 89.0f : x;
  float n = __fadd_rn(__fmaf_rn(x, 0x1.715476p+0f, 12582912.0f), -12582912.0f);
  float r = __fmaf_rn(n, -0x1.62e4p-1f, x);
  r = __fmaf_rn(n, -0x1.7f7d1cp-20f, r);
  float p = 0x1.694p-10f;
  p = __fmaf_rn(p, r, 0x1.125edcp-7f);
  p = __fmaf_rn(p, r, 0x1.555b5ap-5f);
  p = __fmaf_rn(p, r, 0x1.55545p-3f);
  p = __fmaf_rn(p, r, 0x1.fffff6p-2f);
  p = __fmaf_rn(p, r, 1.0f);
  p = __fmaf_rn(p, r, 1.0f);
  int whole = __float2int_rn(n);
  int a = whole >> 1;
  return __fmul_rn(__fmul_rn(p, powerOfTwo(a)), powerOfTwo(whole - a));
}

__device__ __forceinline__ float sigmoid(float x) { return __fdiv_rn(1.0f, __fadd_rn(1.0f, canonExp(-x))); }
__device__ __forceinline__ float silu(float x) { return __fdiv_rn(x, __fadd_rn(1.0f, canonExp(-x))); }

// The larger number; a NaN on the left stays, one on the right is passed over.
__device__ __forceinline__ float larger(float a, float b) { return b > a ? b : a; }

__device__ __forceinline__ float largestOfWarp(float value) {
#pragma unroll
  for (int h = 16; h >= 1; h >>= 1) value = larger(value, __shfl_xor_sync(ALL_LANES, value, h));
  return value;
}
