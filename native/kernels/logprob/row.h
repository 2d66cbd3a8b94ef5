#ifndef CROSSTHINK_KERNELS_LOGPROB_ROW_H_
#define CROSSTHINK_KERNELS_LOGPROB_ROW_H_

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "kernels/logprob/logprob.h"
#include "kernels/softcap.h"
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

// The elements of a row that take part: all of its columns, or a kept set of them.
struct RowSpan {
  const int32_t* columns;  // Of the elements, ascending; null: element j is column j.
  size_t size;
  CT_HD CT_INLINE size_t Column(size_t j) const { return columns != nullptr ? static_cast<size_t>(columns[j]) : j; }
};

CT_HD CT_INLINE RowSpan SpanOf(const LogprobInput& op, size_t row) {
  const size_t kept = op.kept.tokens != nullptr ? op.kept.Size(row) : 0;
  return kept != 0 ? RowSpan{op.kept.Begin(row), kept} : RowSpan{nullptr, op.logits.vocab};
}

constexpr size_t kNoElement = ~size_t{0};

// The element of a row that is token `token` of the vocabulary.
CT_HD CT_INLINE size_t ElementOf(const LogprobInput& op, const RowSpan& span, int32_t token) {
  const int64_t column = static_cast<int64_t>(token) - op.vocab_offset;
  if (column < 0 || column >= static_cast<int64_t>(op.logits.vocab)) return kNoElement;
  if (span.columns == nullptr) return static_cast<size_t>(column);
  size_t low = 0;
  size_t high = span.size;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (span.columns[middle] < column) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < span.size && span.columns[low] == column ? low : kNoElement;
}

struct RowResult {
  RowStatus status;
  float logprob;
  float entropy;
  float sum_squares;
  float logsumexp;
  double t;  // The target's offset.
};

// Results of a row without a distribution; the caller has found out why.
CT_HD CT_INLINE RowResult NoDistribution(RowStatus status) {
  const float nan = spec::QuietNan();
  return {status, nan, nan, nan, nan, -static_cast<double>(spec::Infinity())};
}

CT_HD CT_INLINE bool IsIgnored(const LogprobInput& op, size_t row) {
  return op.has_ignore && op.tokens[row] == op.ignore_index;
}

// Results of a row that is ignored, whose logits are not even read; its state is that of a row without mass.
CT_HD CT_INLINE RowResult IgnoredRow() {
  return {RowStatus::kIgnored, 0.0F, 0.0F, 0.0F, 0.0F, static_cast<double>(spec::QuietNan())};
}

// Results of a row with one. `status` and the offset `t` are those of the target.
CT_HD CT_INLINE RowResult FinishRow(const spec::RowState& row, RowStatus status, double t) {
  const double log2_sum = spec::Log2Double(row.sum);
  RowResult result = NoDistribution(status);
  result.t = t;
  result.logsumexp = static_cast<float>(spec::kLn2 * (row.reference + log2_sum));
  result.entropy = spec::CanonicalNan(static_cast<float>(spec::kLn2 * (log2_sum - row.weighted / row.sum)));
  result.sum_squares = spec::CanonicalNan(static_cast<float>(row.square / (row.sum * row.sum)));
  if (status != RowStatus::kTargetOutOfRange) result.logprob = LogprobOf(static_cast<float>(t), log2_sum);
  return result;
}

// The same for row i of a forward pass: `target` is the logit of element `element`, not read where that is none.
CT_HD CT_INLINE RowResult FinishRow(const LogprobInput& op, size_t i, const spec::RowState& row, size_t element,
                                    float target) {
  if (element == kNoElement) {
    return FinishRow(row, RowStatus::kTargetOutOfRange, -static_cast<double>(spec::Infinity()));
  }
  const float t = Log2Offset(target, Log2Factor(op.temperature.At(i)), row.reference);
  const bool masked = t == -spec::Infinity();
  return FinishRow(row, masked ? RowStatus::kTargetMasked : RowStatus::kOk, static_cast<double>(t));
}

CT_HD CT_INLINE void WriteState(double* state, const spec::RowState& row, const RowResult& result) {
  const double nan = static_cast<double>(spec::QuietNan());
  // A row, or shard, without mass is a state too: it adds nothing to a merge. NaN and +inf are not.
  const bool empty = result.status == RowStatus::kAllMasked || result.status == RowStatus::kIgnored;
  const bool sound = HasDistribution(row) || empty;
  const double numbers[kStateSize] = {row.reference, row.sum, row.weighted, row.square, result.t};
  for (size_t k = 0; k < kStateSize; ++k) state[k] = sound && numbers[k] == numbers[k] ? numbers[k] : nan;
}

