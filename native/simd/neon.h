#ifndef CROSSTHINK_SIMD_NEON_H_
#define CROSSTHINK_SIMD_NEON_H_

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "spec/annotate.h"

namespace crossthink::simd {
namespace {

// 4 lanes: what every 64-bit ARM processor has. Contracts of the operations: scalar.h. A mask is a vector of all-ones
// or all-zeros lanes. BFCVT is not used where a processor has it: it keeps subnormals and the sign of a NaN.
struct Neon {
  static constexpr size_t kWidth = 4;
  using F = float32x4_t;
  using I = int32x4_t;
  using M = uint32x4_t;

  CT_INLINE static F Load(const float* p) { return vld1q_f32(p); }
  CT_INLINE static F LoadPartial(const float* p, size_t n, float fill) {
    float lanes[kWidth] = {fill, fill, fill, fill};
    for (size_t i = 0; i < n; ++i) lanes[i] = p[i];
    return vld1q_f32(lanes);
  }
  CT_INLINE static void Store(float* p, F v) { vst1q_f32(p, v); }
  CT_INLINE static void StorePartial(float* p, size_t n, F v) {
    float lanes[kWidth];
    vst1q_f32(lanes, v);
    for (size_t i = 0; i < n; ++i) p[i] = lanes[i];
  }
  // These processors see by themselves that whole lines are overwritten.
  CT_INLINE static void Stream(float* p, F v) { vst1q_f32(p, v); }
  CT_INLINE static void Prefetch(const void* p) { __builtin_prefetch(p); }
  CT_INLINE static F LoadBfloat16(const uint16_t* p) { return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p), 16)); }
  CT_INLINE static void StoreBfloat16(uint16_t* p, F v) {
    const uint32x4_t bits = vreinterpretq_u32_f32(v);
    const uint32x4_t odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
    uint32x4_t rounded = vaddq_u32(bits, vaddq_u32(odd, vdupq_n_u32(0x7fff)));
    rounded = vbslq_u32(vcaltq_f32(v, Set(0x1p-126F)), vandq_u32(bits, vdupq_n_u32(0x80000000U)), rounded);
    rounded = vbslq_u32(vceqq_f32(v, v), rounded, vdupq_n_u32(0x7fc00000U));
    vst1_u16(p, vshrn_n_u32(rounded, 16));
  }
  CT_INLINE static void StoreBfloat16Number(uint16_t* p, F v) { StoreBfloat16(p, v); }
  CT_INLINE static F LoadFloat16(const uint16_t* p) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p))); }
  CT_INLINE static void StoreFloat16(uint16_t* p, F v) {
    // A canonical NaN converts to the canonical NaN.
    const F canonical = vbslq_f32(vceqq_f32(v, v), v, Set(__builtin_nanf("")));
    vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(canonical)));
  }

  CT_INLINE static F Set(float x) { return vdupq_n_f32(x); }
  CT_INLINE static F Add(F a, F b) { return vaddq_f32(a, b); }
  CT_INLINE static F Sub(F a, F b) { return vsubq_f32(a, b); }
  CT_INLINE static F Mul(F a, F b) { return vmulq_f32(a, b); }
  CT_INLINE static F Div(F a, F b) { return vdivq_f32(a, b); }
  CT_INLINE static F Sqrt(F a) { return vsqrtq_f32(a); }
  CT_INLINE static F Fma(F a, F b, F c) { return vfmaq_f32(c, a, b); }
  CT_INLINE static F Round(F a) { return vrndnq_f32(a); }
  CT_INLINE static F Truncate(F a) { return vrndq_f32(a); }
  CT_INLINE static F Abs(F a) { return vabsq_f32(a); }
  CT_INLINE static F CopySign(F a, F sign) { return vbslq_f32(vdupq_n_u32(0x80000000U), sign, a); }

  // Neither FMAX (NaN wins) nor FMAXNM (NaN loses, whichever side it is on) keeps the first operand.
  CT_INLINE static F Max(F a, F b) { return vbslq_f32(vcgtq_f32(b, a), b, a); }
  CT_INLINE static F Min(F a, F b) { return vbslq_f32(vcltq_f32(b, a), b, a); }
  CT_INLINE static M Less(F a, F b) { return vcltq_f32(a, b); }
  CT_INLINE static M LessEqual(F a, F b) { return vcleq_f32(a, b); }
  CT_INLINE static M Equal(F a, F b) { return vceqq_f32(a, b); }
  CT_INLINE static F Select(M m, F yes, F no) { return vbslq_f32(m, yes, no); }

  CT_INLINE static M And(M a, M b) { return vandq_u32(a, b); }
  CT_INLINE static M Or(M a, M b) { return vorrq_u32(a, b); }
  CT_INLINE static M Not(M a) { return vmvnq_u32(a); }
  CT_INLINE static bool Any(M m) { return vmaxvq_u32(m) != 0; }
  CT_INLINE static size_t Count(M m) { return vaddvq_u32(vshrq_n_u32(m, 31)); }
  CT_INLINE static uint32_t ToBits(M m) { return vaddvq_u32(vandq_u32(m, LaneBits())); }
  CT_INLINE static M FromMaskBits(uint32_t b) { return vtstq_u32(vdupq_n_u32(b), LaneBits()); }
  CT_INLINE static M LoadBytes(const uint8_t* p) {
    uint32_t four;
    memcpy(&four, p, sizeof(four));
    const uint32x4_t bytes = vmovl_u16(vget_low_u16(vmovl_u8(vcreate_u8(four))));
    return vtstq_u32(bytes, bytes);
  }

  CT_INLINE static F ClampExponent(F t) { return vminq_f32(t, Set(128.0F)); }
  // Adds n to the exponent field. A NaN p survives: its n is NaN, which converts to 0.
  CT_INLINE static F ScaleExp2(F p, F n, F t) {
    const I exponent = vshlq_n_s32(vcvtq_s32_f32(n), 23);
    const uint32x4_t scaled = vreinterpretq_u32_s32(vaddq_s32(Bits(p), exponent));
    return vreinterpretq_f32_u32(vbicq_u32(scaled, Less(t, Set(-126.0F))));
  }

  CT_INLINE static I Bits(F a) { return vreinterpretq_s32_f32(a); }
  CT_INLINE static F FromBits(I a) { return vreinterpretq_f32_s32(a); }
  CT_INLINE static I SetInt(int32_t x) { return vdupq_n_s32(x); }
  CT_INLINE static I IntAdd(I a, I b) { return vaddq_s32(a, b); }
  CT_INLINE static I IntSub(I a, I b) { return vsubq_s32(a, b); }
  CT_INLINE static I ShiftRightArithmetic23(I a) { return vshrq_n_s32(a, 23); }
  CT_INLINE static I ShiftLeft23(I a) { return vshlq_n_s32(a, 23); }
  CT_INLINE static F ToFloat(I a) { return vcvtq_f32_s32(a); }
  CT_INLINE static I ToInt(F a) { return vcvtq_s32_f32(a); }

  CT_INLINE static float TreeSum(F a) { return vpadds_f32(vadd_f32(vget_low_f32(a), vget_high_f32(a))); }
  CT_INLINE static float MaxLane(F a) { return vmaxvq_f32(a); }
  CT_INLINE static size_t Compress(float* p, M m, F a) {
    vst1q_u8(reinterpret_cast<uint8_t*>(p), Pack(m, vreinterpretq_u8_f32(a)));
    return Count(m);
  }
  CT_INLINE static size_t CompressIndex(uint32_t* p, M m, uint32_t first) {
    constexpr uint32_t kLanes[kWidth] = {0, 1, 2, 3};
    const uint32x4_t index = vaddq_u32(vdupq_n_u32(first), vld1q_u32(kLanes));
    vst1q_u8(reinterpret_cast<uint8_t*>(p), Pack(m, vreinterpretq_u8_u32(index)));
    return Count(m);
  }
  CT_INLINE static size_t CompressInts(uint32_t* p, M m, const uint32_t* from) {
    vst1q_u8(reinterpret_cast<uint8_t*>(p), Pack(m, vreinterpretq_u8_u32(vld1q_u32(from))));
    return Count(m);
  }

  struct D {
    float64x2_t low, high;
  };
  CT_INLINE static D ZeroDouble() { return {vdupq_n_f64(0.0), vdupq_n_f64(0.0)}; }
  CT_INLINE static D AddToDouble(D sum, F a) {
    return {vaddq_f64(sum.low, vcvt_f64_f32(vget_low_f32(a))), vaddq_f64(sum.high, vcvt_high_f64_f32(a))};
  }
  CT_INLINE static double SumDouble(D sum) { return vaddvq_f64(vaddq_f64(sum.low, sum.high)); }

 private:
  CT_INLINE static uint32x4_t LaneBits() {
    constexpr uint32_t kBits[kWidth] = {1, 2, 4, 8};
    return vld1q_u32(kBits);
  }

  // The lanes of m first, in ascending order. Row b of the table lists the bytes of the lanes set in b.
  CT_INLINE static uint8x16_t Pack(M m, uint8x16_t lanes) { return vqtbl1q_u8(lanes, vld1q_u8(kPack[ToBits(m)])); }

  struct PackTable {
    uint8_t bytes[1U << kWidth][4 * kWidth] = {};
    constexpr PackTable() {
      for (size_t bits = 0; bits < 1U << kWidth; ++bits) {
        size_t n = 0;
        for (size_t lane = 0; lane < kWidth; ++lane) {
          if ((bits >> lane & 1U) == 0) continue;
          for (size_t byte = 0; byte < 4; ++byte) bytes[bits][n++] = static_cast<uint8_t>(4 * lane + byte);
        }
      }
    }
    constexpr const uint8_t* operator[](size_t bits) const { return bytes[bits]; }
  };
  static const PackTable kPack;
};

constexpr Neon::PackTable Neon::kPack;

}  // namespace
}  // namespace crossthink::simd

#endif  // CROSSTHINK_SIMD_NEON_H_
