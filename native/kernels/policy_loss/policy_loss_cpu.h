#ifndef CROSSTHINK_KERNELS_POLICY_LOSS_POLICY_LOSS_CPU_H_
#define CROSSTHINK_KERNELS_POLICY_LOSS_POLICY_LOSS_CPU_H_

#include <cstddef>
#include <cstdint>

#include "kernels/policy_loss/policy_loss.h"
#include "kernels/policy_loss/token_terms.h"
#include "kernels/token_lanes.h"
#include "kernels/token_mask.h"
#include "spec/bits.h"

namespace crossthink {
namespace {

struct TileSums {
  LaneSum policy, kl, log_ratio;
  uint64_t low, high;
};

template <class V>
CT_INLINE typename V::F LoadTokens(const float* p, size_t n) {
  return n == V::kWidth ? V::Load(p) : V::LoadPartial(p, n, 0.0F);
}

// Tokens [i, i + n), n <= kWidth, of a sequence; `lane` is the lane of token i.
template <class V>
CT_INLINE void LossStep(const PolicyLoss& op, size_t i, size_t n, size_t lane, typename V::F advantage,
                        typename V::F scale, TileSums* sums) {
  using F = typename V::F;
  const typename V::M valid = LoadMask<V>(op.mask == nullptr ? nullptr : op.mask + i, n);
  const F logprob = LoadTokens<V>(op.logprobs + i, n);
  const F d = V::Sub(logprob, LoadTokens<V>(op.old_logprobs + i, n));
  const TokenTerm<V> term = ClippedTerm<V>(Ratio<V>(d), advantage, op.params);
  F gradient = term.gradient;
  sums->policy.Add<V>(lane, valid, term.loss);
  sums->log_ratio.Add<V>(lane, valid, d);
  sums->low += V::Count(V::And(valid, term.low));
  sums->high += V::Count(V::And(valid, term.high));
  if (op.ref_logprobs != nullptr) {
    F kl_gradient;
    const F kl = K3<V>(V::Sub(LoadTokens<V>(op.ref_logprobs + i, n), logprob), &kl_gradient);
    // A coefficient of 0 only measures: 0 * inf must not reach the gradient.
    if (op.params.kl_coef != 0.0F) gradient = V::Fma(V::Set(op.params.kl_coef), kl_gradient, gradient);
    sums->kl.Add<V>(lane, valid, kl);
  }
  gradient = V::Mul(gradient, scale);
  gradient = V::Select(V::Equal(gradient, gradient), gradient, V::Set(spec::QuietNan()));
  gradient = V::Select(valid, gradient, V::Set(0.0F));
  if (n == V::kWidth) {
    V::Store(op.d_logprobs + i, gradient);
  } else {
    V::StorePartial(op.d_logprobs + i, n, gradient);
  }
}

// How many valid tokens of [begin, end) have a loss that is not finite: only asked where a tile's sum is not.
template <class V>
uint64_t CountNonFinite(const PolicyLoss& op, size_t begin, size_t end, typename V::F advantage) {
  uint64_t count = 0;
  for (size_t i = begin; i < end; i += V::kWidth) {
    const size_t n = end - i < V::kWidth ? end - i : V::kWidth;
    const typename V::F logprob = LoadTokens<V>(op.logprobs + i, n);
    const typename V::F d = V::Sub(logprob, LoadTokens<V>(op.old_logprobs + i, n));
    typename V::F loss = ClippedTerm<V>(Ratio<V>(d), advantage, op.params).loss;
    if (op.ref_logprobs != nullptr && op.params.kl_coef != 0.0F) {
      typename V::F unused;
      const typename V::F kl = K3<V>(V::Sub(LoadTokens<V>(op.ref_logprobs + i, n), logprob), &unused);
      loss = V::Fma(V::Set(op.params.kl_coef), kl, loss);
    }
    const typename V::M finite = V::Equal(V::Sub(loss, loss), V::Set(0.0F));
    count += V::Count(V::And(LoadMask<V>(op.mask == nullptr ? nullptr : op.mask + i, n), V::Not(finite)));
  }
  return count;
}

// Sequences [begin, end): gradients, and one row of kLossSums per sequence.
template <class V>
void PolicyLossTokens(const PolicyLoss& op, const SequenceTerms* terms, double* sums, size_t begin, size_t end) {
  constexpr size_t w = V::kWidth;
  for (size_t s = begin; s < end; ++s) {
    double* out = sums + s * kLossSums;
    for (size_t k = 0; k < kLossSums; ++k) out[k] = 0.0;
    const auto last = static_cast<size_t>(op.offsets[s + 1]);
    const typename V::F advantage = V::Set(op.advantages[s]);
    const typename V::F scale = V::Set(terms[s].scale);
    for (auto tile = static_cast<size_t>(op.offsets[s]); tile < last; tile += spec::kTokenTile) {
      const size_t end_of_tile = last - tile < spec::kTokenTile ? last : tile + spec::kTokenTile;
      TileSums t;
      t.policy.Clear();
      t.kl.Clear();
      t.log_ratio.Clear();
      t.low = t.high = 0;
      size_t i = tile;
      for (; i + w <= end_of_tile; i += w) LossStep<V>(op, i, w, (i - tile) % spec::kTokenLanes, advantage, scale, &t);
      if (i < end_of_tile) {
        LossStep<V>(op, i, end_of_tile - i, (i - tile) % spec::kTokenLanes, advantage, scale, &t);
      }
      const double policy = t.policy.Join<V>();
      const double kl = t.kl.Join<V>();
      out[kPolicyLoss] += policy;
      out[kKl] += kl;
      out[kLogRatio] += t.log_ratio.Join<V>();
      out[kClippedLow] += static_cast<double>(t.low);
      out[kClippedHigh] += static_cast<double>(t.high);
      if (!spec::IsFinite(static_cast<float>(op.params.kl_coef != 0.0F ? policy + kl : policy))) {
        out[kNonFinite] += static_cast<double>(CountNonFinite<V>(op, tile, end_of_tile, advantage));
      }
    }
    out[kTokens] = static_cast<double>(terms[s].valid);
    out[kSequences] = terms[s].valid != 0 ? 1.0 : 0.0;
  }
}

template <class V>
constexpr PolicyLossKernel MakePolicyLossKernel() {
  return {PolicyLossTokens<V>};
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_POLICY_LOSS_POLICY_LOSS_CPU_H_
