#ifndef CROSSTHINK_KERNELS_POLICY_LOSS_POLICY_LOSS_CPU_H_
#define CROSSTHINK_KERNELS_POLICY_LOSS_POLICY_LOSS_CPU_H_

#include <cstddef>
#include <cstdint>

#include "kernels/policy_loss/policy_loss.h"
#include "kernels/policy_loss/sequence.h"
#include "kernels/policy_loss/token.h"
#include "kernels/token_lanes.h"
#include "kernels/token_mask.h"
#include "spec/bits.h"

namespace crossthink {
namespace {

struct TileSums {
  LaneSum policy, kl, entropy, log_ratio, ratio, weight;
  uint64_t low, high, dual, dropped;

  CT_INLINE void Clear() {
    policy.Clear();
    kl.Clear();
    entropy.Clear();
    log_ratio.Clear();
    ratio.Clear();
    weight.Clear();
    low = high = dual = dropped = 0;
  }
};

// `lane` is the lane of token i.
template <class V, template <class> class L>
CT_INLINE void TokenStep(const PolicyLoss& op, size_t i, size_t n, size_t lane, const SequenceVectors<V>& s,
                         TileSums* sums) {
  using F = typename V::F;
  const TokenResult<V> r = Evaluate<V, L>(op, i, n, s);
  sums->policy.Add<V>(lane, r.valid, r.policy.loss);
  sums->log_ratio.Add<V>(lane, r.valid, r.log_ratio);
  sums->ratio.Add<V>(lane, r.valid, r.ratio);
  if (op.ref_logprobs != nullptr) sums->kl.Add<V>(lane, r.valid, r.kl);
  sums->low += V::Count(V::And(r.valid, r.policy.low));
  sums->high += V::Count(V::And(r.valid, r.policy.high));
  if constexpr (!L<V>::kPlain) {
    if (op.weights != nullptr) sums->weight.Add<V>(lane, r.valid, r.weight);
    if (op.entropies != nullptr) sums->entropy.Add<V>(lane, r.valid, r.entropy);
    sums->dual += V::Count(V::And(r.valid, r.policy.dual));
    sums->dropped += V::Count(V::And(r.valid, r.dropped));
  }
  F gradient = V::Mul(r.gradient, s.scale);
  gradient = V::Select(V::Equal(gradient, gradient), gradient, V::Set(spec::QuietNan()));
  StoreTokens<V>(op.d_logprobs, i, n, V::Select(r.valid, gradient, V::Set(0.0F)));
  if (!L<V>::kPlain && op.d_entropies != nullptr) {
    const F d = V::Mul(V::Set(-op.params.entropy_coef), s.scale);
    StoreTokens<V>(op.d_entropies, i, n, V::Select(r.valid, d, V::Set(0.0F)));
  }
}

// How many valid tokens of [begin, end) have a loss that is not finite: only asked where a tile's sum is not.
template <class V, template <class> class L>
uint64_t CountNonFinite(const PolicyLoss& op, size_t begin, size_t end, const SequenceVectors<V>& s) {
  uint64_t count = 0;
  for (size_t i = begin; i < end; i += V::kWidth) {
    const TokenResult<V> r = Evaluate<V, L>(op, i, end - i < V::kWidth ? end - i : V::kWidth, s);
    const typename V::M finite = V::Equal(V::Sub(r.loss, r.loss), V::Set(0.0F));
    count += V::Count(V::And(r.valid, V::Not(finite)));
  }
  return count;
}

template <class V, template <class> class L>
CT_INLINE void TileOfTokens(const PolicyLoss& op, size_t begin, size_t end, const SequenceVectors<V>& s, double* out) {
  constexpr size_t w = V::kWidth;
  TileSums t;
  t.Clear();
  size_t i = begin;
  for (; i + w <= end; i += w) TokenStep<V, L>(op, i, w, (i - begin) % spec::kTokenLanes, s, &t);
  if (i < end) TokenStep<V, L>(op, i, end - i, (i - begin) % spec::kTokenLanes, s, &t);
  const double policy = t.policy.Join<V>();
  const double kl = t.kl.Join<V>();
  const double entropy = t.entropy.Join<V>();
  out[kPolicyLoss] += policy;
  out[kKl] += kl;
  out[kEntropy] += entropy;
  out[kLogRatio] += t.log_ratio.Join<V>();
  out[kRatio] += t.ratio.Join<V>();
  out[kWeight] += t.weight.Join<V>();
  out[kClippedLow] += static_cast<double>(t.low);
  out[kClippedHigh] += static_cast<double>(t.high);
  out[kClippedDual] += static_cast<double>(t.dual);
  out[kDropped] += static_cast<double>(t.dropped);
  if (!SumsAreFinite(op, policy, kl, entropy)) {
    out[kNonFinite] += static_cast<double>(CountNonFinite<V, L>(op, begin, end, s));
  }
}

template <class V, template <class> class L>
void PolicyLossTokens(const PolicyLoss& given, const SequenceTerms* terms, double* sums, size_t begin, size_t end) {
  const PolicyLoss op = given;  // A copy that no store can alias: parameters stay in registers.
  for (size_t q = begin; q < end; ++q) {
    double* out = sums + q * kLossSums;
    for (size_t k = 0; k < kLossSums; ++k) out[k] = 0.0;
    const SequenceTerms& term = terms[q];
    SequenceVectors<V> s;
    s.advantage = V::Set(op.token_advantages ? 0.0F : op.advantages[q]);
    s.scale = V::Set(static_cast<float>(term.scale));
    s.ratio = V::Set(term.ratio);
    s.factor = V::Set(term.factor);
    s.dropped = FirstLanes<V>(term.dropped ? V::kWidth : 0);
    s.limited = FirstLanes<V>(term.limited ? V::kWidth : 0);
    const auto last = static_cast<size_t>(op.offsets[q + 1]);
    for (auto i = static_cast<size_t>(op.offsets[q]); i < last; i += spec::kTokenTile) {
      TileOfTokens<V, L>(op, i, last - i < spec::kTokenTile ? last : i + spec::kTokenTile, s, out);
    }
    out[kTokens] = static_cast<double>(term.valid);
    out[kSequences] = term.valid != 0 ? 1.0 : 0.0;
  }
}

template <class V>
void PolicyLossSequences(const PolicyLoss& op, SequenceTerms* terms, size_t begin, size_t end) {
  constexpr size_t w = V::kWidth;
  const float* rollout = op.rollout_logprobs != nullptr ? op.rollout_logprobs : op.old_logprobs;
  for (size_t q = begin; q < end; ++q) {
    const auto last = static_cast<size_t>(op.offsets[q + 1]);
    const float advantage = op.token_advantages ? 0.0F : op.advantages[q];
    for (auto tile = static_cast<size_t>(op.offsets[q]); tile < last; tile += spec::kTokenTile) {
      const size_t stop = last - tile < spec::kTokenTile ? last : tile + spec::kTokenTile;
      LaneSum log_ratio, divergence;
      log_ratio.Clear();
      divergence.Clear();
      for (size_t i = tile; i < stop; i += w) {
        const size_t n = stop - i < w ? stop - i : w;
        const size_t lane = (i - tile) % spec::kTokenLanes;
        const typename V::M valid = LoadMask<V>(op.mask, i, n, true);
        const typename V::F logprob = LoadTokens<V>(op.logprobs, i, n);
        const typename V::F d = V::Sub(logprob, LoadTokens<V>(op.old_logprobs, i, n));
        log_ratio.Add<V>(lane, valid, SequenceLogRatio<V>(op, i, n, d, advantage));
        divergence.Add<V>(lane, valid, V::Sub(LoadTokens<V>(rollout, i, n), logprob));
      }
      terms[q].log_ratio_sum += log_ratio.Join<V>();
      terms[q].divergence_sum += divergence.Join<V>();
    }
  }
}

template <class V>
constexpr PolicyLossKernel MakePolicyLossKernel() {
  return {PolicyLossSequences<V>,
          {PolicyLossTokens<V, ClipLoss>, PolicyLossTokens<V, CispoLoss>, PolicyLossTokens<V, ToprLoss>,
           PolicyLossTokens<V, ReinforceLoss>, PolicyLossTokens<V, DppoTvLoss>, PolicyLossTokens<V, DppoKlLoss>,
           PolicyLossTokens<V, VespoLoss>, PolicyLossTokens<V, SapoLoss>, PolicyLossTokens<V, GmpoLoss>,
           PolicyLossTokens<V, KlCovLoss>, PolicyLossTokens<V, SquaredLoss>},
          PolicyLossTokens<V, PlainClipLoss>};
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_POLICY_LOSS_POLICY_LOSS_CPU_H_
