#ifndef CROSSTHINK_KERNELS_SAMPLING_SPECULATIVE_CPU_H_
#define CROSSTHINK_KERNELS_SAMPLING_SPECULATIVE_CPU_H_

#include <cstddef>
#include <cstdint>

#include "kernels/elements.h"
#include "kernels/sampling/sampling_cpu.h"
#include "kernels/sampling/speculative.h"
#include "spec/logarithm.h"
#include "spec/mass.h"
#include "spec/philox.h"

namespace crossthink {
namespace {

// A row's distribution as speculative sampling asks for it: single probabilities first, in float64, all of them only
// where a draft is rejected.
template <class V, class E>
class RowDistribution {
 public:
  RowDistribution(const Sampling& op, size_t row, const typename E::T* x, SamplingScratch* s)
      : x_(x), n_(op.logits.vocab), greedy_(op.temperature.At(row) == 0.0F), filtered_(op, row, x, s, {}) {}

  // False where the row has no distribution.
  bool Run() {
    if (greedy_) {
      if (!HasDistribution(filtered_.Sum())) return false;
      largest_ = Greedy<V, E>(x_, n_);
      return true;
    }
    if (!filtered_.Run() || (filtered_.listed() && !filtered_.ListAll())) return false;
    total_ = filtered_.listed() ? TotalMass<V>(filtered_.set()) : 0;
    return true;
  }

  double Probability(size_t token) {
    if (greedy_) return token == largest_ ? 1.0 : 0.0;
    if (filtered_.listed()) {
      const TokenSet& set = filtered_.set();
      size_t low = 0;
      for (size_t high = set.size; low < high;) {
        const size_t middle = (low + high) / 2;
        (set.ids[middle] < token ? low : high) = set.ids[middle] < token ? middle + 1 : middle;
      }
      return low < set.size && set.ids[low] == token ? MassAt(low) : 0.0;
    }
    const spec::RowState& sum = filtered_.Sum();
    float lanes[V::kWidth];
    V::Store(lanes, spec::Exp2Below128<V>(V::Set(Log2Offset(E::Read(x_ + token), filtered_.c(), sum.reference))));
    return static_cast<double>(lanes[0]) / sum.sum;
  }

  float Logprob(size_t token) {
    if (greedy_) return 0.0F;
    if (filtered_.listed()) {
      const float t = fmaf(E::Read(x_ + token), filtered_.c(), -filtered_.reference());
      return LogprobOf(t, spec::Log2Double(static_cast<double>(total_)) - 40.0);
    }
    const spec::RowState& sum = filtered_.Sum();
    return LogprobOf(Log2Offset(E::Read(x_ + token), filtered_.c(), sum.reference), spec::Log2Double(sum.sum));
  }

  // Lists the tokens left, for the walk of a residual: Size() of them in ascending order of id.
  bool List() {
    next_ = 0;
    if (greedy_ || filtered_.listed()) return true;
    if (!filtered_.ListAll()) return false;
    total_ = TotalMass<V>(filtered_.set());
    return true;
  }
  size_t Size() const { return greedy_ ? 1 : filtered_.set().size; }
  uint32_t IdAt(size_t i) const { return greedy_ ? static_cast<uint32_t>(largest_) : filtered_.set().ids[i]; }
  double MassAt(size_t i) const {
    if (greedy_) return 1.0;
    return static_cast<double>(spec::Mass(filtered_.set().probabilities[i])) / static_cast<double>(total_);
  }

  // The probability of `id`; ids must ascend from call to call since List().
  double Next(uint32_t id) {
    while (next_ < Size() && IdAt(next_) < id) ++next_;
    return next_ < Size() && IdAt(next_) == id ? MassAt(next_) : 0.0;
  }

