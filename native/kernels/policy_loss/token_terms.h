#ifndef CROSSTHINK_KERNELS_POLICY_LOSS_TOKEN_TERMS_H_
#define CROSSTHINK_KERNELS_POLICY_LOSS_TOKEN_TERMS_H_

#include "kernels/policy_loss/policy_loss.h"
#include "spec/annotate.h"
#include "spec/exponential.h"

// The formulas of one token, over an instruction set V (simd::Scalar on a CUDA thread). docs/losses.md.
namespace crossthink {
namespace {

// e^d, exactly 1 at d = 0: equal log-probs are no policy change.
template <class V>
CT_HD CT_INLINE typename V::F Ratio(typename V::F d) {
  return spec::Exp2<V>(V::Mul(d, V::Set(spec::kLog2E)));
}

template <class V>
struct TokenTerm {
  typename V::F loss;
  typename V::F gradient;  // d(loss)/d(logprob)
  typename V::M low;       // Clipped from below, from above: no gradient.
  typename V::M high;
};

// max(-r A, -clip(r) A). At a bound itself both branches agree and the gradient flows. A NaN fails every comparison and
// stays a NaN.
template <class V>
CT_HD CT_INLINE TokenTerm<V> ClippedTerm(typename V::F ratio, typename V::F advantage, const LossParams& p) {
  const typename V::F zero = V::Set(0.0F);
  const typename V::F low = V::Set(p.ratio_low);
  const typename V::F high = V::Set(p.ratio_high);
  TokenTerm<V> term;
  term.low = V::And(V::Less(ratio, low), V::Less(advantage, zero));
  term.high = V::And(V::Less(high, ratio), V::Less(zero, advantage));
  const typename V::F minus = V::Sub(zero, advantage);
  const typename V::F used = V::Select(term.low, low, V::Select(term.high, high, ratio));
  term.loss = V::Mul(used, minus);
  term.gradient = V::Select(V::Or(term.low, term.high), zero, term.loss);
  return term;
}

// k3 = e^u - 1 - u with u = ref - logprob, and dk3/dlogprob = -(e^u - 1).
template <class V>
CT_HD CT_INLINE typename V::F K3(typename V::F u, typename V::F* gradient) {
  *gradient = V::Sub(V::Set(0.0F), spec::Expm1<V>(u));
  return spec::Expm1MinusX<V>(u);
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_POLICY_LOSS_TOKEN_TERMS_H_
