#ifndef CROSSTHINK_KERNELS_POLICY_LOSS_POLICY_LOSS_CPU_H_
#define CROSSTHINK_KERNELS_POLICY_LOSS_POLICY_LOSS_CPU_H_

#include <cstddef>
#include <cstdint>
#include <utility>

#include "kernels/policy_loss/policy_loss.h"
#include "kernels/policy_loss/sequence.h"
#include "kernels/policy_loss/token.h"
#include "kernels/token_lanes.h"
#include "kernels/token_mask.h"
#include "spec/bits.h"

namespace crossthink {
namespace {

template <class V>
struct TileSums {
  LaneSum<V> policy, kl, entropy, log_ratio, ratio, weight;
  // Four counts of 16 bits, at most kTokenTile each: low, high, dual, dropped. Four numbers would be added up as a
  // vector in memory (g++ 12), every step waiting for the store of the one before.
  uint64_t counts;

  CT_INLINE void Clear() {
    policy.Clear();
    kl.Clear();
    entropy.Clear();
    log_ratio.Clear();
    ratio.Clear();
    weight.Clear();
    counts = 0;
  }
};

// `part` is that of token i in the lanes.
template <class V, template <class> class L>
CT_INLINE void TokenStep(const PolicyLoss& op, size_t i, size_t n, size_t part, const SequenceVectors<V>& s,
                         TileSums<V>* sums) {
  using F = typename V::F;
  const TokenResult<V> r = Evaluate<V, L>(op, i, n, s);
  sums->policy.Add(part, r.valid, r.policy.loss);
  sums->log_ratio.Add(part, r.valid, r.log_ratio);
  sums->ratio.Add(part, r.valid, r.ratio);
  if (op.ref_logprobs != nullptr) sums->kl.Add(part, r.valid, r.kl);
  uint64_t counts = V::Count(V::And(r.valid, r.policy.low)) | V::Count(V::And(r.valid, r.policy.high)) << 16;
  if constexpr (!L<V>::kPlain) {
    if (op.weights != nullptr) sums->weight.Add(part, r.valid, r.weight);
    if (op.entropies != nullptr) sums->entropy.Add(part, r.valid, r.entropy);
    counts |= V::Count(V::And(r.valid, r.policy.dual)) << 32 | V::Count(V::And(r.valid, r.dropped)) << 48;
  }
  sums->counts += counts;
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

// Adds a tile's sums to `out`; whether they are finite.
template <class V, template <class> class L>
CT_INLINE bool TileOfTokens(const PolicyLoss& op, size_t begin, size_t end, const SequenceVectors<V>& s, double* out) {
  constexpr size_t w = V::kWidth;
  TileSums<V> t;
  t.Clear();
  size_t i = begin;
  size_t part = 0;
  for (; i + w <= end; i += w) {
    TokenStep<V, L>(op, i, w, part, s, &t);
    part = (part + 1) % LaneSum<V>::kParts;
  }
  if (i < end) TokenStep<V, L>(op, i, end - i, part, s, &t);
  const double policy = t.policy.Join();
  const double kl = t.kl.Join();
  const double entropy = t.entropy.Join();
  out[kPolicyLoss] += policy;
  out[kKl] += kl;
  out[kEntropy] += entropy;
  out[kLogRatio] += t.log_ratio.Join();
  out[kRatio] += t.ratio.Join();
  out[kWeight] += t.weight.Join();
  out[kClippedLow] += static_cast<double>(t.counts & 0xffff);
  out[kClippedHigh] += static_cast<double>(t.counts >> 16 & 0xffff);
  out[kClippedDual] += static_cast<double>(t.counts >> 32 & 0xffff);
  out[kDropped] += static_cast<double>(t.counts >> 48);
  return SumsAreFinite(op, policy, kl, entropy);
}

template <class V>
CT_INLINE SequenceVectors<V> SequenceVectorsOf(const PolicyLoss& op, size_t sequence, const SequenceTerms& term) {
  SequenceVectors<V> s;
  s.advantage = V::Set(op.token_advantages ? 0.0F : op.advantages[sequence]);
  s.scale = V::Set(static_cast<float>(term.scale));
  s.ratio = V::Set(term.ratio);
  s.factor = V::Set(term.factor);
  s.dropped = FirstLanes<V>(term.dropped ? V::kWidth : 0);
  s.limited = FirstLanes<V>(term.limited ? V::kWidth : 0);
  return s;
}

template <class V, template <class> class L>
void PolicyLossTokens(const PolicyLoss& given, const SequenceTerms* terms, double* sums, size_t begin, size_t end) {
  const PolicyLoss op = given;  // A copy that no store can alias: parameters stay in registers.
  for (size_t q = begin; q < end; ++q) {
    double* out = sums + q * kLossSums;
    for (size_t k = 0; k < kLossSums; ++k) out[k] = 0.0;
    const SequenceTerms& term = terms[q];
    const SequenceVectors<V> s = SequenceVectorsOf<V>(op, q, term);
    const auto last = static_cast<size_t>(op.offsets[q + 1]);
    for (auto i = static_cast<size_t>(op.offsets[q]); i < last; i += spec::kTokenTile) {
      const size_t stop = last - i < spec::kTokenTile ? last : i + spec::kTokenTile;
      if (!TileOfTokens<V, L>(op, i, stop, s, out)) {
        out[kNonFinite] += static_cast<double>(CountNonFinite<V, L>(given, i, stop, s));
      }
    }
    out[kTokens] = static_cast<double>(term.valid);
    out[kSequences] = term.valid != 0 ? 1.0 : 0.0;
  }
}

// What FinishSequence needs of a sequence.
template <class V>
struct SequenceSums {
  LaneSum<V> log_ratio, divergence;
};

template <class V, bool kDivergence>
CT_INLINE void SequenceStep(const PolicyLoss& op, const float* rollout, float advantage, size_t i, size_t n,
                            size_t part, SequenceSums<V>* sums) {
  const typename V::M valid = LoadMask<V>(op.mask, i, n, true);
  const typename V::F logprob = LoadTokens<V>(op.logprobs, i, n);
  const typename V::F d = V::Sub(logprob, LoadTokens<V>(op.old_logprobs, i, n));
  sums->log_ratio.Add(part, valid, SequenceLogRatio<V>(op, i, n, d, advantage));
  if constexpr (kDivergence) sums->divergence.Add(part, valid, V::Sub(LoadTokens<V>(rollout, i, n), logprob));
}

template <class V, bool kDivergence, size_t... kPart>
CT_INLINE void SequenceSteps(const PolicyLoss& op, const float* rollout, float advantage, size_t i,
                             SequenceSums<V>* sums, std::index_sequence<kPart...>) {
  (SequenceStep<V, kDivergence>(op, rollout, advantage, i + kPart * V::kWidth, V::kWidth, kPart, sums), ...);
}

template <class V, bool kDivergence>
void SequencesOf(const PolicyLoss& given, SequenceTerms* terms, size_t begin, size_t end) {
  constexpr size_t w = V::kWidth;
  constexpr size_t kParts = LaneSum<V>::kParts;
  const PolicyLoss op = given;
  const float* rollout = op.rollout_logprobs != nullptr ? op.rollout_logprobs : op.old_logprobs;
  for (size_t q = begin; q < end; ++q) {
    const auto last = static_cast<size_t>(op.offsets[q + 1]);
    const float advantage = op.token_advantages ? 0.0F : op.advantages[q];
    for (auto tile = static_cast<size_t>(op.offsets[q]); tile < last; tile += spec::kTokenTile) {
      const size_t stop = last - tile < spec::kTokenTile ? last : tile + spec::kTokenTile;
      SequenceSums<V> whole;
      whole.log_ratio.Clear();
      whole.divergence.Clear();
      size_t i = tile;
      if constexpr (kParts <= 4) {
        for (; i + spec::kTokenLanes <= stop; i += spec::kTokenLanes) {
          SequenceSteps<V, kDivergence>(op, rollout, advantage, i, &whole, std::make_index_sequence<kParts>());
        }
      }
      SequenceSums<V> sums = whole;  // In memory, as in PlainTile.
      for (size_t part = 0; i < stop; i += w, part = (part + 1) % kParts) {
        SequenceStep<V, kDivergence>(op, rollout, advantage, i, stop - i < w ? stop - i : w, part, &sums);
      }
      terms[q].log_ratio_sum += sums.log_ratio.Join();
      if constexpr (kDivergence) terms[q].divergence_sum += sums.divergence.Join();
    }
  }
}

template <class V>
void PolicyLossSequences(const PolicyLoss& op, SequenceTerms* terms, size_t begin, size_t end) {
  // Without a limit no divergence is above it, not even one that is no number.
  const auto sums = op.off_policy_limit != kNoLimit ? SequencesOf<V, true> : SequencesOf<V, false>;
  sums(op, terms, begin, end);
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_POLICY_LOSS_POLICY_LOSS_CPU_H_
