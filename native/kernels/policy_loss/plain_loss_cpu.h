#ifndef CROSSTHINK_KERNELS_POLICY_LOSS_PLAIN_LOSS_CPU_H_
#define CROSSTHINK_KERNELS_POLICY_LOSS_PLAIN_LOSS_CPU_H_

#include <cstddef>
#include <cstdint>
#include <utility>

#include "kernels/policy_loss/policy_loss_cpu.h"
#include "kernels/policy_loss/sequence.h"
#include "kernels/policy_loss/token_terms.h"
#include "kernels/token_lanes.h"
#include "kernels/token_mask.h"

// The losses of most training (PlainLoss), in a loop that holds its sums in registers and branches on nothing. What it
// may leave out, with the same bits:
//   - the advantage belongs to the sequence, so only one side of the clip can act: one comparison instead of two;
//   - a sequence without a masked token needs no mask;
//   - a gradient is only NaN where the sums of its tile are not finite: such a tile is gone over again.
namespace crossthink {
namespace {

// A sequence in every lane. A token is clipped where ratio * side < bound; the ratio used is then `edge`. Above `dual`
// it is `dual`.
template <class V>
struct PlainSequence {
  typename V::F minus_advantage, scale, side, bound, edge, dual, ratio;
};

template <class V>
CT_INLINE PlainSequence<V> PlainSequenceOf(float advantage, const SequenceTerms& term, const LossParams& p) {
  const bool low = advantage < 0;
  const bool high = advantage > 0;
  const float bound = low ? p.ratio_low : high ? -p.ratio_high : -spec::Infinity();
  const float dual = p.dual_clip < p.delta ? p.dual_clip : p.delta;
  return {Negate<V>(V::Set(advantage)),
          V::Set(static_cast<float>(term.scale)),
          V::Set(high ? -1.0F : 1.0F),
          V::Set(bound),
          V::Set(low ? p.ratio_low : p.ratio_high),
          V::Set(low ? dual : spec::Infinity()),
          V::Set(term.ratio)};
}

template <class V>
struct PlainSums {
  LaneSum<V> policy, kl, log_ratio, ratio;
  uint64_t clipped, other;  // `other`: by dual clip or delta; kCispo: by the high bound.

