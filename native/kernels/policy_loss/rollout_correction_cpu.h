#ifndef CROSSTHINK_KERNELS_POLICY_LOSS_ROLLOUT_CORRECTION_CPU_H_
#define CROSSTHINK_KERNELS_POLICY_LOSS_ROLLOUT_CORRECTION_CPU_H_

#include <cstddef>
#include <cstdint>

#include "kernels/policy_loss/mismatch.h"
#include "kernels/token_lanes.h"
#include "kernels/token_mask.h"

namespace crossthink {
namespace {

template <class V>
MismatchStatistics MeasureSequence(const RolloutCorrection& op, size_t begin, size_t end) {
  constexpr size_t w = V::kWidth;
  MismatchStatistics s;
  s.valid = CountMask(op.mask == nullptr ? nullptr : op.mask + begin, end - begin);
  const typename V::F zero = V::Set(0.0F);
  typename V::F k2_max = zero, k3_max = zero;
  for (size_t tile = begin; tile < end; tile += spec::kTokenTile) {
    const size_t stop = end - tile < spec::kTokenTile ? end : tile + spec::kTokenTile;
    LaneSum sum, square, k3_sum, abs;
    sum.Clear();
    square.Clear();
    k3_sum.Clear();
    abs.Clear();
    for (size_t i = tile; i < stop; i += w) {
      const size_t n = stop - i < w ? stop - i : w;
      const size_t lane = (i - tile) % spec::kTokenLanes;
      const typename V::M valid = LoadMask<V>(op.mask, i, n, true);
      const typename V::F x = LoadMismatch<V>(op, i, n);
      const typename V::F k2 = K2<V>(x);
      const typename V::F k3 = spec::Expm1MinusX<V>(x);
      sum.Add<V>(lane, valid, x);
      square.Add<V>(lane, valid, k2);
      k3_sum.Add<V>(lane, valid, k3);
      abs.Add<V>(lane, valid, V::Abs(x));
      k2_max = V::Max(k2_max, V::Select(valid, k2, zero));
      k3_max = V::Max(k3_max, V::Select(valid, k3, zero));
    }
    s.sum += sum.Join<V>();
    s.square_sum += square.Join<V>();
    s.k3_sum += k3_sum.Join<V>();
    s.abs_sum += abs.Join<V>();
  }
  s.k2_max = V::MaxLane(k2_max);
  s.k3_max = V::MaxLane(k3_max);
  return s;
}

template <class V>
void CorrectSequence(const RolloutCorrection& op, size_t begin, size_t end, double* out) {
  constexpr size_t w = V::kWidth;
  const MismatchStatistics s = MeasureSequence<V>(op, begin, end);
  const bool rejected_sequence = RejectsSequence(op, s);
  const float sequence_ratio = SequenceRatio(s.sum);
  uint64_t outside_count = 0, rejected_count = 0;
  for (size_t tile = begin; tile < end; tile += spec::kTokenTile) {
    const size_t stop = end - tile < spec::kTokenTile ? end : tile + spec::kTokenTile;
    LaneSum sum, square, bounded;
    sum.Clear();
    square.Clear();
    bounded.Clear();
    for (size_t i = tile; i < stop; i += w) {
      const size_t n = stop - i < w ? stop - i : w;
      const size_t lane = (i - tile) % spec::kTokenLanes;
      const CorrectedToken<V> t = CorrectToken<V>(op, i, n, sequence_ratio, rejected_sequence);
      outside_count += V::Count(V::And(t.valid, t.outside));
      rejected_count += V::Count(V::And(t.valid, t.rejected));
      sum.Add<V>(lane, t.valid, t.weight);
      square.Add<V>(lane, t.valid, V::Mul(t.weight, t.weight));
      if (op.normalize) bounded.Add<V>(lane, t.valid, t.bounded);
      StoreTokens<V>(op.weights_out, i, n, t.weight);
      const uint32_t bits = V::ToBits(t.kept);
      for (size_t j = 0; j < n; ++j) op.mask_out[i + j] = static_cast<uint8_t>(bits >> j & 1U);
    }
    out[kWeightSum] += sum.Join<V>();
    out[kWeightSquareSum] += square.Join<V>();
    if (op.normalize) out[kNormalizerSum] += bounded.Join<V>();
  }
  out[kCorrectedTokens] = static_cast<double>(s.valid);
  out[kMismatchSum] = s.sum;
  out[kMismatchK3Sum] = s.k3_sum;
  out[kMismatchAbsSum] = s.abs_sum;
  out[kOutside] = static_cast<double>(outside_count);
  out[kRejected] = static_cast<double>(rejected_count);
  if (op.normalize) FinishNormalizer(op, s, out);
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
