#ifndef CROSSTHINK_KERNELS_POLICY_LOSS_ROLLOUT_CORRECTION_CPU_H_
#define CROSSTHINK_KERNELS_POLICY_LOSS_ROLLOUT_CORRECTION_CPU_H_

#include <cstddef>
#include <cstdint>

#include "kernels/policy_loss/rollout_correction.h"
#include "kernels/policy_loss/token_terms.h"
#include "kernels/token_lanes.h"
#include "kernels/token_mask.h"
#include "simd/scalar.h"
#include "spec/bits.h"

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
CT_INLINE typename V::F LoadMismatch(const RolloutCorrection& op, size_t i, size_t n) {
  const bool full = n == V::kWidth;
  const typename V::F a = full ? V::Load(op.logprobs + i) : V::LoadPartial(op.logprobs + i, n, 0.0F);
  const typename V::F b = full ? V::Load(op.rollout_logprobs + i) : V::LoadPartial(op.rollout_logprobs + i, n, 0.0F);
  return Clamp<V>(V::Sub(a, b), -kMismatchLimit, kMismatchLimit);
}

template <class V>
CT_INLINE typename V::F K2(typename V::F x) {
  return V::Mul(V::Mul(V::Set(0.5F), x), x);
}

template <class V>
MismatchStatistics MeasureSequence(const RolloutCorrection& op, size_t begin, size_t end) {
  constexpr size_t w = V::kWidth;
  MismatchStatistics s;
  s.valid = CountMask(op.mask == nullptr ? nullptr : op.mask + begin, end - begin);
  const typename V::F zero = V::Set(0.0F);
  typename V::F k2_max = zero, k3_max = zero;
  for (size_t tile = begin; tile < end; tile += spec::kTokenTile) {
    const size_t stop = end - tile < spec::kTokenTile ? end : tile + spec::kTokenTile;
    LaneSum<V> sum, square, k3_sum, abs;
    sum.Clear();
    square.Clear();
    k3_sum.Clear();
    abs.Clear();
    for (size_t i = tile; i < stop; i += w) {
      const size_t n = stop - i < w ? stop - i : w;
      const size_t part = (i - tile) % spec::kTokenLanes / w;
      const typename V::M valid = LoadMask<V>(op.mask, i, n, true);
      const typename V::F x = LoadMismatch<V>(op, i, n);
      const typename V::F k2 = K2<V>(x);
      const typename V::F k3 = spec::Expm1MinusX<V>(x);
      sum.Add(part, valid, x);
      square.Add(part, valid, k2);
      k3_sum.Add(part, valid, k3);
      abs.Add(part, valid, V::Abs(x));
      k2_max = V::Max(k2_max, V::Select(valid, k2, zero));
      k3_max = V::Max(k3_max, V::Select(valid, k3, zero));
    }
    s.sum += sum.Join();
    s.square_sum += square.Join();
    s.k3_sum += k3_sum.Join();
    s.abs_sum += abs.Join();
  }
  s.k2_max = V::MaxLane(k2_max);
  s.k3_max = V::MaxLane(k3_max);
  return s;
}

CT_INLINE float SequenceStatistic(const RejectRule& rule, const MismatchStatistics& s) {
  if (rule.level == RejectLevel::kSequenceMax) return rule.form == RejectForm::kK2 ? s.k2_max : s.k3_max;
  const double sum = rule.form == RejectForm::kRatio ? s.sum : rule.form == RejectForm::kK2 ? s.square_sum : s.k3_sum;
  const double n = rule.level == RejectLevel::kSequenceMean && s.valid != 0 ? static_cast<double>(s.valid) : 1.0;
  const auto statistic = static_cast<float>(sum / n);
  return rule.form == RejectForm::kRatio ? Ratio<simd::Scalar>(statistic) : statistic;
}

// Whether a rule rejects; a NaN is always rejected.
CT_INLINE bool Rejects(const RejectRule& rule, float statistic) {
  return !(statistic >= rule.low && statistic <= rule.high);
}