  CT_INLINE void Clear() {
    policy.Clear();
    kl.Clear();
    log_ratio.Clear();
    ratio.Clear();
    clipped = other = 0;
  }
};

template <class V>
struct PlainTerm {
  typename V::F ratio, loss, gradient;
  typename V::M clipped, other;
};

// The policy term of tokens.
template <class V, PlainLoss kLoss>
CT_INLINE PlainTerm<V> PlainTermOf(const LossParams& p, typename V::F logprob, typename V::F log_ratio,
                                   const PlainSequence<V>& s) {
  constexpr bool kLimited = kLoss == PlainLoss::kLimitedClip;
  const typename V::F zero = V::Set(0.0F);
  PlainTerm<V> t;
  if constexpr (kLoss == PlainLoss::kSequenceClip) {
    t.ratio = s.ratio;
  } else {
    t.ratio = Ratio<V>(kLimited ? Clamp<V>(log_ratio, -p.log_ratio_limit, p.log_ratio_limit) : log_ratio);
  }
  if constexpr (kLoss == PlainLoss::kCispo) {
    t.gradient = V::Mul(Clamp<V>(t.ratio, p.ratio_low, p.ratio_high), s.minus_advantage);
    t.loss = V::Mul(t.gradient, logprob);
    t.clipped = V::Less(t.ratio, V::Set(p.ratio_low));
    t.other = V::Less(V::Set(p.ratio_high), t.ratio);
    return t;
  }
  t.clipped = V::Less(V::Mul(t.ratio, s.side), s.bound);
  typename V::F used = V::Select(t.clipped, s.edge, t.ratio);
  typename V::M flat = t.clipped;
  if constexpr (kLimited) {
    t.other = V::Less(s.dual, t.ratio);
    used = V::Select(t.other, s.dual, used);
    flat = V::Or(V::Or(flat, t.other), V::Less(V::Set(p.log_ratio_limit), V::Abs(log_ratio)));
  }
  t.loss = V::Mul(used, s.minus_advantage);
  t.gradient = V::Select(flat, zero, t.loss);
  return t;
}

// The k3 estimate with its limits, which cannot act near 0 unless they are smaller than any in use.
template <class V>
CT_INLINE typename V::F PlainLimitedKl(const LossParams& p, typename V::F raw, typename V::F* slope) {
  const bool wide = p.kl_input_limit >= spec::kExpm1Near && p.kl_output_limit >= spec::kExpm1Near;
  if (!wide || V::Any(V::Not(V::Less(V::Abs(raw), V::Set(spec::kExpm1Near))))) {
    return LimitedKl<V>(KlForm::kK3, raw, p, slope);
  }
  const typename V::F kl = spec::Expm1MinusXNear<V>(raw);
  *slope = Negate<V>(V::Add(raw, kl));
  return kl;
}

// Tokens [i, i + n), n <= kWidth, whose lanes are those of `part`.
template <class V, PlainLoss kLoss, bool kMasked, bool kHasKl>
CT_INLINE void PlainStep(const PolicyLoss& op, size_t i, size_t n, size_t part, const PlainSequence<V>& s,
                         PlainSums<V>* sums) {
  using F = typename V::F;
  const typename V::M valid = LoadMask<V>(kMasked ? op.mask : nullptr, i, n, true);
  const F logprob = LoadTokens<V>(op.logprobs, i, n);
  const F log_ratio = V::Sub(logprob, LoadTokens<V>(op.old_logprobs, i, n));
  const PlainTerm<V> t = PlainTermOf<V, kLoss>(op.params, logprob, log_ratio, s);
  F gradient = t.gradient;
  sums->log_ratio.Add(part, valid, log_ratio);
  sums->ratio.Add(part, valid, t.ratio);
  sums->policy.Add(part, valid, t.loss);
  sums->clipped += V::Count(V::And(valid, t.clipped));
  if constexpr (kLoss == PlainLoss::kLimitedClip || kLoss == PlainLoss::kCispo) {
    sums->other += V::Count(V::And(valid, t.other));
  }
  if constexpr (kHasKl) {
    const F raw = V::Sub(LoadTokens<V>(op.ref_logprobs, i, n), logprob);
    F slope;
    F kl;
    if constexpr (kLoss == PlainLoss::kLimitedClip) {
      kl = PlainLimitedKl<V>(op.params, raw, &slope);
      if (op.kl_correction == KlCorrection::kOnPolicy) slope = V::Add(slope, kl);
    } else {
      kl = KlTerm<V>(KlForm::kK3, raw, &slope);
    }
    sums->kl.Add(part, valid, kl);
    if (op.params.kl_coef != 0.0F) gradient = V::Fma(V::Set(op.params.kl_coef), slope, gradient);
  }
  StoreTokens<V>(op.d_logprobs, i, n, V::Select(valid, V::Mul(gradient, s.scale), V::Set(0.0F)));
}

// One token of every lane: `part` is a constant in each step, so that the sums need not be in memory.
template <class V, PlainLoss kLoss, bool kMasked, bool kHasKl, size_t... kPart>
CT_INLINE void PlainSteps(const PolicyLoss& op, size_t i, const PlainSequence<V>& s, PlainSums<V>* sums,
                          std::index_sequence<kPart...>) {
  (PlainStep<V, kLoss, kMasked, kHasKl>(op, i + kPart * V::kWidth, V::kWidth, kPart, s, sums), ...);
}

// Adds the sums of tokens [begin, end), at most a tile of them, to `out`; whether they are finite.
template <class V, PlainLoss kLoss, bool kMasked, bool kHasKl>
CT_INLINE bool PlainTile(const PolicyLoss& op, size_t begin, size_t end, const PlainSequence<V>& s, double* out) {
  constexpr size_t w = V::kWidth;
  constexpr size_t kParts = LaneSum<V>::kParts;
  PlainSums<V> whole;
  whole.Clear();
  size_t i = begin;
  if constexpr (kParts <= 4) {
    for (; i + spec::kTokenLanes <= end; i += spec::kTokenLanes) {
      PlainSteps<V, kLoss, kMasked, kHasKl>(op, i, s, &whole, std::make_index_sequence<kParts>());
    }
  }
  PlainSums<V> t = whole;  // In memory: the index of the last steps is no constant.
  for (size_t part = 0; i < end; i += w, part = (part + 1) % kParts) {
    PlainStep<V, kLoss, kMasked, kHasKl>(op, i, end - i < w ? end - i : w, part, s, &t);
  }
  const double policy = t.policy.Join();
  const double kl = kHasKl ? t.kl.Join() : 0.0;
  out[kPolicyLoss] += policy;
  out[kKl] += kl;
  out[kLogRatio] += t.log_ratio.Join();
  out[kRatio] += t.ratio.Join();
  out[kClippedLow] += static_cast<double>(t.clipped);
  out[kLoss == PlainLoss::kCispo ? kClippedHigh : kClippedDual] += static_cast<double>(t.other);
  return SumsAreFinite(op, policy, kl, 0.0);
}

// A tile whose sums are not finite, or whose gradients are multiplied with what is not an ordinary number.
template <class V, template <class> class L>
void RedoPlainTile(const PolicyLoss& op, size_t begin, size_t end, const SequenceVectors<V>& s, double* out) {
  for (size_t i = begin; i < end; ++i) op.d_logprobs[i] = spec::CanonicalNan(op.d_logprobs[i]);
  out[kNonFinite] += static_cast<double>(CountNonFinite<V, L>(op, begin, end, s));
}

// L is the same loss with every option.
template <class V, PlainLoss kLoss, template <class> class L, bool kHasKl>
void PlainLossTokens(const PolicyLoss& given, const SequenceTerms* terms, double* sums, size_t begin, size_t end) {
  const PolicyLoss op = given;  // A copy that no store can alias: parameters stay in registers.
  for (size_t q = begin; q < end; ++q) {
    double* out = sums + q * kLossSums;
    for (size_t k = 0; k < kLossSums; ++k) out[k] = 0.0;
    const float advantage = op.advantages[q];
    const auto scale = static_cast<float>(terms[q].scale);
    const PlainSequence<V> s = PlainSequenceOf<V>(advantage, terms[q], op.params);
    const bool ordinary = scale > 0 && spec::IsFinite(scale) && spec::IsFinite(op.params.kl_coef);
    const auto first = static_cast<size_t>(op.offsets[q]);
    const auto last = static_cast<size_t>(op.offsets[q + 1]);
    const bool masked = terms[q].valid != last - first;
    for (size_t i = first; i < last; i += spec::kTokenTile) {
      const size_t stop = last - i < spec::kTokenTile ? last : i + spec::kTokenTile;
      const bool finite = masked ? PlainTile<V, kLoss, true, kHasKl>(op, i, stop, s, out)
                                 : PlainTile<V, kLoss, false, kHasKl>(op, i, stop, s, out);
      if (!finite || !ordinary) RedoPlainTile<V, L>(given, i, stop, SequenceVectorsOf<V>(given, q, terms[q]), out);
    }
    if (kLoss != PlainLoss::kCispo && advantage > 0) std::swap(out[kClippedLow], out[kClippedHigh]);
    out[kTokens] = static_cast<double>(terms[q].valid);
    out[kSequences] = terms[q].valid != 0 ? 1.0 : 0.0;
  }
}

template <class V>
constexpr PolicyLossKernel MakePolicyLossKernel() {
  return {
      PolicyLossSequences<V>,
      {PolicyLossTokens<V, ClipLoss>, PolicyLossTokens<V, CispoLoss>, PolicyLossTokens<V, ToprLoss>,
       PolicyLossTokens<V, ReinforceLoss>, PolicyLossTokens<V, DppoTvLoss>, PolicyLossTokens<V, DppoKlLoss>,
       PolicyLossTokens<V, VespoLoss>, PolicyLossTokens<V, SapoLoss>, PolicyLossTokens<V, GmpoLoss>,
       PolicyLossTokens<V, KlCovLoss>, PolicyLossTokens<V, SquaredLoss>},
      {{PlainLossTokens<V, PlainLoss::kClip, ClipLoss, false>, PlainLossTokens<V, PlainLoss::kClip, ClipLoss, true>},
       {PlainLossTokens<V, PlainLoss::kLimitedClip, ClipLoss, false>,
        PlainLossTokens<V, PlainLoss::kLimitedClip, ClipLoss, true>},
       {PlainLossTokens<V, PlainLoss::kSequenceClip, ClipLoss, false>,
        PlainLossTokens<V, PlainLoss::kSequenceClip, ClipLoss, true>},
       {PlainLossTokens<V, PlainLoss::kCispo, CispoLoss, false>,
        PlainLossTokens<V, PlainLoss::kCispo, CispoLoss, true>}}};
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_POLICY_LOSS_PLAIN_LOSS_CPU_H_
