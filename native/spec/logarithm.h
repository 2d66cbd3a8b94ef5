#ifndef CROSSTHINK_SPEC_LOGARITHM_H_
#define CROSSTHINK_SPEC_LOGARITHM_H_

#include <cmath>
#include <cstdint>

#include "spec/annotate.h"
#include "spec/bits.h"

// Logarithms through 2 atanh(s), s = (m - 1) / (m + 1), m in [sqrt(1/2), sqrt(2)): one IEEE division, an odd
// polynomial. docs/numerics.md, section 3.
namespace crossthink::spec {
namespace {

constexpr double kLn2 = 0x1.62e42fefa39efp-1;
constexpr float kLn2F = 0x1.62e430p-1F;

// log2(x) in float64 for normal x > 0, the finish of every row. Error below 1 unit in the last place of |log2 x| + 1.
// The coefficients are 2 / (ln 2 (2i + 1)): the Taylor series, whose first left-out term is 3e-18 at |s| = 0.1716.
CT_HD CT_INLINE double Log2Double(double x) {
  constexpr uint64_t kSqrtHalf = 0x3fe6a09e667f3bcdULL;
  const uint64_t bits = BitCast<uint64_t>(x);
  const int64_t k = static_cast<int64_t>(bits - kSqrtHalf) >> 52;
  const double m = BitCast<double>(bits - (static_cast<uint64_t>(k) << 52));
  const double s = (m - 1.0) / (m + 1.0);
  const double z = s * s;
  double p = 2.8853900817779268 / 21.0;
  p = fma(p, z, 2.8853900817779268 / 19.0);
  p = fma(p, z, 2.8853900817779268 / 17.0);
  p = fma(p, z, 2.8853900817779268 / 15.0);
  p = fma(p, z, 2.8853900817779268 / 13.0);
  p = fma(p, z, 2.8853900817779268 / 11.0);
  p = fma(p, z, 2.8853900817779268 / 9.0);
  p = fma(p, z, 2.8853900817779268 / 7.0);
  p = fma(p, z, 2.8853900817779268 / 5.0);
  p = fma(p, z, 2.8853900817779268 / 3.0);
  const double tail = s * z * p;
  return static_cast<double>(k) + fma(s, 2.8853900817779268, tail);
}

// ln(1 + y) for 1 + y in [sqrt(1/2), sqrt(2)), relative error 8e-10 before rounding.
template <class V>
CT_HD CT_INLINE typename V::F Log1pReduced(typename V::F y) {
  const typename V::F s = V::Div(y, V::Add(V::Set(2.0F), y));
  const typename V::F z = V::Mul(s, s);
  typename V::F p = V::Fma(V::Set(0.298706949F), z, V::Set(0.399775863F));
  p = V::Fma(p, z, V::Set(0.666667759F));
  return V::Fma(V::Mul(s, z), p, V::Add(s, s));
}

// Splits a normal x > 0 into 2^k m with m in [sqrt(1/2), sqrt(2)); k as a float.
template <class V>
CT_HD CT_INLINE typename V::F SplitExponent(typename V::F x, typename V::F* k) {
  constexpr int32_t kSqrtHalf = 0x3f3504f3;
  const typename V::I bits = V::Bits(x);
  const typename V::I exponent = V::ShiftRightArithmetic23(V::IntSub(bits, V::SetInt(kSqrtHalf)));
  *k = V::ToFloat(exponent);
  return V::FromBits(V::IntSub(bits, V::ShiftLeft23(exponent)));
}

// Results of a logarithm outside the normal positive numbers: 0 and subnormals -inf, negative and NaN NaN, +inf +inf.
template <class V>
CT_HD CT_INLINE typename V::F LogSpecials(typename V::F x, typename V::F y) {
  const typename V::F inf = V::Set(Infinity());
  y = V::Select(V::Equal(x, inf), inf, y);
  y = V::Select(V::Less(x, V::Set(0x1p-126F)), V::Sub(V::Set(0.0F), inf), y);
  return V::Select(V::LessEqual(V::Set(0.0F), x), y, V::Set(QuietNan()));
}

// ln(x) and log2(x) in float32.
template <class V>
CT_HD CT_INLINE typename V::F Log(typename V::F x) {
  typename V::F k;
  const typename V::F m = SplitExponent<V>(x, &k);
  const typename V::F y = Log1pReduced<V>(V::Sub(m, V::Set(1.0F)));
  return LogSpecials<V>(x, V::Fma(k, V::Set(kLn2F), y));
}

template <class V>
CT_HD CT_INLINE typename V::F Log2(typename V::F x) {
  typename V::F k;
  const typename V::F m = SplitExponent<V>(x, &k);
  const typename V::F y = Log1pReduced<V>(V::Sub(m, V::Set(1.0F)));
  return LogSpecials<V>(x, V::Fma(y, V::Set(0x1.715476p+0F), k));
}

// ln(1 + x): the rounding error of 1 + x is put back before the division.
template <class V>
CT_HD CT_INLINE typename V::F Log1p(typename V::F x) {
  const typename V::F one = V::Set(1.0F);
  const typename V::F u = V::Add(one, x);
  typename V::F k;
  const typename V::F m = SplitExponent<V>(u, &k);
  const typename V::F lost = V::Sub(x, V::Sub(u, one));
  // 2^-k; from k = 64 on the correction is far below half a unit of m and the exponent must not wrap.
  const typename V::I exponent = V::ShiftLeft23(V::ToInt(V::Min(k, V::Set(64.0F))));
  const typename V::F scale = V::FromBits(V::IntSub(V::SetInt(0x3f800000), exponent));
  const typename V::F far = V::Fma(lost, scale, V::Sub(m, one));
  const typename V::F y = V::Select(V::Equal(k, V::Set(0.0F)), x, far);
  const typename V::F result = V::Fma(k, V::Set(kLn2F), Log1pReduced<V>(y));
  return LogSpecials<V>(u, result);
}

}  // namespace
}  // namespace crossthink::spec

#endif  // CROSSTHINK_SPEC_LOGARITHM_H_
