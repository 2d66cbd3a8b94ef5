#ifndef CROSSTHINK_KERNELS_LOGPROB_ROW_H_
#define CROSSTHINK_KERNELS_LOGPROB_ROW_H_

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "kernels/logprob/logprob.h"
#include "spec/annotate.h"
#include "spec/bits.h"
#include "spec/exponential.h"
#include "spec/logarithm.h"
#include "spec/tile.h"

// What a row's state gives: the finish of the forward pass and the factors of the backward pass, one formula for the
// CPU and CUDA.
namespace crossthink {
namespace {

// log2(e) / T, the factor that takes a logit to log2 units.
CT_HD CT_INLINE float Log2Factor(float temperature) {
  return static_cast<float>(1.4426950408889634 / static_cast<double>(temperature));
}

CT_HD CT_INLINE bool HasDistribution(const spec::RowState& row) {
  return row.sum > 0 && row.sum < static_cast<double>(spec::Infinity());
}

// t = z - M of one element by the same fused multiply-add as in the sums.
CT_HD CT_INLINE float Log2Offset(float x, float c, double reference) {
  return fmaf(x, c, -static_cast<float>(reference));
}

// ln p from the offset of its logit and log2 of the sum; never above 0 by rounding, never -0.
CT_HD CT_INLINE float LogprobOf(float t, double log2_sum) {
  const auto logprob = static_cast<float>(spec::kLn2 * (static_cast<double>(t) - log2_sum));
  return logprob < 0.0F ? logprob : 0.0F;
}

struct RowResult {
  RowStatus status;
  float logprob;
  float entropy;
  float logsumexp;
};

// Results of a row without a distribution; the caller has found out why.
CT_HD CT_INLINE RowResult NoDistribution(RowStatus status) {
  return {status, spec::QuietNan(), spec::QuietNan(), spec::QuietNan()};
}

// Results of a row with one. `target` is the target's logit; not read where `in_range` is false.
CT_HD CT_INLINE RowResult FinishRow(const spec::RowState& row, float c, bool in_range, float target) {
  const double log2_sum = spec::Log2Double(row.sum);
  RowResult result = NoDistribution(RowStatus::kOk);
  result.logsumexp = static_cast<float>(spec::kLn2 * (row.reference + log2_sum));
  result.entropy = static_cast<float>(spec::kLn2 * (log2_sum - row.weighted / row.sum));
  if (!in_range) {
    result.status = RowStatus::kTargetOutOfRange;
    return result;
  }
  const float t = Log2Offset(target, c, row.reference);
  result.logprob = LogprobOf(t, log2_sum);
  if (t == -spec::Infinity()) result.status = RowStatus::kTargetMasked;
  return result;
}

// Writes what row i gives; without a distribution its state is NaN.
CT_HD CT_INLINE void WriteRow(const LogprobForward& op, size_t i, const RowResult& result, const spec::RowState& row,
                              bool weighted) {
  if (op.logprob != nullptr) op.logprob[i] = result.logprob;
  if (op.entropy_out != nullptr) op.entropy_out[i] = result.entropy;
  if (op.logsumexp != nullptr) op.logsumexp[i] = result.logsumexp;
  if (op.state != nullptr) {
    const double nan = static_cast<double>(spec::QuietNan());
    const bool sound = HasDistribution(row);
    op.state[i * kStateSize] = sound ? row.reference : nan;
    op.state[i * kStateSize + 1] = sound ? row.sum : nan;
    op.state[i * kStateSize + 2] = sound && weighted ? row.weighted : nan;
  }
  op.status[i] = static_cast<uint8_t>(result.status);
}

// d_j = 2^t_j (alpha + beta t_j), and the target's one-hot term on top.
struct GradientFactors {
  float c;
  float minus_reference;
  float alpha;
  float beta;
  float target;  // d_logprob / T
};

constexpr float kFactorLimit = 1e36F;  // 127 times as much is finite.

enum class RowGradient : uint8_t {
  kRegular,
  kZero,  // No distribution, a target that is masked or out of range, or no gradient from above.
  kNan,   // Gradients from above that are NaN or beyond all measure: NaN as a whole, so that no element can be.
};

// The factors of row i, whose target's logit is `target`.
template <bool kEntropy>
CT_HD CT_INLINE RowGradient MakeGradientFactors(const LogprobBackward& op, size_t i, bool in_range, float target,
                                                GradientFactors* g) {
  const double reference = op.state[i * kStateSize];
  const double sum = op.state[i * kStateSize + 1];
  const double temperature = static_cast<double>(op.temperature.At(i));
  const double d_logprob = static_cast<double>(op.d_logprob[i]);
  const double d_entropy = kEntropy ? static_cast<double>(op.d_entropy[i]) : 0.0;
  g->c = Log2Factor(op.temperature.At(i));
  g->minus_reference = -static_cast<float>(reference);
  const bool valid = in_range && sum > 0 && Log2Offset(target, g->c, reference) > -spec::Infinity();
  if (!valid || (d_logprob == 0 && d_entropy == 0)) return RowGradient::kZero;
  const double scale = 1.0 / (temperature * sum);
  double alpha = d_logprob;
  if constexpr (kEntropy) alpha -= d_entropy * (spec::kLn2 * (op.state[i * kStateSize + 2] / sum));
  g->alpha = static_cast<float>(-(scale * alpha));
  g->beta = static_cast<float>(-(scale * (d_entropy * spec::kLn2)));
  g->target = static_cast<float>(d_logprob / temperature);
  return fabsf(g->alpha) < kFactorLimit && fabsf(g->beta) < kFactorLimit ? RowGradient::kRegular : RowGradient::kNan;
}

template <class V, bool kEntropy>
CT_HD CT_INLINE typename V::F GradientOf(typename V::F x, const GradientFactors& g, typename V::F extra) {
  const typename V::F t = V::Fma(x, V::Set(g.c), V::Set(g.minus_reference));
  typename V::F factor = V::Set(g.alpha);
  if constexpr (kEntropy) factor = V::Fma(V::Set(g.beta), V::Max(V::Set(-127.0F), t), factor);
  return V::Fma(spec::Exp2Below128<V>(t), factor, extra);  // The addend makes a masked column's -0 a +0.
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_LOGPROB_ROW_H_
