#ifndef CROSSTHINK_KERNELS_POLICY_LOSS_PLAIN_CLIP_CPU_H_
#define CROSSTHINK_KERNELS_POLICY_LOSS_PLAIN_CLIP_CPU_H_

#include <cstddef>
#include <cstdint>
#include <utility>

#include "kernels/policy_loss/policy_loss_cpu.h"
#include "kernels/policy_loss/sequence.h"
#include "kernels/policy_loss/token_terms.h"
#include "kernels/token_lanes.h"
#include "kernels/token_mask.h"

// The loss of most training (IsPlain), in a loop that holds its sums in registers and branches on nothing. What it may
// leave out, with the same bits:
//   - the advantage belongs to the sequence, so only one side of the clip can act: one comparison instead of two;
//   - a sequence without a masked token needs no mask;
//   - a gradient is only NaN where the sums of its tile are not finite: such a tile is gone over again.
namespace crossthink {
namespace {

// A sequence in every lane. A token is clipped where ratio * side < bound; the ratio used is then `edge`.
template <class V>
struct PlainSequence {
  typename V::F minus_advantage, scale, side, bound, edge;
};

template <class V>
CT_INLINE PlainSequence<V> PlainSequenceOf(float advantage, float scale, const LossParams& p) {
  const bool low = advantage < 0;
  const bool high = advantage > 0;
  const float bound = low ? p.ratio_low : high ? -p.ratio_high : -spec::Infinity();
  return {Negate<V>(V::Set(advantage)), V::Set(scale), V::Set(high ? -1.0F : 1.0F), V::Set(bound),
          V::Set(low ? p.ratio_low : p.ratio_high)};
}

template <class V>
struct PlainSums {
  LaneSum<V> policy, kl, log_ratio, ratio;
  uint64_t clipped;

