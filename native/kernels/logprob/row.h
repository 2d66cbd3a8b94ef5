#ifndef CROSSTHINK_KERNELS_LOGPROB_ROW_H_
#define CROSSTHINK_KERNELS_LOGPROB_ROW_H_

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "kernels/logits.h"
#include "spec/annotate.h"
#include "spec/bits.h"
#include "spec/exponential.h"
#include "spec/logarithm.h"
#include "spec/tile.h"

// What a row's state gives: the finish of the forward pass and the factors of the backward pass, one formula for the CPU
// and CUDA.
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
  result.logprob = static_cast<float>(spec::kLn2 * (static_cast<double>(t) - log2_sum));
  if (t == -spec::Infinity()) result.status = RowStatus::kTargetMasked;
  return result;
}

// d_j = 2^t_j (alpha + beta t_j), and the target's one-hot term on top.
struct GradientFactors {
  float c;
  float minus_reference;
  float alpha;
  float beta;
  float target;  // d_logprob / T
};

// `weighted` is E of the state; only read with an entropy term.
CT_HD CT_INLINE GradientFactors MakeGradientFactors(float temperature, double reference, double sum, double weighted,
                                                    double d_logprob, double d_entropy, bool entropy) {
  const double scale = 1.0 / (static_cast<double>(temperature) * sum);
  double alpha = d_logprob;
  if (entropy) alpha -= d_entropy * (spec::kLn2 * (weighted / sum));
  GradientFactors g = {};
  g.c = Log2Factor(temperature);
  g.minus_reference = -static_cast<float>(reference);
  g.alpha = static_cast<float>(-(scale * alpha));
  g.beta = static_cast<float>(-(scale * (d_entropy * spec::kLn2)));
  g.target = static_cast<float>(d_logprob / static_cast<double>(temperature));
  return g;
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
