#ifndef CROSSTHINK_SIMD_SCALAR_H_
#define CROSSTHINK_SIMD_SCALAR_H_

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "spec/annotate.h"
#include "spec/bits.h"
#include "spec/half.h"

namespace crossthink::simd {
namespace {

// One lane, host or CUDA device: the definition of every operation that the wider structs (avx2.h, avx512.h) provide.
// F: floats, I: 32-bit integers of the same count, M: a mask. Every operation is exact or correctly rounded once.
struct Scalar {
  static constexpr size_t kWidth = 1;
  using F = float;
  using I = int32_t;
  using M = bool;

  // Memory. Elements from n on are `fill` and are not read (n <= kWidth), or not stored (n < kWidth).
  CT_HD CT_INLINE static F Load(const float* p) { return *p; }
  CT_HD CT_INLINE static F LoadPartial(const float* p, size_t n, float fill) { return n != 0 ? *p : fill; }
  CT_HD CT_INLINE static void Store(float* p, F v) { *p = v; }
  CT_HD CT_INLINE static void StorePartial(float*, size_t, F) {}
  CT_HD CT_INLINE static void Stream(float* p, F v) { *p = v; }  // Non-temporal; p aligned to the vector.
  CT_HD CT_INLINE static void Prefetch(const void*) {}
  CT_HD CT_INLINE static F LoadBfloat16(const uint16_t* p) { return spec::FromBfloat16(*p); }
  CT_HD CT_INLINE static void StoreBfloat16(uint16_t* p, F v) { *p = spec::ToBfloat16(v); }
  CT_HD CT_INLINE static void StoreBfloat16Number(uint16_t* p, F v) { StoreBfloat16(p, v); }  // v is not NaN.
  CT_HD CT_INLINE static F LoadFloat16(const uint16_t* p) { return spec::FromFloat16(*p); }
  CT_HD CT_INLINE static void StoreFloat16(uint16_t* p, F v) { *p = spec::ToFloat16(v); }

  // Arithmetic.
  CT_HD CT_INLINE static F Set(float x) { return x; }
  CT_HD CT_INLINE static F Add(F a, F b) { return a + b; }
  CT_HD CT_INLINE static F Sub(F a, F b) { return a - b; }
  CT_HD CT_INLINE static F Mul(F a, F b) { return a * b; }
  CT_HD CT_INLINE static F Div(F a, F b) { return a / b; }
  CT_HD CT_INLINE static F Sqrt(F a) { return sqrtf(a); }
  CT_HD CT_INLINE static F Fma(F a, F b, F c) { return fmaf(a, b, c); }
  CT_HD CT_INLINE static F Round(F a) { return rintf(a); }  // To the nearest integer, ties to even.
  CT_HD CT_INLINE static F Truncate(F a) { return truncf(a); }
  CT_HD CT_INLINE static F Abs(F a) { return spec::BitCast<float>(spec::BitCast<uint32_t>(a) & 0x7fffffffU); }
  CT_HD CT_INLINE static F CopySign(F a, F sign) {
    return spec::BitCast<float>((spec::BitCast<uint32_t>(a) & 0x7fffffffU) |
                                (spec::BitCast<uint32_t>(sign) & 0x80000000U));
  }

  // Selection. Max and Min return their first operand where either is NaN or both are equal: Min(x, constant) keeps a
  // NaN x, Max(accumulator, x) ignores one.
  CT_HD CT_INLINE static F Max(F a, F b) { return b > a ? b : a; }
  CT_HD CT_INLINE static F Min(F a, F b) { return b < a ? b : a; }
  CT_HD CT_INLINE static M Less(F a, F b) { return a < b; }
  CT_HD CT_INLINE static M LessEqual(F a, F b) { return a <= b; }
  CT_HD CT_INLINE static M Equal(F a, F b) { return a == b; }
  CT_HD CT_INLINE static F Select(M m, F yes, F no) { return m ? yes : no; }

