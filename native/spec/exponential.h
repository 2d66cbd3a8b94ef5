#ifndef CROSSTHINK_SPEC_EXPONENTIAL_H_
#define CROSSTHINK_SPEC_EXPONENTIAL_H_

#include "spec/annotate.h"
#include "spec/bits.h"

// exp2 and its family as templates over an instruction set `V` (native/simd): the formula is written once, each
// operation of V is IEEE or exact, so every instruction set and CUDA return the same bits. docs/numerics.md, section 2.
namespace crossthink::spec {
namespace {

// Minimax polynomial of 2^f on [-1/2, 1/2] with p(0) = 1 exactly: relative error 9.3e-8, 1.5e-7 once evaluated.
struct Exp2Coefficients {
  static constexpr float k1 = 0x1.62e42ap-1F;
  static constexpr float k2 = 0x1.ebf9c2p-3F;
  static constexpr float k3 = 0x1.c6b6d8p-5F;
  static constexpr float k4 = 0x1.3ce8acp-7F;
  static constexpr float k5 = 0x1.5bda40p-10F;
};

constexpr float kExp2Smallest = -126.0F;  // Below it the result is 0: no subnormal result by definition.
constexpr float kExp2Overflow = 128.0F;   // From it on the result is +inf; 2^128 itself comes out as +inf.

template <class V>
CT_HD CT_INLINE typename V::F Exp2Polynomial(typename V::F f) {
  typename V::F p = V::Fma(V::Set(Exp2Coefficients::k5), f, V::Set(Exp2Coefficients::k4));
  p = V::Fma(p, f, V::Set(Exp2Coefficients::k3));
  p = V::Fma(p, f, V::Set(Exp2Coefficients::k2));
  p = V::Fma(p, f, V::Set(Exp2Coefficients::k1));
  return V::Fma(p, f, V::Set(1.0F));
}

// 2^t for t < 128: exact for integers; 0 for t < -126 and -inf; NaN for NaN. For t >= 128 the result is not below 2^127
// or not a number, and differs between instruction sets: hot loops test their sum and never let it through.
template <class V>
CT_HD CT_INLINE typename V::F Exp2Below128(typename V::F t) {
  t = V::ClampExponent(t);
  const typename V::F n = V::Round(t);
  return V::ScaleExp2(Exp2Polynomial<V>(V::Sub(t, n)), n, t);
}

// 2^t for every t: +inf for t >= 128.
template <class V>
CT_HD CT_INLINE typename V::F Exp2(typename V::F t) {
  return Exp2Below128<V>(V::Min(t, V::Set(kExp2Overflow)));
}

// e^x: the argument is reduced with a two-part log2(e), so that |x| costs no accuracy.
constexpr float kLog2E = 0x1.715476p+0F;
constexpr float kLog2ELow = 0x1.4ae0c0p-26F;

constexpr float kExpOverflow = 0x1.62e42ep+6F;  // The largest float32 whose e^x is finite.

template <class V>
CT_HD CT_INLINE typename V::F ReduceExp(typename V::F x, typename V::F n) {
  const typename V::F high = V::Fma(x, V::Set(kLog2E), V::Sub(V::Set(0.0F), n));
  return V::Fma(x, V::Set(kLog2ELow), high);
}

template <class V>
CT_HD CT_INLINE typename V::F Exp(typename V::F x) {
  const typename V::F clamped = V::Min(V::Max(x, V::Set(-104.0F)), V::Set(90.0F));
  const typename V::F t = V::Mul(clamped, V::Set(kLog2E));
  const typename V::F n = V::Round(t);
  const typename V::F y = V::ScaleExp2(Exp2Polynomial<V>(ReduceExp<V>(clamped, n)), n, t);
  return V::Select(V::Less(V::Set(kExpOverflow), x), V::Set(Infinity()), y);
}

// 2^f - 1 on [-1/2, 1/2] as f * q(f), relative error 2.7e-9.
template <class V>
CT_HD CT_INLINE typename V::F Exp2Minus1Polynomial(typename V::F f) {
  typename V::F q = V::Fma(V::Set(1.1426564e-05F), f, V::Set(0.000154497F));
  q = V::Fma(q, f, V::Set(0.00133480714F));
  q = V::Fma(q, f, V::Set(0.0096180914F));
  q = V::Fma(q, f, V::Set(0.0555039719F));
  q = V::Fma(q, f, V::Set(0.240226507F));
  q = V::Fma(q, f, V::Set(0.693147182F));
  return V::Mul(f, q);
}

// e^x - 1. Arguments are clamped to [-87, 88.5]: -1 and +inf (2^128 overflows) lie beyond; NaN stays NaN.
template <class V>
CT_HD CT_INLINE typename V::F Expm1(typename V::F x) {
  const typename V::F clamped = V::Min(V::Max(x, V::Set(-87.0F)), V::Set(88.5F));
  const typename V::F t = V::Mul(clamped, V::Set(kLog2E));
  const typename V::F n = V::Round(t);
  const typename V::F scale = V::ScaleExp2(V::Set(1.0F), n, n);
  const typename V::F minus1 = Exp2Minus1Polynomial<V>(ReduceExp<V>(clamped, n));
  const typename V::F result = V::Fma(scale, minus1, V::Sub(scale, V::Set(1.0F)));
  const typename V::F large = V::Select(V::Less(V::Set(88.0F), x), Exp<V>(x), result);
  return V::Select(V::Equal(x, x), large, x);
}

// e^u - 1 - u for |u| < kExpm1Near: relative error 4e-9 before rounding.
constexpr float kExpm1Near = 0.35F;

template <class V>
CT_HD CT_INLINE typename V::F Expm1MinusXNear(typename V::F u) {
  typename V::F q = V::Fma(V::Set(0.000199122631F), u, V::Set(0.00139297207F));
  q = V::Fma(q, u, V::Set(0.0083332425F));
  q = V::Fma(q, u, V::Set(0.0416665226F));
  q = V::Fma(q, u, V::Set(0.166666672F));
  q = V::Fma(q, u, V::Set(0.5F));
  return V::Mul(V::Mul(u, u), q);
}

// e^u - 1 - u, the k3 divergence with u = ref - logp: Expm1(u) - u would cancel near 0.
template <class V>
CT_HD CT_INLINE typename V::F Expm1MinusX(typename V::F u) {
  const typename V::F far = V::Sub(Expm1<V>(u), u);
  return V::Select(V::Less(V::Abs(u), V::Set(kExpm1Near)), Expm1MinusXNear<V>(u), far);
}

// tanh(x) = m / (m + 2) with m = e^2|x| - 1; +-1 from |x| = 10 on, where float32 holds nothing else.
template <class V>
CT_HD CT_INLINE typename V::F Tanh(typename V::F x) {
  const typename V::F a = V::Min(V::Abs(x), V::Set(10.0F));
  const typename V::F m = Expm1<V>(V::Add(a, a));
  const typename V::F y = V::Div(m, V::Add(m, V::Set(2.0F)));
  return V::CopySign(V::Select(V::Equal(x, x), y, x), x);
}

// 1 / (1 + e^-x), from e^-|x| so that neither side overflows.
template <class V>
CT_HD CT_INLINE typename V::F Sigmoid(typename V::F x) {
  const typename V::F e = Exp<V>(V::Sub(V::Set(0.0F), V::Abs(x)));
  const typename V::F top = V::Select(V::Less(x, V::Set(0.0F)), e, V::Set(1.0F));
  const typename V::F y = V::Div(top, V::Add(V::Set(1.0F), e));
  return V::Select(V::Equal(x, x), y, x);
}

}  // namespace
}  // namespace crossthink::spec

#endif  // CROSSTHINK_SPEC_EXPONENTIAL_H_
