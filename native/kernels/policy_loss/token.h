#ifndef CROSSTHINK_KERNELS_POLICY_LOSS_TOKEN_H_
#define CROSSTHINK_KERNELS_POLICY_LOSS_TOKEN_H_

#include <cstddef>

#include "kernels/policy_loss/policy_loss.h"
#include "kernels/policy_loss/token_terms.h"
#include "kernels/token_mask.h"
#include "spec/annotate.h"
#include "spec/bits.h"
#include "spec/logarithm.h"

// From the arrays of a loss to everything about one vector of tokens, over an instruction set V (simd::Scalar on a CUDA
// thread): who adds up what is left to policy_loss_cpu.h and policy_loss.cu.
namespace crossthink {
namespace {

template <class V>
CT_HD CT_INLINE typename V::F LoadTokens(const float* p, size_t i, size_t n) {
  return n == V::kWidth ? V::Load(p + i) : V::LoadPartial(p + i, n, 0.0F);
}

template <class V>
CT_HD CT_INLINE void StoreTokens(float* p, size_t i, size_t n, typename V::F v) {
  if (n == V::kWidth) {
    V::Store(p + i, v);
  } else {
    V::StorePartial(p + i, n, v);
  }
}

// SequenceTerms in every lane.
template <class V>
struct SequenceVectors {
  typename V::F advantage, scale, ratio, factor;
  typename V::M dropped, limited;
};

template <class V>
struct TokenResult {
  TokenTerm<V> policy;  // Weighted.
  typename V::M valid, dropped;
  typename V::F log_ratio, ratio, weight, kl, entropy;
  typename V::F gradient;  // Of the whole token loss.
  typename V::F loss;
};

// The KL estimate of `form` from raw = ref - logprob with the limits of its input and output; its derivative to
// logprob.
template <class V>
CT_HD CT_INLINE typename V::F LimitedKl(KlForm form, typename V::F raw, const LossParams& p, typename V::F* gradient) {
  const typename V::F kl = KlTerm<V>(form, Clamp<V>(raw, -p.kl_input_limit, p.kl_input_limit), gradient);
  const typename V::M limited =
      V::Or(V::Less(V::Set(p.kl_input_limit), V::Abs(raw)), V::Less(V::Set(p.kl_output_limit), V::Abs(kl)));
  *gradient = V::Select(limited, V::Set(0.0F), *gradient);
  return Clamp<V>(kl, -p.kl_output_limit, p.kl_output_limit);
}

template <class V>
CT_HD CT_INLINE void AddKl(const PolicyLoss& op, size_t i, size_t n, const TokenInput<V>& t, typename V::F token_ratio,
                           TokenResult<V>* r) {
  using F = typename V::F;
  const F raw = V::Sub(LoadTokens<V>(op.ref_logprobs, i, n), t.logprob);
  const float infinity = spec::Infinity();
  const bool limits = op.params.kl_input_limit != infinity || op.params.kl_output_limit != infinity;
  F gradient;
  F kl = limits ? LimitedKl<V>(op.kl_form, raw, op.params, &gradient) : KlTerm<V>(op.kl_form, raw, &gradient);
  if (op.kl_squared_gradient) gradient = Negate<V>(raw);
  if (op.kl_correction != KlCorrection::kNone) gradient = V::Add(gradient, kl);
  if (op.kl_correction == KlCorrection::kRatio) {
    gradient = V::Mul(gradient, token_ratio);
    kl = V::Mul(kl, token_ratio);
  }
  r->kl = kl;
  // A coefficient of 0 only measures: 0 * inf must not reach loss and gradient.
  if (op.params.kl_coef == 0.0F) return;
  r->gradient = V::Fma(V::Set(op.params.kl_coef), gradient, r->gradient);
  r->loss = V::Fma(V::Set(op.params.kl_coef), kl, r->loss);
}

// Everything about tokens [i, i + n), n <= kWidth.
template <class V, template <class> class L>
CT_HD CT_INLINE TokenResult<V> Evaluate(const PolicyLoss& op, size_t i, size_t n, const SequenceVectors<V>& s) {
  using F = typename V::F;
  constexpr bool kPlain = L<V>::kPlain;
  TokenResult<V> r;
  r.valid = LoadMask<V>(op.mask, i, n, true);
  TokenInput<V> t;
  t.logprob = LoadTokens<V>(op.logprobs, i, n);
  t.old = LoadTokens<V>(op.old_logprobs, i, n);
  r.log_ratio = V::Sub(t.logprob, t.old);
  t.log_ratio = r.log_ratio;
  t.advantage = s.advantage;
  if constexpr (!kPlain) {
    t.limited = s.limited;
    if (op.params.log_ratio_limit != spec::Infinity()) {
      t.log_ratio = Clamp<V>(r.log_ratio, -op.params.log_ratio_limit, op.params.log_ratio_limit);
      if (!op.sequence_ratio) t.limited = V::Less(V::Set(op.params.log_ratio_limit), V::Abs(r.log_ratio));
    }
    if (op.token_advantages) t.advantage = LoadTokens<V>(op.advantages, i, n);
    t.factor = s.factor;
    t.selected = LoadMask<V>(op.selected, i, n, false);
  }
  const F token_ratio = Ratio<V>(t.log_ratio);
  t.ratio = token_ratio;
  if constexpr (!kPlain) {
    if (op.sequence_ratio) t.ratio = s.ratio;
  }
  r.ratio = t.ratio;
  r.policy = L<V>::Of(t, op.params);
  r.gradient = r.policy.gradient;
  if constexpr (!kPlain) {
    r.dropped = op.loss == Loss::kKlCov ? s.dropped : V::Or(s.dropped, t.selected);
    r.policy.loss = V::Select(r.dropped, V::Set(0.0F), r.policy.loss);
    r.gradient = V::Select(r.dropped, V::Set(0.0F), r.policy.gradient);
    if (op.weights != nullptr) {
      r.weight = LoadTokens<V>(op.weights, i, n);
      if (op.loss != Loss::kVespo) {  // Whose factor has them already.
        r.policy.loss = V::Mul(r.policy.loss, r.weight);
        r.gradient = V::Mul(r.gradient, r.weight);
      }
    }
  }
  r.loss = r.policy.loss;
  if (op.ref_logprobs != nullptr) AddKl<V>(op, i, n, t, token_ratio, &r);
  if constexpr (!kPlain) {
    if (op.entropies == nullptr) return r;
    r.entropy = LoadTokens<V>(op.entropies, i, n);
    if (op.params.entropy_coef != 0.0F) r.loss = V::Fma(V::Set(-op.params.entropy_coef), r.entropy, r.loss);
  }
  return r;
}

// What is summed over a sequence before its tokens: the log-ratio, clipped against the advantage for GMPO, clamped and
// with the log of the weights for VESPO.
template <class V>
CT_HD CT_INLINE typename V::F SequenceLogRatio(const PolicyLoss& op, size_t i, size_t n, typename V::F d,
                                               float advantage) {
  if (op.loss == Loss::kGmpo) {
    if (advantage > 0) return V::Min(d, V::Set(op.params.ratio_high - 1.0F));
    if (advantage < 0) return V::Max(d, V::Set(op.params.ratio_low - 1.0F));
    return V::Set(0.0F);
  }
  if (op.loss != Loss::kVespo) return d;
  d = Clamp<V>(d, -20.0F, 20.0F);
  if (op.weights == nullptr) return d;
  return V::Add(d, Clamp<V>(spec::Log<V>(LoadTokens<V>(op.weights, i, n)), -18.420681F, 20.0F));
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_POLICY_LOSS_TOKEN_H_