  CT_INLINE void Clear() {
    policy.Clear();
    kl.Clear();
    log_ratio.Clear();
    ratio.Clear();
    clipped = 0;
  }
};

// Tokens [i, i + n), n <= kWidth, whose lanes are those of `part`.
template <class V, bool kMasked, bool kHasKl>
CT_INLINE void PlainStep(const PolicyLoss& op, size_t i, size_t n, size_t part, const PlainSequence<V>& s,
                         PlainSums<V>* sums) {
  using F = typename V::F;
  const F zero = V::Set(0.0F);
  const typename V::M valid = LoadMask<V>(kMasked ? op.mask : nullptr, i, n, true);
  const F logprob = LoadTokens<V>(op.logprobs, i, n);
  const F log_ratio = V::Sub(logprob, LoadTokens<V>(op.old_logprobs, i, n));
  const F ratio = Ratio<V>(log_ratio);
  const typename V::M clipped = V::Less(V::Mul(ratio, s.side), s.bound);
  const F loss = V::Mul(V::Select(clipped, s.edge, ratio), s.minus_advantage);
  F gradient = V::Select(clipped, zero, loss);
  sums->log_ratio.Add(part, valid, log_ratio);
  sums->ratio.Add(part, valid, ratio);
  sums->policy.Add(part, valid, loss);
  sums->clipped += V::Count(V::And(valid, clipped));
  if constexpr (kHasKl) {
    F slope;
    const F kl = KlTerm<V>(KlForm::kK3, V::Sub(LoadTokens<V>(op.ref_logprobs, i, n), logprob), &slope);
    sums->kl.Add(part, valid, kl);
    if (op.params.kl_coef != 0.0F) gradient = V::Fma(V::Set(op.params.kl_coef), slope, gradient);
  }
  StoreTokens<V>(op.d_logprobs, i, n, V::Select(valid, V::Mul(gradient, s.scale), zero));
}

// One token of every lane: `part` is a constant in each step, so that the sums need not be in memory.
template <class V, bool kMasked, bool kHasKl, size_t... kPart>
CT_INLINE void PlainSteps(const PolicyLoss& op, size_t i, const PlainSequence<V>& s, PlainSums<V>* sums,
                          std::index_sequence<kPart...>) {
  (PlainStep<V, kMasked, kHasKl>(op, i + kPart * V::kWidth, V::kWidth, kPart, s, sums), ...);
}

// Adds the sums of tokens [begin, end), at most a tile of them, to `out`; whether they are finite.
template <class V, bool kMasked, bool kHasKl>
CT_INLINE bool PlainTile(const PolicyLoss& op, size_t begin, size_t end, const PlainSequence<V>& s, double* out) {
  constexpr size_t w = V::kWidth;
  constexpr size_t kParts = LaneSum<V>::kParts;
  PlainSums<V> whole;
  whole.Clear();
  size_t i = begin;
  if constexpr (kParts <= 4) {
    for (; i + spec::kTokenLanes <= end; i += spec::kTokenLanes) {
      PlainSteps<V, kMasked, kHasKl>(op, i, s, &whole, std::make_index_sequence<kParts>());
    }
  }
  PlainSums<V> t = whole;  // In memory: the index of the last steps is no constant.
  for (size_t part = 0; i < end; i += w, part = (part + 1) % kParts) {
    PlainStep<V, kMasked, kHasKl>(op, i, end - i < w ? end - i : w, part, s, &t);
  }
  const double policy = t.policy.Join();
  const double kl = kHasKl ? t.kl.Join() : 0.0;
  out[kPolicyLoss] += policy;
  out[kKl] += kl;
  out[kLogRatio] += t.log_ratio.Join();
  out[kRatio] += t.ratio.Join();
  out[kClippedLow] += static_cast<double>(t.clipped);
  return SumsAreFinite(op, policy, kl, 0.0);
}

// A tile whose sums are not finite, or whose gradients are multiplied with what is not an ordinary number.
template <class V>
void RedoPlainTile(const PolicyLoss& op, size_t begin, size_t end, float advantage, float scale, double* out) {
  for (size_t i = begin; i < end; ++i) op.d_logprobs[i] = spec::CanonicalNan(op.d_logprobs[i]);
  SequenceVectors<V> s = {};
  s.advantage = V::Set(advantage);
  s.scale = V::Set(scale);
  out[kNonFinite] += static_cast<double>(CountNonFinite<V, PlainClipLoss>(op, begin, end, s));
}

template <class V, bool kHasKl>
void PlainLossTokens(const PolicyLoss& given, const SequenceTerms* terms, double* sums, size_t begin, size_t end) {
  const PolicyLoss op = given;  // A copy that no store can alias: parameters stay in registers.
  for (size_t q = begin; q < end; ++q) {
    double* out = sums + q * kLossSums;
    for (size_t k = 0; k < kLossSums; ++k) out[k] = 0.0;
    const float advantage = op.advantages[q];
    const auto scale = static_cast<float>(terms[q].scale);
    const PlainSequence<V> s = PlainSequenceOf<V>(advantage, scale, op.params);
    const bool ordinary = scale > 0 && spec::IsFinite(scale) && spec::IsFinite(op.params.kl_coef);
    const auto first = static_cast<size_t>(op.offsets[q]);
    const auto last = static_cast<size_t>(op.offsets[q + 1]);
    const bool masked = terms[q].valid != last - first;
    for (size_t i = first; i < last; i += spec::kTokenTile) {
      const size_t stop = last - i < spec::kTokenTile ? last : i + spec::kTokenTile;
      const bool finite =
          masked ? PlainTile<V, true, kHasKl>(op, i, stop, s, out) : PlainTile<V, false, kHasKl>(op, i, stop, s, out);
      if (!finite || !ordinary) RedoPlainTile<V>(given, i, stop, advantage, scale, out);
    }
    if (advantage > 0) std::swap(out[kClippedLow], out[kClippedHigh]);
    out[kTokens] = static_cast<double>(terms[q].valid);
    out[kSequences] = terms[q].valid != 0 ? 1.0 : 0.0;
  }
}

template <class V>
constexpr PolicyLossKernel MakePolicyLossKernel() {
  return {PolicyLossSequences<V>,
          {PolicyLossTokens<V, ClipLoss>, PolicyLossTokens<V, CispoLoss>, PolicyLossTokens<V, ToprLoss>,
           PolicyLossTokens<V, ReinforceLoss>, PolicyLossTokens<V, DppoTvLoss>, PolicyLossTokens<V, DppoKlLoss>,
           PolicyLossTokens<V, VespoLoss>, PolicyLossTokens<V, SapoLoss>, PolicyLossTokens<V, GmpoLoss>,
           PolicyLossTokens<V, KlCovLoss>, PolicyLossTokens<V, SquaredLoss>},
          {PlainLossTokens<V, false>, PlainLossTokens<V, true>}};
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_POLICY_LOSS_PLAIN_CLIP_CPU_H_