template <class V>
CT_INLINE typename V::M RejectedTokens(const RolloutCorrection& op, typename V::F x, typename V::F ratio,
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

template <class V>
void CorrectSequence(const RolloutCorrection& op, size_t begin, size_t end, double* out) {
  using F = typename V::F;
  constexpr size_t w = V::kWidth;
  const MismatchStatistics s = MeasureSequence<V>(op, begin, end);
  bool rejected_sequence = false;
  for (size_t k = 0; k < op.rule_count; ++k) {
    const RejectRule& rule = op.rules[k];
    if (rule.level != RejectLevel::kToken) rejected_sequence |= Rejects(rule, SequenceStatistic(rule, s));
  }
  const F zero = V::Set(0.0F);
  const F sequence_ratio = V::Set(Ratio<simd::Scalar>(static_cast<float>(s.sum > kMismatchLimit    ? kMismatchLimit
                                                                         : s.sum < -kMismatchLimit ? -kMismatchLimit
                                                                                                   : s.sum)));
  uint64_t outside_count = 0, rejected_count = 0;
  for (size_t tile = begin; tile < end; tile += spec::kTokenTile) {
    const size_t stop = end - tile < spec::kTokenTile ? end : tile + spec::kTokenTile;
    LaneSum<V> sum, square;
    sum.Clear();
    square.Clear();
    for (size_t i = tile; i < stop; i += w) {
      const size_t n = stop - i < w ? stop - i : w;
      const size_t part = (i - tile) % spec::kTokenLanes / w;
      const typename V::M valid = LoadMask<V>(op.mask, i, n, true);
      const F x = LoadMismatch<V>(op, i, n);
      const F ratio = Ratio<V>(x);
      const typename V::M rejected = RejectedTokens<V>(op, x, ratio, FirstLanes<V>(rejected_sequence ? w : 0));
      const F raw = op.weights == WeightLevel::kNone    ? V::Set(1.0F)
                    : op.weights == WeightLevel::kToken ? ratio
                                                        : sequence_ratio;
      const typename V::M outside = V::Or(V::Less(raw, V::Set(op.low)), V::Less(V::Set(op.high), raw));
      F weight = Clamp<V>(raw, op.low, op.high);
      if (op.zero_outside) weight = V::Select(outside, zero, weight);
      weight = V::Select(V::Equal(weight, weight), weight, zero);  // A mismatch that is no number has no weight.
      const typename V::M kept = op.reject_weight ? valid : V::And(valid, V::Not(rejected));
      weight = V::Select(V::And(valid, V::Not(rejected)), weight, zero);
      outside_count += V::Count(V::And(valid, outside));
      rejected_count += V::Count(V::And(valid, rejected));
      sum.Add(part, valid, weight);
      square.Add(part, valid, V::Mul(weight, weight));
      if (n == w) {
        V::Store(op.weights_out + i, weight);
      } else {
        V::StorePartial(op.weights_out + i, n, weight);
      }
      const uint32_t bits = V::ToBits(kept);
      for (size_t j = 0; j < n; ++j) op.mask_out[i + j] = static_cast<uint8_t>(bits >> j & 1U);
    }
    out[kWeightSum] += sum.Join();
    out[kWeightSquareSum] += square.Join();
  }
  out[kCorrectedTokens] = static_cast<double>(s.valid);
  out[kMismatchSum] = s.sum;
  out[kMismatchK3Sum] = s.k3_sum;
  out[kMismatchAbsSum] = s.abs_sum;
  out[kOutside] = static_cast<double>(outside_count);
  out[kRejected] = static_cast<double>(rejected_count);
}

template <class V>
void CorrectSequences(const RolloutCorrection& op, double* sums, size_t begin, size_t end) {
  for (size_t q = begin; q < end; ++q) {
    double* out = sums + q * kCorrectionSums;
    for (size_t k = 0; k < kCorrectionSums; ++k) out[k] = 0.0;
    CorrectSequence<V>(op, static_cast<size_t>(op.offsets[q]), static_cast<size_t>(op.offsets[q + 1]), out);
  }
}

template <class V>
constexpr CorrectionKernel MakeCorrectionKernel() {
  return {CorrectSequences<V>};
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_POLICY_LOSS_ROLLOUT_CORRECTION_CPU_H_
