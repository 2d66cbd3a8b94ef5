#ifndef CROSSTHINK_KERNELS_SAMPLING_SAMPLING_CPU_H_
#define CROSSTHINK_KERNELS_SAMPLING_SAMPLING_CPU_H_

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "kernels/elements.h"
#include "kernels/logprob/logprob_cpu.h"
#include "kernels/sampling/draw_cpu.h"
#include "kernels/sampling/edits_cpu.h"
#include "kernels/sampling/filters_cpu.h"
#include "kernels/sampling/sampling.h"
#include "spec/logarithm.h"
#include "spec/philox.h"

namespace crossthink {
namespace {

// The largest logit, ties to the lowest token id.
template <class V, class E>
size_t Greedy(const typename E::T* x, size_t n) {
  const float largest = MaxOf<V, E>(x, n);
  size_t token = 0;
  for (; token + V::kWidth <= n; token += V::kWidth) {
    if (V::Any(V::Equal(V::Set(largest), E::Load(x + token)))) break;
  }
  while (E::Read(x + token) != largest) ++token;
  return token;
}

// softmax(logits) of a row, softcap included: what the model said, before anything was done to it.
template <class V, class E>
struct RawRow {
  const typename E::T* x;
  size_t n;
  float softcap;
  float c;
  spec::RowState sum;
  double log2_sum;

