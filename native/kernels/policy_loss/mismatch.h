#ifndef CROSSTHINK_KERNELS_POLICY_LOSS_MISMATCH_H_
#define CROSSTHINK_KERNELS_POLICY_LOSS_MISMATCH_H_

#include <cstddef>
#include <cstdint>

#include "kernels/policy_loss/rollout_correction.h"
#include "kernels/policy_loss/token.h"
#include "kernels/policy_loss/token_terms.h"
#include "kernels/token_mask.h"
#include "simd/scalar.h"
#include "spec/annotate.h"
#include "spec/exponential.h"

// The formulas of the rollout correction, over an instruction set V (simd::Scalar on a CUDA thread). docs/losses.md,
// "Rollout correction".
namespace crossthink {
namespace {

constexpr float kMismatchLimit = 20.0F;  // As in verl: e^20 is as far off as anything needs to be.

// What a sequence is judged by: its rules of sequence level all read these.
struct MismatchStatistics {
  uint64_t valid = 0;
  double sum = 0;         // Of x,
  double square_sum = 0;  // x^2 / 2,
  double k3_sum = 0;      // k3,
  double abs_sum = 0;     // |x|.
  float k2_max = 0;
  float k3_max = 0;
};

template <class V>
CT_HD CT_INLINE typename V::F LoadMismatch(const RolloutCorrection& op, size_t i, size_t n) {
  const typename V::F x = V::Sub(LoadTokens<V>(op.logprobs, i, n), LoadTokens<V>(op.rollout_logprobs, i, n));
  return Clamp<V>(x, -kMismatchLimit, kMismatchLimit);
}

template <class V>
CT_HD CT_INLINE typename V::F K2(typename V::F x) {
  return V::Mul(V::Mul(V::Set(0.5F), x), x);
}

CT_HD CT_INLINE float SequenceStatistic(const RejectRule& rule, const MismatchStatistics& s) {
  if (rule.level == RejectLevel::kSequenceMax) return rule.form == RejectForm::kK2 ? s.k2_max : s.k3_max;
  const double sum = rule.form == RejectForm::kRatio ? s.sum : rule.form == RejectForm::kK2 ? s.square_sum : s.k3_sum;
  const double n = rule.level == RejectLevel::kSequenceMean && s.valid != 0 ? static_cast<double>(s.valid) : 1.0;
  const auto statistic = static_cast<float>(sum / n);
  return rule.form == RejectForm::kRatio ? Ratio<simd::Scalar>(statistic) : statistic;
}

// Whether a rule rejects; a NaN is always rejected.
CT_HD CT_INLINE bool Rejects(const RejectRule& rule, float statistic) {
  return !(statistic >= rule.low && statistic <= rule.high);
}

template <class V>
CT_HD CT_INLINE typename V::M RejectedTokens(const RolloutCorrection& op, typename V::F x, typename V::F ratio,
                                             typename V::M rejected) {
  for (size_t k = 0; k < op.rule_count; ++k) {
    const RejectRule& rule = op.rules[k];
    if (rule.level != RejectLevel::kToken) continue;
    const typename V::F statistic = rule.form == RejectForm::kRatio ? ratio
                                    : rule.form == RejectForm::kK2  ? K2<V>(x)
                                                                    : spec::Expm1MinusX<V>(x);
    const typename V::M inside =
        V::And(V::LessEqual(V::Set(rule.low), statistic), V::LessEqual(statistic, V::Set(rule.high)));
    rejected = V::Or(rejected, V::Not(inside));
  }
  return rejected;
}

// Whether a rule rejects the whole sequence.
CT_HD CT_INLINE bool RejectsSequence(const RolloutCorrection& op, const MismatchStatistics& s) {
  bool rejected = false;
  for (size_t k = 0; k < op.rule_count; ++k) {
    const RejectRule& rule = op.rules[k];
    if (rule.level != RejectLevel::kToken) rejected |= Rejects(rule, SequenceStatistic(rule, s));
  }
  return rejected;
}

// e^(sum x), the sum clamped.
CT_HD CT_INLINE float SequenceRatio(double sum) {
  constexpr double kLimit = kMismatchLimit;
  return Ratio<simd::Scalar>(static_cast<float>(sum > kLimit ? kLimit : sum < -kLimit ? -kLimit : sum));
}

// A weight inside [low, high], or 0; a mismatch that is no number has no weight.
template <class V>
CT_HD CT_INLINE typename V::F BoundedWeight(const RolloutCorrection& op, typename V::F raw, typename V::M outside) {
  const typename V::F zero = V::Set(0.0F);
  typename V::F weight = Clamp<V>(raw, op.low, op.high);
  if (op.zero_outside) weight = V::Select(outside, zero, weight);
  return V::Select(V::Equal(weight, weight), weight, zero);
}

template <class V>
struct CorrectedToken {
  typename V::M valid, outside, rejected, kept;
  typename V::F bounded;  // The weight before the rules,
  typename V::F weight;   // and after them.
};

template <class V>
CT_HD CT_INLINE CorrectedToken<V> CorrectToken(const RolloutCorrection& op, size_t i, size_t n, float sequence_ratio,
                                               bool rejected_sequence) {
  using F = typename V::F;
  const F zero = V::Set(0.0F);
  const F x = LoadMismatch<V>(op, i, n);
  const F ratio = Ratio<V>(x);
  const F raw = op.weights == WeightLevel::kNone    ? V::Set(1.0F)
                : op.weights == WeightLevel::kToken ? ratio
                                                    : V::Set(sequence_ratio);
  CorrectedToken<V> t;
  t.valid = LoadMask<V>(op.mask, i, n, true);
  t.rejected = RejectedTokens<V>(op, x, ratio, FirstLanes<V>(rejected_sequence ? V::kWidth : 0));
  t.outside = V::Or(V::Less(raw, V::Set(op.low)), V::Less(V::Set(op.high), raw));
  t.bounded = V::Select(t.valid, BoundedWeight<V>(op, raw, t.outside), zero);
  t.weight = V::Select(t.rejected, zero, t.bounded);
  t.kept = op.reject_weight ? t.valid : V::And(t.valid, V::Not(t.rejected));
  return t;
}

// The normalisation counts tokens; where the weight is that of a sequence, sequences with a valid token.
CT_HD CT_INLINE void FinishNormalizer(const RolloutCorrection& op, const MismatchStatistics& s, double* out) {
  out[kNormalizerCount] = static_cast<double>(s.valid);
  if (op.weights != WeightLevel::kSequence || s.valid == 0) return;
  const float raw = SequenceRatio(s.sum);
  const bool outside = raw < op.low || raw > op.high;
  out[kNormalizerSum] = static_cast<double>(BoundedWeight<simd::Scalar>(op, raw, outside));
  out[kNormalizerCount] = 1;
}

// The mean weight that a normalisation divides by: of the batch, or given. Too small a mean divides nothing.
CT_HD CT_INLINE float WeightMean(const RolloutCorrection& op, const double* sums) {
  const double mean = op.weight_mean != 0 ? op.weight_mean : sums[kNormalizerSum] / sums[kNormalizerCount];
  return mean > 1e-8 ? static_cast<float>(mean) : 1.0F;
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_POLICY_LOSS_MISMATCH_H_
