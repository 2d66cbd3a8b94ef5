#ifndef CROSSTHINK_SPEC_BITS_H_
#define CROSSTHINK_SPEC_BITS_H_

#include <cstdint>
#include <cstring>

#include "spec/annotate.h"

namespace crossthink::spec {
namespace {

template <class To, class From>
CT_HD CT_INLINE To BitCast(From from) {
  static_assert(sizeof(To) == sizeof(From), "BitCast needs equal sizes");
  To to;
  memcpy(&to, &from, sizeof(to));
  return to;
}

CT_HD CT_INLINE float QuietNan() { return BitCast<float>(uint32_t{0x7fc00000}); }
CT_HD CT_INLINE float Infinity() { return BitCast<float>(uint32_t{0x7f800000}); }

// Every NaN that is stored is this one: the sign of inf - inf is negative on x86 and positive on ARM and CUDA.
CT_HD CT_INLINE float CanonicalNan(float x) { return x == x ? x : QuietNan(); }

CT_HD CT_INLINE bool IsFinite(float x) { return (BitCast<uint32_t>(x) & 0x7f800000U) != 0x7f800000U; }

// Order-preserving map of floats to integers: a < b exactly where OrderedBits(a) < OrderedBits(b). -0 and +0 are equal
// values, hence equal keys. NaN has no place in the order; callers exclude it first.
CT_HD CT_INLINE uint32_t OrderedBits(float x) {
  const uint32_t bits = BitCast<uint32_t>(x == 0.0F ? 0.0F : x);
  return (bits & 0x80000000U) != 0 ? ~bits : bits | 0x80000000U;
}

CT_HD CT_INLINE uint64_t OrderedBits(double x) {
  const uint64_t bits = BitCast<uint64_t>(x == 0.0 ? 0.0 : x);
  return bits >> 63 != 0 ? ~bits : bits | uint64_t{1} << 63;
}

CT_HD CT_INLINE float FromOrderedBits(uint32_t key) {
  return BitCast<float>((key & 0x80000000U) != 0 ? key & 0x7fffffffU : ~key);
}

// 2^k for -1022 <= k <= 1023.
CT_HD CT_INLINE double PowerOfTwo(int k) { return BitCast<double>(static_cast<uint64_t>(k + 1023) << 52); }

}  // namespace
}  // namespace crossthink::spec

#endif  // CROSSTHINK_SPEC_BITS_H_