  // False where the row has no distribution.
  bool Finish() {
    if (!HasDistribution(sum)) return false;
    log2_sum = spec::Log2Double(sum.sum);
    return true;
  }
  float Logit(size_t token) const {
    const float v = E::Read(x + token);
    if (softcap <= 0) return v;
    float lanes[V::kWidth];
    V::Store(lanes, CapLogits<V>(V::Set(v), softcap));
    return lanes[0];
  }
  float Logprob(size_t token) const {
    if (!HasDistribution(sum)) return spec::QuietNan();
    return LogprobOf(Log2Offset(Logit(token), c, sum.reference), log2_sum);
  }
};

// Sums the row, with its entropy where asked. False where it has no distribution.
template <class V, class E>
bool SumRaw(bool entropy, RawRow<V, E>* raw, SamplingScratch* s) {
  if (raw->softcap > 0) {
    CopyRow<V, E>(raw->x, raw->n, raw->softcap, s->edited);
    raw->sum = entropy ? SumRow<V, Float32Elements<V>, Weighted::kYes>(s->edited, raw->n, raw->c, s->raw)
                       : SumRow<V, Float32Elements<V>, Weighted::kNo>(s->edited, raw->n, raw->c, s->raw);
  } else {
    raw->sum = entropy ? SumRow<V, E, Weighted::kYes>(raw->x, raw->n, raw->c, s->raw)
                       : SumRow<V, E, Weighted::kNo>(raw->x, raw->n, raw->c, s->raw);
  }
  return raw->Finish();
}

// 1 + the tokens in front of `token`: of larger logits, or equal and of lower id.
template <class V, class E>
int32_t RankOf(const typename E::T* x, size_t n, size_t token) {
  constexpr size_t w = V::kWidth;
  const float value = E::Read(x + token);
  size_t rank = 1;
  for (size_t j = 0; j < n; j += w) {
    const typename V::F v = n - j >= w ? E::Load(x + j) : LoadTail<V, E>(x + j, n - j);
    rank += V::Count(V::Less(V::Set(value), v));
    if (j >= token) continue;
    const uint32_t before = token - j >= w ? ~0U : (1U << (token - j)) - 1U;
    rank += V::Count(V::And(V::Equal(V::Set(value), v), V::FromMaskBits(before)));
  }
  return static_cast<int32_t>(rank);
}

// The top_n tokens of a row in order, with their raw log-probs; -1 and NaN where the row has fewer.
template <class V, class E>
void WriteTop(const Sampling& op, size_t row, const RawRow<V, E>& raw, bool valid, SamplingScratch* s) {
  const size_t wanted = op.top_n;
  size_t found = 0;
  if (valid) {
    const size_t maxima = BlockMaxima<V, E>(raw.x, raw.n, s->maxima);
    const float bound = BoundForCount<V>(s->maxima, maxima, wanted, s->narrowed.values);
    Collect<V, E>(raw.x, raw.n, s->maxima, bound, &s->set);
    for (size_t i = 0; i < s->set.size; ++i) s->candidates[i] = {spec::OrderKey(s->set.values[i], s->set.ids[i]), 0};
    found = Cut<CutBy::kCount>(s->candidates, s->set.size, wanted);
  }
  for (size_t i = 1; i < found; ++i) {
    const Candidate candidate = s->candidates[i];
    size_t j = i;
    for (; j > 0 && s->candidates[j - 1].key < candidate.key; --j) s->candidates[j] = s->candidates[j - 1];
    s->candidates[j] = candidate;
  }
  for (size_t i = 0; i < wanted; ++i) {
    const bool present = i < found;
    const uint32_t token = present ? spec::KeyToken(s->candidates[i].key) : 0;
    op.top_tokens[row * wanted + i] = present ? static_cast<int32_t>(token) : -1;
    op.top_logprobs[row * wanted + i] = present ? raw.Logprob(token) : spec::QuietNan();
  }
}

template <class V, class E>
void WriteChosen(const Sampling& op, size_t row, const RawRow<V, E>& raw) {
  const int32_t* tokens = op.chosen.Begin(row);
  const size_t at = op.chosen.offsets != nullptr ? static_cast<size_t>(op.chosen.offsets[row]) : row * op.chosen.length;
  for (size_t i = 0; i < op.chosen.Size(row); ++i) {
    op.chosen_logprobs[at + i] =
        WholeVocabulary{raw.n}.Has(tokens[i]) ? raw.Logprob(static_cast<size_t>(tokens[i])) : spec::QuietNan();
  }
}

// Filters row x (edited or not) and draws every sample of it. False where the row has no distribution.
template <class V, class E>
bool DrawSamples(const Sampling& op, size_t row, const typename E::T* x, SamplingScratch* s, const RowSweep& sweep,
                 bool check) {
  const size_t n = op.logits.vocab;
  const bool greedy = op.temperature.At(row) == 0.0F;
  FilteredRow<V, E> filtered(op, row, x, s, sweep);
  if (!greedy && !filtered.Run()) return false;
  if (check && !HasDistribution(filtered.Sum())) return false;
  const bool listed = filtered.listed();
  if (listed && (op.gumbel || op.keep != nullptr) && !filtered.ListAll()) return false;
  const TokenSet& set = filtered.set();
  const uint64_t total = listed ? filtered.TotalOfListed() : 0;
  const double log2_total = listed ? spec::Log2Double(static_cast<double>(total)) - 40.0 : 0.0;
  for (size_t k = 0; k < op.samples; ++k) {
    const size_t at = row * op.samples + k;
    const uint32_t sample = op.sample + static_cast<uint32_t>(k);
    const auto draw = [&](spec::Purpose purpose) {
      return spec::Draw(op.seed, op.sequences[row], static_cast<uint32_t>(op.positions[row]), sample, purpose);
    };
    size_t token = 0;
    float logprob = 0.0F;  // Greedy: a point mass.
    if (greedy) {
      token = Greedy<V, E>(x, n);
    } else if (listed) {
      token = op.gumbel ? set.ids[GumbelMax<V, Float32Elements<V>>(set.values, set.ids, set.size, filtered.c(),
                                                                   filtered.reference(), draw(spec::Purpose::kGumbel))]
                        : filtered.DrawFromListed(total, spec::FirstWord64(draw(spec::Purpose::kSample)));
      logprob = LogprobOf(fmaf(E::Read(x + token), filtered.c(), -filtered.reference()), log2_total);
    } else {
      const spec::RowState& sum = filtered.Sum();
      const auto reference = static_cast<float>(sum.reference);
      token = op.gumbel ? GumbelMax<V, E>(x, nullptr, n, filtered.c(), reference, draw(spec::Purpose::kGumbel))
                        : DrawFromRow<V, E>(x, n, filtered.c(), filtered.Tiles(), sum,
                                            spec::FirstWord64(draw(spec::Purpose::kSample)));
      logprob = LogprobOf(Log2Offset(E::Read(x + token), filtered.c(), sum.reference), spec::Log2Double(sum.sum));
    }
    op.tokens[at] = static_cast<int32_t>(token);
    if (op.logprob != nullptr) op.logprob[at] = logprob;
  }
  if (op.support_mass != nullptr) {
    op.support_mass[row] = 1.0F;
    if (greedy) op.support_mass[row] = spec::QuietNan();
    if (listed) op.support_mass[row] = SupportShare(total, RowMass(filtered.Sum(), filtered.reference()));
  }
  if (op.keep != nullptr && listed) op.keep(op.keep_context, row, set.ids, set.size);
  return true;
}

template <class V, class E>
void SampleRow(const Sampling& op, size_t row, SamplingScratch* s) {
  const size_t n = op.logits.vocab;
  const typename E::T* x = RowOf<E>(op.logits, row);
  const bool raw_wanted = WantsRaw(op);
  const bool edited = op.edits.Any();
  RawRow<V, E> raw = {x, n, op.edits.softcap, Log2Factor(1.0F), {}, 0.0};
  RowSweep sweep;
  bool valid = true;
  if (edited) {
    valid = !raw_wanted || SumRaw(op.entropy != nullptr, &raw, s);
  } else {
    sweep = SweepRow<V, E>(op, row, x, &raw.sum, s);
    valid = !raw_wanted || raw.Finish();
  }
  bool drawn = false;
  if (valid && edited) {
    EditRow<V, E>(op.edits, row, x, n, s->narrowed.ids, s->edited);
    drawn =
        DrawSamples<V, Float32Elements<V>>(op, row, s->edited, s, {}, !raw_wanted || op.temperature.At(row) == 0.0F);
  } else if (valid) {
    drawn = DrawSamples<V, E>(op, row, x, s, sweep, !raw_wanted);
  }
  RowStatus status = RowStatus::kOk;
  if (!drawn) status = Diagnose<V, E>(x, n);
  // A row whose logits are sound, but none of them is allowed.
  if (!drawn && edited && valid && status == RowStatus::kPositiveInfinity)
    status = Diagnose<V, Float32Elements<V>>(s->edited, n);
  op.status[row] = static_cast<uint8_t>(status);
  for (size_t k = 0; k < op.samples; ++k) {
    const size_t at = row * op.samples + k;
    if (!drawn) {
      op.tokens[at] = -1;
      if (op.logprob != nullptr) op.logprob[at] = spec::QuietNan();
    }
    const auto token = static_cast<size_t>(op.tokens[at]);
    if (op.raw_logprob != nullptr) op.raw_logprob[at] = drawn ? raw.Logprob(token) : spec::QuietNan();
    if (op.rank != nullptr) op.rank[at] = drawn ? RankOf<V, E>(x, n, token) : 0;
  }
  if (op.entropy != nullptr) {
    op.entropy[row] =
        valid ? static_cast<float>(spec::kLn2 * (raw.log2_sum - raw.sum.weighted / raw.sum.sum)) : spec::QuietNan();
  }
  if (op.support_mass != nullptr && !drawn) op.support_mass[row] = spec::QuietNan();
  if (op.top_n != 0) WriteTop<V, E>(op, row, raw, valid, s);
  if (op.chosen_logprobs != nullptr) WriteChosen<V, E>(op, row, raw);
}

template <class V, class E>
void SampleRows(const Sampling& op, size_t begin, size_t end, SamplingScratch* scratch) {
  for (size_t row = begin; row < end; ++row) SampleRow<V, E>(op, row, scratch);
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_SAMPLING_SAMPLING_CPU_H_