  // Masks.
  CT_HD CT_INLINE static M And(M a, M b) { return a && b; }
  CT_HD CT_INLINE static M Or(M a, M b) { return a || b; }
  CT_HD CT_INLINE static M Not(M a) { return !a; }
  CT_HD CT_INLINE static bool Any(M m) { return m; }
  CT_HD CT_INLINE static size_t Count(M m) { return m ? 1 : 0; }
  CT_HD CT_INLINE static uint32_t ToBits(M m) { return m ? 1U : 0U; }  // Bit i = lane i.
  CT_HD CT_INLINE static M FromMaskBits(uint32_t b) { return (b & 1U) != 0; }
  CT_HD CT_INLINE static M LoadBytes(const uint8_t* p) { return *p != 0; }  // Lane i: byte i is not 0.

  // An exponent that ScaleExp2 can take: values above 128 become 128 where integer arithmetic would wrap around.
  CT_HD CT_INLINE static F ClampExponent(F t) { return Min(t, 128.0F); }
  // p * 2^n for n = Round(t), t clamped, p in [1/2, 2): 0 where t < -126, NaN where p is.
  CT_HD CT_INLINE static F ScaleExp2(F p, F n, F t) {
    if (t < -126.0F) return 0.0F;
    if (!(p == p)) return p;
    return spec::BitCast<float>(spec::BitCast<uint32_t>(p) +
                                static_cast<uint32_t>(static_cast<int32_t>(n)) * (1U << 23));
  }

  // Bits.
  CT_HD CT_INLINE static I Bits(F a) { return spec::BitCast<int32_t>(a); }
  CT_HD CT_INLINE static F FromBits(I a) { return spec::BitCast<float>(a); }
  CT_HD CT_INLINE static I SetInt(int32_t x) { return x; }
  CT_HD CT_INLINE static I IntAdd(I a, I b) {
    return static_cast<int32_t>(static_cast<uint32_t>(a) + static_cast<uint32_t>(b));
  }
  CT_HD CT_INLINE static I IntSub(I a, I b) {
    return static_cast<int32_t>(static_cast<uint32_t>(a) - static_cast<uint32_t>(b));
  }
  CT_HD CT_INLINE static I ShiftRightArithmetic23(I a) { return a >> 23; }
  CT_HD CT_INLINE static I ShiftLeft23(I a) { return static_cast<int32_t>(static_cast<uint32_t>(a) << 23); }
  CT_HD CT_INLINE static F ToFloat(I a) { return static_cast<float>(a); }
  CT_HD CT_INLINE static I ToInt(F a) { return static_cast<int32_t>(a); }  // Of an integer-valued float.

  // Across lanes. TreeSum halves: lane l += lane l + W/2, ... until one is left.
  CT_HD CT_INLINE static float TreeSum(F a) { return a; }
  CT_HD CT_INLINE static float MaxLane(F a) { return a; }  // No NaN among the lanes.
  // Appends the lanes of m in ascending order; up to kWidth elements past the last are overwritten. Returns the count.
  CT_HD CT_INLINE static size_t Compress(float* p, M m, F a) {
    *p = a;
    return m ? 1 : 0;
  }
  CT_HD CT_INLINE static size_t CompressIndex(uint32_t* p, M m, uint32_t first) {
    *p = first;
    return m ? 1 : 0;
  }
  // The same of 32-bit integers at `from`. In place is allowed: p <= from.
  CT_HD CT_INLINE static size_t CompressInts(uint32_t* p, M m, const uint32_t* from) {
    *p = *from;
    return m ? 1 : 0;
  }

  // Exact sums of integer-valued floats in float64.
  using D = double;
  CT_HD CT_INLINE static D ZeroDouble() { return 0.0; }
  CT_HD CT_INLINE static D AddToDouble(D sum, F a) { return sum + static_cast<double>(a); }
  CT_HD CT_INLINE static double SumDouble(D sum) { return sum; }
};

}  // namespace
}  // namespace crossthink::simd

#endif  // CROSSTHINK_SIMD_SCALAR_H_
