#ifndef CROSSTHINK_KERNELS_POLICY_LOSS_TOKEN_TERMS_H_
#define CROSSTHINK_KERNELS_POLICY_LOSS_TOKEN_TERMS_H_

#include "kernels/policy_loss/policy_loss.h"
#include "spec/annotate.h"
#include "spec/bits.h"
#include "spec/exponential.h"
#include "spec/logarithm.h"

// The formulas of one token, over an instruction set V (simd::Scalar on a CUDA thread). docs/losses.md.
// A NaN fails every comparison, so it is never clipped away: it stays a NaN.
namespace crossthink {
namespace {

template <class V>
CT_HD CT_INLINE typename V::F Negate(typename V::F x) {
  return V::Sub(V::Set(0.0F), x);
}

template <class V>
CT_HD CT_INLINE typename V::F Clamp(typename V::F x, float low, float high) {
  return V::Min(V::Max(x, V::Set(low)), V::Set(high));
}

// e^d, exactly 1 at d = 0: equal log-probs are no policy change.
template <class V>
CT_HD CT_INLINE typename V::F Ratio(typename V::F d) {
  return spec::Exp2<V>(V::Mul(d, V::Set(spec::kLog2E)));
}

template <class V>
struct TokenInput {
  typename V::F logprob;
  typename V::F old;
  typename V::F log_ratio;  // logprob - old, clamped.
  typename V::F ratio;      // Of the token, or of its sequence.
  typename V::F advantage;
  typename V::F factor;   // SequenceTerms::factor
  typename V::M limited;  // The limit of the log-ratio acted: no gradient through the ratio.
  typename V::M selected;
};

template <class V>
struct TokenTerm {
  typename V::F loss;
  typename V::F gradient;  // d(loss)/d(logprob)
  typename V::M low;       // The low bound acted,
  typename V::M high;      // the high one,
  typename V::M dual;      // the dual clip or delta.
};

template <class V>
CT_HD CT_INLINE TokenTerm<V> Unclipped(typename V::F loss, typename V::F gradient) {
  const typename V::M none = V::Less(V::Set(0.0F), V::Set(0.0F));
  return {loss, gradient, none, none, none};
}

// -weight A logprob, the weight being held constant.
template <class V>
CT_HD CT_INLINE TokenTerm<V> Weighted(const TokenInput<V>& t, typename V::F weight) {
  const typename V::F gradient = V::Mul(weight, Negate<V>(t.advantage));
  return Unclipped<V>(V::Mul(gradient, t.logprob), gradient);
}

// max(-r A, -clip(r) A). At a bound the branches agree and the gradient flows. With nothing else asked of the batch
// (PlainLoss::kClip) it is the loss of most training, so CUDA has a loop of its own for it: kPlain leaves out what
// PlainLossOf rules out. The CPU's is in plain_loss_cpu.h.
template <class V>
struct PlainClipLoss {
  static constexpr bool kPlain = true;
  CT_HD CT_INLINE static TokenTerm<V> Of(const TokenInput<V>& t, const LossParams& p) {
    const typename V::F zero = V::Set(0.0F);
    TokenTerm<V> term;
    term.low = V::And(V::Less(t.ratio, V::Set(p.ratio_low)), V::Less(t.advantage, zero));
    term.high = V::And(V::Less(V::Set(p.ratio_high), t.ratio), V::Less(zero, t.advantage));
    typename V::F used = V::Select(term.low, V::Set(p.ratio_low), t.ratio);
    used = V::Select(term.high, V::Set(p.ratio_high), used);
    term.loss = V::Mul(used, Negate<V>(t.advantage));
    term.gradient = V::Select(term.low, zero, V::Select(term.high, zero, term.loss));
    return term;
  }
};

// The same with min(r, delta) for the unclipped ratio, and where A < 0 at most -dual_clip A.
template <class V>
struct ClipLoss {
  static constexpr bool kPlain = false;
  CT_HD CT_INLINE static TokenTerm<V> Of(const TokenInput<V>& t, const LossParams& p) {
    const typename V::F zero = V::Set(0.0F);
    const float bound = p.dual_clip < p.delta ? p.dual_clip : p.delta;
    TokenTerm<V> term = PlainClipLoss<V>::Of(t, p);
    term.dual = V::And(V::Less(V::Set(bound), t.ratio), V::Less(t.advantage, zero));
    term.loss = V::Select(term.dual, V::Mul(V::Set(bound), Negate<V>(t.advantage)), term.loss);
    term.gradient = V::Select(V::Or(term.dual, t.limited), zero, term.gradient);
    return term;
  }
};

template <class V>
struct CispoLoss {
  static constexpr bool kPlain = false;
  CT_HD CT_INLINE static TokenTerm<V> Of(const TokenInput<V>& t, const LossParams& p) {
    TokenTerm<V> term = Weighted<V>(t, Clamp<V>(t.ratio, p.ratio_low, p.ratio_high));
    term.low = V::Less(t.ratio, V::Set(p.ratio_low));
    term.high = V::Less(V::Set(p.ratio_high), t.ratio);
    return term;
  }
};

template <class V>
struct ToprLoss {
  static constexpr bool kPlain = false;
  CT_HD CT_INLINE static TokenTerm<V> Of(const TokenInput<V>& t, const LossParams&) {
    const typename V::F one = V::Set(1.0F);
    const typename V::M positive = V::Less(V::Set(0.0F), t.advantage);
    TokenTerm<V> term = Weighted<V>(t, V::Select(positive, one, V::Min(t.ratio, one)));
    term.high = V::And(V::Not(positive), V::Less(one, t.ratio));
    return term;
  }
};

template <class V>
struct ReinforceLoss {
  static constexpr bool kPlain = false;
  CT_HD CT_INLINE static TokenTerm<V> Of(const TokenInput<V>& t, const LossParams&) {
    return Weighted<V>(t, V::Set(1.0F));
  }
};

// The DPPO weight, 0 where the token's divergence left the trust region in the direction of its advantage.
template <class V>
CT_HD CT_INLINE TokenTerm<V> TrustRegionTerm(const TokenInput<V>& t, typename V::M above, typename V::M below,
                                             const LossParams& p) {
  const typename V::M positive = V::Less(V::Set(0.0F), t.advantage);
  const typename V::M high = V::And(positive, above);
  const typename V::M low = V::And(V::Not(positive), below);
  const typename V::F weight = V::Min(t.ratio, V::Set(p.cap));
  TokenTerm<V> term = Weighted<V>(t, V::Select(V::Or(low, high), V::Set(0.0F), weight));
  term.low = low;
  term.high = high;
  return term;
}

template <class V>
struct DppoTvLoss {
  static constexpr bool kPlain = false;
  CT_HD CT_INLINE static TokenTerm<V> Of(const TokenInput<V>& t, const LossParams& p) {
    // Bounds of the ratio are 1 - low, 1 + high: here low and high bound the change of the probability.
    const typename V::F change = V::Sub(Ratio<V>(t.logprob), Ratio<V>(t.old));
    return TrustRegionTerm<V>(t, V::Less(V::Set(p.ratio_high - 1.0F), change),
                              V::Less(change, V::Set(p.ratio_low - 1.0F)), p);
  }
};

template <class V>
struct DppoKlLoss {
  static constexpr bool kPlain = false;
  CT_HD CT_INLINE static TokenTerm<V> Of(const TokenInput<V>& t, const LossParams& p) {
    const typename V::F one = V::Set(1.0F);
    const typename V::F tiny = V::Set(1e-8F);
    const typename V::F now = Ratio<V>(t.logprob);
    const typename V::F then = Ratio<V>(t.old);
    const typename V::F rest = V::Sub(one, then);
    const typename V::F quotient = V::Div(V::Add(rest, tiny), V::Add(V::Sub(one, now), tiny));
    const typename V::F kl = V::Fma(then, V::Sub(t.old, t.logprob), V::Mul(rest, spec::Log<V>(quotient)));
    const typename V::M above = V::And(V::Less(V::Set(p.ratio_high - 1.0F), kl), V::Less(then, now));
    const typename V::M below = V::And(V::Less(V::Set(1.0F - p.ratio_low), kl), V::Less(now, then));
    return TrustRegionTerm<V>(t, above, below, p);
  }
};

template <class V>
struct VespoLoss {
  static constexpr bool kPlain = false;
  CT_HD CT_INLINE static TokenTerm<V> Of(const TokenInput<V>& t, const LossParams&) { return Weighted<V>(t, t.factor); }
};

// -A (4 / tau) sigmoid(tau (r - 1))
template <class V>
struct SapoLoss {
  static constexpr bool kPlain = false;
  CT_HD CT_INLINE static TokenTerm<V> Of(const TokenInput<V>& t, const LossParams& p) {
    const typename V::F zero = V::Set(0.0F);
    const typename V::F one = V::Set(1.0F);
    const typename V::F tau = V::Select(V::Less(zero, t.advantage), V::Set(p.tau_positive), V::Set(p.tau_negative));
    const typename V::F gate = spec::Sigmoid<V>(V::Mul(tau, V::Sub(t.ratio, one)));
    const typename V::F minus4 = V::Mul(V::Set(-4.0F), t.advantage);
    const typename V::F slope = V::Mul(gate, V::Sub(one, gate));
    const typename V::F gradient = V::Mul(V::Mul(slope, t.ratio), minus4);
    // A saturated gate times an infinite ratio is no gradient.
    const typename V::M flat = V::Or(V::Equal(slope, zero), t.limited);
    return Unclipped<V>(V::Mul(V::Div(gate, tau), minus4), V::Select(flat, zero, gradient));
  }
};

// -A times the geometric mean; tokens whose log-ratio was clipped in it have no gradient.
template <class V>
struct GmpoLoss {
  static constexpr bool kPlain = false;
  CT_HD CT_INLINE static TokenTerm<V> Of(const TokenInput<V>& t, const LossParams& p) {
    const typename V::F zero = V::Set(0.0F);
    TokenTerm<V> term;
    term.loss = V::Mul(t.factor, Negate<V>(t.advantage));
    term.low = V::And(V::Less(t.log_ratio, V::Set(p.ratio_low - 1.0F)), V::Less(t.advantage, zero));
    term.high = V::And(V::Less(V::Set(p.ratio_high - 1.0F), t.log_ratio), V::Less(zero, t.advantage));
    term.dual = V::Less(zero, zero);
    term.gradient = V::Select(V::Or(term.low, term.high), zero, term.loss);
    return term;
  }
};

template <class V>
struct KlCovLoss {
  static constexpr bool kPlain = false;
  CT_HD CT_INLINE static TokenTerm<V> Of(const TokenInput<V>& t, const LossParams& p) {
    const typename V::F zero = V::Set(0.0F);
    const typename V::F loss = V::Mul(t.ratio, Negate<V>(t.advantage));
    const typename V::F coefficient = V::Select(t.selected, V::Set(p.coefficient), zero);
    typename V::F sign = V::Select(V::Less(zero, t.log_ratio), coefficient, zero);
    sign = V::Select(V::Less(t.log_ratio, zero), Negate<V>(coefficient), sign);
    const typename V::F gradient = V::Select(t.limited, zero, loss);
    return Unclipped<V>(V::Fma(coefficient, V::Abs(t.log_ratio), loss), V::Add(gradient, sign));
  }
};

template <class V>
struct SquaredLoss {
  static constexpr bool kPlain = false;
  CT_HD CT_INLINE static TokenTerm<V> Of(const TokenInput<V>& t, const LossParams& p) {
    const typename V::F minus = Negate<V>(t.advantage);
    const typename V::F slope = V::Mul(V::Set(p.coefficient), t.log_ratio);
    const typename V::F half = V::Mul(V::Set(0.5F), slope);
    return Unclipped<V>(V::Fma(half, t.log_ratio, V::Mul(minus, t.logprob)), V::Add(minus, slope));
  }
};

// k3 = e^u - 1 - u. Near 0, where a policy in training is, the polynomial inside spec::Expm1MinusX is all that its
// result depends on; the exponential is only entered where a lane needs it. The same bits either way.
template <class V>
CT_HD CT_INLINE typename V::F K3(typename V::F u) {
  if (!V::Any(V::Not(V::Less(V::Abs(u), V::Set(spec::kExpm1Near))))) return spec::Expm1MinusXNear<V>(u);
  return spec::Expm1MinusX<V>(u);
}

// A KL estimate from u = ref - logprob and its derivative to logprob.
template <class V>
CT_HD CT_INLINE typename V::F KlTerm(KlForm form, typename V::F u, typename V::F* gradient) {
  switch (form) {
    case KlForm::kK1:
      *gradient = V::Set(1.0F);
      return Negate<V>(u);
    case KlForm::kK2:
      *gradient = Negate<V>(u);
      return V::Mul(V::Mul(V::Set(0.5F), u), u);
    case KlForm::kAbsolute:
      *gradient = V::Select(V::Equal(u, V::Set(0.0F)), u, V::CopySign(V::Set(1.0F), Negate<V>(u)));
      return V::Abs(u);
    case KlForm::kK3:
      break;
  }
  const typename V::F kl = K3<V>(u);
  *gradient = Negate<V>(V::Add(u, kl));  // -(e^u - 1)
  return kl;
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_POLICY_LOSS_TOKEN_TERMS_H_