 private:
  const typename E::T* x_;
  size_t n_;
  bool greedy_;
  FilteredRow<V, E> filtered_;
  size_t largest_ = 0;
  uint64_t total_ = 0;
  size_t next_ = 0;
};

// A draft that was certain: all mass on one token.
struct CertainDraft {
  size_t token;
  static bool List() { return true; }
  double Probability(size_t other) const { return other == token ? 1.0 : 0.0; }
  double Next(uint32_t id) const { return Probability(id); }
};

// A draft from given probabilities.
struct GivenDraft {
  const float* probabilities;
  static bool List() { return true; }
  double Probability(size_t token) const { return static_cast<double>(probabilities[token]); }
  double Next(uint32_t id) const { return Probability(id); }
};

// Runs row `row` of `op`, edited where asked, and hands its distribution to `use`. False where it has none.
template <class V, class E, class Use>
bool WithDistribution(const Sampling& op, size_t row, SamplingScratch* s, Use use) {
  const typename E::T* x = RowOf<E>(op.logits, row);
  if (op.edits.Any()) {
    EditRow<V, E>(op.edits, row, x, op.logits.vocab, s->narrowed.ids, s->edited);
    RowDistribution<V, Float32Elements<V>> distribution(op, row, s->edited, s);
    if (!distribution.Run()) return false;
    use(distribution);
    return true;
  }
  RowDistribution<V, E> distribution(op, row, x, s);
  if (!distribution.Run()) return false;
  use(distribution);
  return true;
}

enum class Verdict { kAccepted, kRejected, kBadDraft };

struct Decision {
  Verdict verdict;
  size_t token;
  float logprob;
};

// One step of the chain: keeps the draft, or draws in its place from max(p - q, 0).
template <class P, class Q>
Decision Decide(const Sampling& op, size_t row, size_t draft, P* p, Q* q, Candidate* masses) {
  const auto bits = [&](spec::Purpose purpose) {
    return spec::FirstWord64(
        spec::Draw(op.seed, op.sequences[row], static_cast<uint32_t>(op.positions[row]), op.sample, purpose));
  };
  const double claimed = q->Probability(draft);
  if (!(claimed >= 0 && claimed <= 2)) return {Verdict::kBadDraft, 0, 0};  // Above 1: a rounded sum.
  if (spec::UnitDouble(bits(spec::Purpose::kAccept)) * claimed < p->Probability(draft))
    return {Verdict::kAccepted, draft, p->Logprob(draft)};
  if (!p->List() || !q->List()) return {Verdict::kBadDraft, 0, 0};
  const size_t size = p->Size();
  uint64_t total = 0;
  for (size_t i = 0; i < size; ++i) {
    const double q_i = q->Next(p->IdAt(i));
    if (!(q_i >= 0)) return {Verdict::kBadDraft, 0, 0};
    total += masses[i].mass = ResidualMass(p->MassAt(i), q_i);
  }
  // p = q but for rounding: a draw from p is one from the residual.
  const bool empty = total == 0;
  for (size_t i = 0; empty && i < size; ++i) total += masses[i].mass = ResidualMass(p->MassAt(i), 0);
  size_t i = total == 0 ? MasslessIndex(size) : 0;
  uint64_t target = spec::DrawBelow(bits(spec::Purpose::kResidual), total);
  while (total != 0 && target >= masses[i].mass) target -= masses[i++].mass;
  const uint32_t token = p->IdAt(i);
  return {Verdict::kRejected, token, p->Logprob(token)};
}

// Decides on the draft of step `step` of `sequence`. False where the target row has no distribution.
template <class V, class E>
bool DecideDraft(const SpeculativeChain& op, size_t sequence, size_t step, SamplingScratch* target,
                 SamplingScratch* draft, Decision* decision, RowStatus* draft_status) {
  const size_t row = sequence * (op.drafts + 1) + step;
  const size_t at = sequence * op.drafts + step;
  const auto token = static_cast<size_t>(op.draft_tokens[at]);
  *draft_status = RowStatus::kNan;
  return WithDistribution<V, E>(op.target, row, target, [&](auto& p) {
    const auto decide = [&](auto&& q) { *decision = Decide(op.target, row, token, &p, &q, target->candidates); };
    if (op.draft != nullptr) {
      const bool sound = WithDistribution<V, E>(*op.draft, at, draft, decide);
      if (sound) return;
      *decision = {Verdict::kBadDraft, 0, 0};
      *draft_status = Diagnose<V, E>(RowOf<E>(op.draft->logits, at), op.draft->logits.vocab);
      if (*draft_status == RowStatus::kPositiveInfinity && op.draft->edits.Any())
        *draft_status = Diagnose<V, Float32Elements<V>>(draft->edited, op.draft->logits.vocab);
    } else if (op.draft_probabilities != nullptr) {
      decide(GivenDraft{op.draft_probabilities + at * op.target.logits.vocab});
    } else {
      decide(CertainDraft{token});
    }
  });
}

template <class V, class E>
void WriteToken(const Sampling& op, size_t row, size_t token, float logprob, SamplingScratch* s) {
  op.tokens[row] = static_cast<int32_t>(token);
  if (op.logprob != nullptr) op.logprob[row] = logprob;
  op.status[row] = static_cast<uint8_t>(RowStatus::kOk);
  if (op.raw_logprob == nullptr) return;
  RawRow<V, E> raw = {RowOf<E>(op.logits, row), op.logits.vocab, op.edits.softcap, Log2Factor(1.0F), {}, 0.0};
  SumRaw(false, &raw, s);
  op.raw_logprob[row] = raw.Logprob(token);
}

template <class V, class E>
void SpeculateSequence(const SpeculativeChain& op, size_t sequence, SamplingScratch* target, SamplingScratch* draft) {
  const Sampling& t = op.target;
  const size_t first = sequence * (op.drafts + 1);
  RowStatus status = RowStatus::kOk;
  size_t accepted = 0;
  size_t written = 0;
  bool done = false;
  for (size_t step = 0; step < op.drafts && !done; ++step) {
    const int32_t token = op.draft_tokens[sequence * op.drafts + step];
    if (token < 0) break;
    if (!WholeVocabulary{t.logits.vocab}.Has(token)) {
      status = RowStatus::kTargetOutOfRange;
      done = true;
      break;
    }
    Decision decision;
    RowStatus draft_status;
    if (!DecideDraft<V, E>(op, sequence, step, target, draft, &decision, &draft_status)) break;  // SampleRow says why.
    done = decision.verdict != Verdict::kAccepted;
    if (decision.verdict == Verdict::kBadDraft) {
      status = draft_status;
      break;
    }
    accepted += done ? 0 : 1;
    WriteToken<V, E>(t, first + written++, decision.token, decision.logprob, target);
  }
  if (!done) {
    SampleRow<V, E>(t, first + written, target);
    status = static_cast<RowStatus>(t.status[first + written]);
    ++written;
  }
  for (size_t row = first + written; row < first + op.drafts + 1; ++row) {
    t.tokens[row] = -1;
    t.status[row] = static_cast<uint8_t>(status);
    if (t.logprob != nullptr) t.logprob[row] = spec::QuietNan();
    if (t.raw_logprob != nullptr) t.raw_logprob[row] = spec::QuietNan();
  }
  op.accepted[sequence] = static_cast<int32_t>(accepted);
  op.status[sequence] = static_cast<uint8_t>(status);
}

template <class V, class E>
void SpeculateRows(const SpeculativeChain& op, size_t begin, size_t end, SamplingScratch* target,
                   SamplingScratch* draft) {
  for (size_t sequence = begin; sequence < end; ++sequence) SpeculateSequence<V, E>(op, sequence, target, draft);
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_SAMPLING_SPECULATIVE_CPU_H_