// Writes what row i gives.
CT_HD CT_INLINE void WriteRow(const LogprobForward& op, size_t i, const RowResult& result, spec::RowState row) {
  if (op.logprob != nullptr) op.logprob[i] = result.logprob;
  if (op.entropy_out != nullptr) op.entropy_out[i] = result.entropy;
  if (op.sum_squares != nullptr) op.sum_squares[i] = result.sum_squares;
  if (op.logsumexp != nullptr) op.logsumexp[i] = result.logsumexp;
  if (!op.entropy) row.weighted = static_cast<double>(spec::QuietNan());
  if (op.sum_squares == nullptr) row.square = static_cast<double>(spec::QuietNan());
  if (op.state != nullptr) WriteState(op.state + i * kStateSize, row, result);
  op.status[i] = static_cast<uint8_t>(result.status);
}

// Row i of a merge.
CT_HD CT_INLINE void MergeRow(const LogprobMerge& op, size_t i) {
  const auto infinity = static_cast<double>(spec::Infinity());
  LogprobForward out;
  out.entropy = true;
  out.logprob = op.logprob;
  out.entropy_out = op.entropy;
  out.sum_squares = op.sum_squares;
  out.logsumexp = op.logsumexp;
  out.state = op.state;
  out.status = op.status;
  const auto shard = [&](size_t k) { return op.states + (k * op.rows + i) * kStateSize; };
  spec::RowState row = spec::EmptyRow();
  for (size_t k = 0; k < op.shards; ++k) {
    if (shard(k)[0] > row.reference) row.reference = shard(k)[0];
  }
  double t = -infinity;
  RowStatus status = RowStatus::kTargetMasked;  // Until a shard has the target.
  bool sound = true;
  bool ignored = false;
  for (size_t k = 0; k < op.shards; ++k) {
    const double* s = shard(k);
    sound = sound && s[1] == s[1];
    spec::Accumulate(&row, s[0], s[1], s[2], s[3]);
    ignored = ignored || (s[1] == 0 && s[4] != s[4]);
    if (!(s[4] > -infinity)) continue;
    t = s[4] + (s[0] - row.reference);
    status = RowStatus::kOk;
  }
  if (!sound) row.sum = static_cast<double>(spec::QuietNan());
  if (ignored) {
    WriteRow(out, i, IgnoredRow(), spec::EmptyRow());
  } else if (HasDistribution(row)) {
    WriteRow(out, i, FinishRow(row, status, t), row);
  } else {
    WriteRow(out, i, NoDistribution(sound ? RowStatus::kAllMasked : RowStatus::kNan), row);
  }
}

// d_j = 2^t_j (alpha + beta t_j), and the target's one-hot term on top.
struct GradientFactors {
  float c;
  float minus_reference;
  float alpha;
  float beta;
  float target;   // d_logprob / T
  float softcap;  // 0: off.
};

constexpr float kFactorLimit = 1e36F;  // 127 times as much is finite.

enum class RowGradient : uint8_t {
  kRegular,
  kZero,  // No distribution, a target that is masked, ignored or out of range, or no gradient from above.
  kNan,   // Gradients from above that are NaN or beyond all measure: NaN as a whole, so that no element can be.
};

// The factors of row i. The target counts by its offset in the state: it may be in another shard of the vocabulary.
template <bool kEntropy>
CT_HD CT_INLINE RowGradient MakeGradientFactors(const LogprobBackward& op, size_t i, GradientFactors* g) {
  const double* state = op.state + i * kStateSize;
  const double sum = state[1];
  const double temperature = static_cast<double>(op.temperature.At(i));
  const double d_logprob = static_cast<double>(op.d_logprob[i]);
  const double d_entropy = kEntropy ? static_cast<double>(op.d_entropy[i]) : 0.0;
  g->c = Log2Factor(op.temperature.At(i));
  g->minus_reference = -static_cast<float>(state[0]);
  g->softcap = op.softcap;
  const bool valid = sum > 0 && state[4] > -static_cast<double>(spec::Infinity());
  if (!valid || (d_logprob == 0 && d_entropy == 0)) return RowGradient::kZero;
  const double scale = 1.0 / (temperature * sum);
  double alpha = d_logprob;
  if constexpr (kEntropy) alpha -= d_entropy * (spec::kLn2 * (state[2] / sum));
  g->alpha = static_cast<float>(-(scale * alpha));
  g->beta = static_cast<float>(-(scale * (d_entropy * spec::kLn2)));
  g->target = static_cast<float>(d_logprob / temperature);
  return fabsf(g->alpha) < kFactorLimit && fabsf(g->beta) < kFactorLimit ? RowGradient::kRegular : RowGradient::kNan;
}

// x: the logit, or, where kCapped, what the cap made of it.
template <class V, bool kEntropy, bool kCapped = false>
CT_HD CT_INLINE typename V::F GradientOf(typename V::F x, const GradientFactors& g, typename V::F extra) {
  const typename V::F t = V::Fma(x, V::Set(g.c), V::Set(g.minus_reference));
  typename V::F factor = V::Set(g.alpha);
  if constexpr (kEntropy) factor = V::Fma(V::Set(g.beta), V::Max(V::Set(-127.0F), t), factor);
  const typename V::F d = V::Fma(spec::Exp2Below128<V>(t), factor, extra);  // The addend makes a masked -0 a +0.
  if constexpr (kCapped) return CapGradient<V>(d, x, g.softcap);
  return d;
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_LOGPROB_ROW_H_
