#ifndef CROSSTHINK_KERNELS_SAMPLING_FILTERS_CPU_H_
#define CROSSTHINK_KERNELS_SAMPLING_FILTERS_CPU_H_

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "kernels/elements.h"
#include "kernels/logprob/logprob_cpu.h"
#include "kernels/sampling/candidates.h"
#include "kernels/sampling/decisions.h"
#include "kernels/sampling/draw_cpu.h"
#include "kernels/sampling/nucleus_cpu.h"
#include "kernels/sampling/sampling.h"
#include "kernels/sampling/sweep_cpu.h"
#include "kernels/tile_sum.h"
#include "spec/logarithm.h"
#include "spec/order.h"
#include "spec/philox.h"
#include "spec/tile.h"

namespace crossthink {
namespace {

// One row on its way through the filters. Until a filter bites, the set is the whole row and nothing is listed; the
// first one lists only tokens that can pass it.
template <class V, class E>
class FilteredRow {
 public:
  FilteredRow(const Sampling& op, size_t row, const typename E::T* x, SamplingScratch* scratch, const RowSweep& sweep)
      : op_(op), row_(row), x_(x), n_(op.logits.vocab), s_(scratch), sweep_(sweep) {}

  // Applies the steps in order. False where the row has no distribution.
  bool Run() {
    SetTemperature(1.0F);
    for (size_t i = 0; i < op_.step_count; ++i) {
      if (!Apply(static_cast<SamplingStep>(op_.steps[i]))) return false;
      if (listed_ && s_->set.size == 0) return false;
    }
    return listed_ || HasDistribution(Sum());
  }

  // Whether a filter has bitten. The set is complete after ListAll().
  bool listed() const { return listed_; }
  const TokenSet& set() const { return s_->set; }
  float c() const { return c_; }
  float reference() const { return reference_; }

  // Sums of the whole row at the current temperature, and the tiles they are joined of.
  const spec::RowState& Sum() {
    if (HasRawSum()) return *sweep_.raw;
    if (sweep_.c != c_) sweep_.sum = SumRow<V, E, Weighted::kNo>(x_, n_, c_, s_->processed);
    sweep_.c = c_;
    return sweep_.sum;
  }
  const spec::TilePartial* Tiles() { return Sum(), HasRawSum() ? s_->raw : s_->processed; }

  // Lists every token that is left. False where the row has no distribution.
  bool ListAll() { return listed_ ? ListHead() : List(kLowestLogit); }

  // Mass of what is left of a listed row.
  uint64_t TotalOfListed() const { return head_ + TotalMass<V>(s_->set); }

  // An inverse-CDF draw from a listed row. Returns the token.
  size_t DrawFromListed(uint64_t total, uint64_t bits) const {
    if (head_ == 0) return s_->set.ids[DrawFromSet<V>(s_->set, total, bits)];
    return DrawFromHead<V, E>(x_, n_, c_, reference_, front_, s_->head, s_->set, total, bits);
  }

 private:
  static constexpr size_t kLongRow = 8 * kSampleSize;

  bool HasRawSum() const { return sweep_.raw != nullptr && c_ == Log2Factor(1.0F); }

  bool Apply(SamplingStep step) {
    if (!IsActive(op_, row_, step)) return true;
    switch (step) {
      case SamplingStep::kTemperature:
        return SetTemperature(op_.temperature.At(row_));
      case SamplingStep::kTopK:
        return TopK(static_cast<size_t>(op_.top_k.At(row_)));
      case SamplingStep::kTopP:
        return TopP(op_.top_p.At(row_), false);
      case SamplingStep::kTopPOfRow:
        return TopP(op_.top_p.At(row_), true);
      case SamplingStep::kMinP:
        return MinP(op_.min_p.At(row_));
      case SamplingStep::kTypicalP:
        return TypicalP(op_.typical_p.At(row_));
      case SamplingStep::kTopNSigma:
        return TopNSigma(op_.top_n_sigma.At(row_));
      case SamplingStep::kXtc:
        return Xtc();
    }
    return true;
  }

  bool SetTemperature(float temperature) {
    const float c = Log2Factor(temperature);
    if (c == c_) return true;
    c_ = c;
    return !listed_ || (ListHead() && Reweigh());
  }

  // The reference of masses: above the largest logit of the row, whatever the filters removed.
  bool Reweigh() {
    reference_ = ReferenceOf(largest_, c_);
    if (!spec::IsFinite(reference_)) return false;
    Weigh<V>(&s_->set, c_, reference_);
    return true;
  }

  void FindMaxima() {
    if (has_largest_) return;
    if (sweep_.maxima == 0) sweep_.maxima = BlockMaxima<V, E>(x_, n_, s_->maxima);
    largest_ = MaxOf<V, Float32Elements<V>>(s_->maxima, sweep_.maxima);
    has_largest_ = true;
  }

  bool List(float bound) {
    FindMaxima();
    Collect<V, E>(x_, n_, s_->maxima, bound, &s_->set);
    listed_ = true;
    return Reweigh();
  }

  // Lists what a top-p cut left unlisted in front of it.
  bool ListHead() {
    if (head_ == 0) return true;
    head_ = 0;
    if (!List(spec::KeyValue(last_))) return false;
    KeepFrom<V>(CutKey(last_, op_.keep_ties), &s_->set);
    return true;
  }

  bool TopK(size_t k) {
    FindMaxima();
    if (!ListHead()) return false;
    if (!listed_ && !List(BoundForCount<V>(s_->maxima, sweep_.maxima, k, s_->narrowed.values))) return false;
    if (s_->set.size <= k) return true;
    FillCandidates(s_->set, s_->candidates);
    const size_t kept = Cut<CutBy::kCount>(s_->candidates, s_->set.size, k);
    uint64_t last = s_->candidates[0].key;
    for (size_t i = 1; i < kept; ++i) last = s_->candidates[i].key < last ? s_->candidates[i].key : last;
    KeepFrom<V>(CutKey(last, op_.keep_ties), &s_->set);
    return true;
  }

  bool TopP(float top_p, bool of_row) {
    of_row = of_row || !listed_;
    if (!ListHead() || (of_row && !HasDistribution(Sum()))) return false;
    if (listed_) {
      const uint64_t total = TotalMass<V>(s_->set);
      const double mass = of_row ? RowMass(Sum(), reference_) : static_cast<double>(total);
      return KeepNucleus(total, NucleusLimit(mass, top_p, op_.inclusive_top_p));
    }
    FindMaxima();
    reference_ = ReferenceOf(largest_, c_);
    const float bound = NucleusBound(Sum(), n_, top_p, c_);
    const double mass = RowMass(Sum(), reference_);
    const uint64_t limit = NucleusLimit(mass, top_p, op_.inclusive_top_p);
    if (n_ >= kLongRow && SplitAtCut(mass, limit, bound)) return true;
    return List(bound) && KeepNucleus(TotalMass<V>(s_->set), limit);
  }

  // Leaves the tokens in front of the cut unlisted where they may be many. False where the sample missed the cut.
  bool SplitAtCut(double mass, uint64_t limit, float bound) {
    SampledTokens sample;
    SampleRowTokens<V, E>(x_, n_, c_, reference_, &sample);
    const double tail = (mass - static_cast<double>(limit)) * static_cast<double>(1 / spec::kMassScale);
    CutBracket bracket = BracketOf<V>(sample, tail, n_);
    if (bracket.low < bound) bracket.low = bound;
    if (!(bracket.low < bracket.high)) return false;
    uint64_t head = 0;
    if (bracket.high < spec::Infinity()) {
      head = SplitRow<V, E>(x_, n_, c_, reference_, bracket, &s_->set, s_->head);
      if (head >= limit) bracket = {bracket.high, spec::Infinity()};
    }
    if (bracket.high == spec::Infinity()) {
      head = 0;
      Collect<V, E>(x_, n_, s_->maxima, bracket.low, &s_->set);
    }
    Weigh<V>(&s_->set, c_, reference_);
    const uint64_t total = TotalMass<V>(s_->set);
    if (head + total < limit) return false;
    listed_ = true;
    front_ = bracket.high;
    head_ = head;
    return KeepNucleus(total, limit - head);
  }

  bool KeepNucleus(uint64_t total, uint64_t limit) {
    last_ = LastByMass<V>(s_->set, total, limit, &s_->narrowed, s_->candidates);
    if (last_ != 0) KeepFrom<V>(CutKey(last_, op_.keep_ties), &s_->set);
    return true;
  }

  // Keeps what has at least min_p of the largest mass.
  bool MinP(float min_p) {
    FindMaxima();
    if (!ListHead()) return false;
    if (!listed_ && !List(MinPBound(largest_, min_p, c_))) return false;
    uint64_t most = 0;
    for (size_t i = 0; i < s_->set.size; ++i) {
      const uint64_t mass = spec::Mass(s_->set.probabilities[i]);
      most = mass > most ? mass : most;
    }
    const auto least = static_cast<uint64_t>(static_cast<double>(min_p) * static_cast<double>(most));
    return KeepIf([least](uint64_t mass, uint64_t) { return mass >= least; });
  }

  // Locally typical sampling (arXiv 2202.00666): the tokens whose surprise is nearest to the entropy, up to typical_p.
  bool TypicalP(float typical_p) {
    if (!ListAll()) return false;
    const TokenSet& set = s_->set;
    const auto total = static_cast<double>(TotalMass<V>(set));
    const double log2_total = spec::Log2Double(total) - 40.0;
    double entropy = 0;  // In log2 units, over the set in order of id.
    const auto surprise = [&](size_t i) { return Surprise(set.values[i], c_, reference_, log2_total); };
    for (size_t i = 0; i < set.size; ++i)
      entropy += static_cast<double>(spec::Mass(set.probabilities[i])) / total * surprise(i);
    for (size_t i = 0; i < set.size; ++i)
      s_->candidates[i] = {TypicalKey(surprise(i), entropy, set.ids[i]), spec::Mass(set.probabilities[i])};
    auto limit = static_cast<uint64_t>(static_cast<double>(typical_p) * total);
    if (limit == 0) limit = 1;
    const size_t kept = Cut<CutBy::kMass>(s_->candidates, set.size, limit);
    uint64_t last = s_->candidates[0].key;
    for (size_t i = 1; i < kept; ++i) last = s_->candidates[i].key < last ? s_->candidates[i].key : last;
    size_t count = 0;
    for (size_t i = 0; i < set.size; ++i) {
      if (TypicalKey(surprise(i), entropy, set.ids[i]) >= last) Move(i, count++);
    }
    s_->set.size = count;
    return true;
  }

  // Top-n-sigma (arXiv 2411.07641): logits of at least max - n deviations, the deviation over all unmasked logits.
  bool TopNSigma(float n_sigma) {
    FindMaxima();
    if (!ListHead() || !spec::IsFinite(largest_)) return false;
    const double deviation = Deviation();
    const float bound = static_cast<float>(static_cast<double>(largest_) - static_cast<double>(n_sigma) * deviation);
    if (!listed_) return List(bound);
    KeepFrom<V>(spec::OrderKey(bound, 0xffffffffU), &s_->set);
    return true;
  }

  // Two sweeps, each lane by lane in the order of section 4, tiles joined in float64.
  double Deviation() {
    size_t count = 0;
    const double mean = SumOverUnmasked(0.0F, &count, false) / static_cast<double>(count);
    const double squares = SumOverUnmasked(static_cast<float>(mean), &count, true);
    return sqrt(squares / static_cast<double>(count));
  }

  double SumOverUnmasked(float centre, size_t* count, bool squared) {
    constexpr size_t w = V::kWidth;
    double total = 0;
    *count = 0;
    for (size_t tile = 0; tile < n_; tile += spec::kTile) {
      const size_t end = n_ - tile < spec::kTile ? n_ : tile + spec::kTile;
      alignas(64) float lanes[spec::kLanes] = {};
      for (size_t j = tile; j < end; j += w) {
        float* lane = lanes + (j - tile) % spec::kLanes;
        const typename V::F v = end - j >= w ? E::Load(x_ + j) : LoadTail<V, E>(x_ + j, end - j);
        const typename V::M counts = V::LessEqual(V::Set(kLowestLogit), v);
        const typename V::F d = V::Select(counts, V::Sub(v, V::Set(centre)), V::Set(0.0F));
        V::Store(lane, squared ? V::Fma(d, d, V::Load(lane)) : V::Add(V::Load(lane), d));
        *count += V::Count(counts);
      }
      total += static_cast<double>(JoinLanes<V>(lanes));
    }
    return total;
  }

  // XTC (text-generation-webui #6335): sometimes, of the tokens with at least the threshold, only the least probable
  // stays.
  bool Xtc() {
    const uint64_t bits = spec::FirstWord64(spec::Draw(
        op_.seed, op_.sequences[row_], static_cast<uint32_t>(op_.positions[row_]), op_.sample, spec::Purpose::kXtc));
    if (spec::UnitDouble(bits) >= static_cast<double>(op_.xtc_probability.At(row_))) return true;
    if (!ListAll()) return false;
    const double total = static_cast<double>(TotalMass<V>(s_->set));
    const auto threshold = static_cast<uint64_t>(static_cast<double>(op_.xtc_threshold.At(row_)) * total);
    uint64_t lowest = ~uint64_t{0};
    size_t count = 0;
    for (size_t i = 0; i < s_->set.size; ++i) {
      if (spec::Mass(s_->set.probabilities[i]) < threshold) continue;
      const uint64_t key = spec::OrderKey(s_->set.values[i], s_->set.ids[i]);
      lowest = key < lowest ? key : lowest;
      ++count;
    }
    if (count < 2) return true;
    return KeepIf([lowest](uint64_t, uint64_t key) { return key <= lowest; });
  }

  void Move(size_t from, size_t to) {
    s_->set.ids[to] = s_->set.ids[from];
    s_->set.values[to] = s_->set.values[from];
    s_->set.probabilities[to] = s_->set.probabilities[from];
  }

  template <class Predicate>
  bool KeepIf(Predicate keeps) {
    size_t count = 0;
    for (size_t i = 0; i < s_->set.size; ++i) {
      const uint64_t mass = spec::Mass(s_->set.probabilities[i]);
      if (keeps(mass, spec::OrderKey(s_->set.values[i], s_->set.ids[i]))) Move(i, count++);
    }
    s_->set.size = count;
    return true;
  }

  const Sampling& op_;
  size_t row_;
  const typename E::T* x_;
  size_t n_;
  SamplingScratch* s_;
  RowSweep sweep_;
  float c_ = Log2Factor(1.0F);
  float reference_ = 0;
  float largest_ = 0;
  bool has_largest_ = false;
  float front_ = 0;    // Where head_ is not 0, all tokens of at least this logit are left too, of that mass:
  uint64_t head_ = 0;  // only those behind them are listed, up to the key last_.
  uint64_t last_ = 0;
  bool listed_ = false;
};

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_SAMPLING_FILTERS_CPU_H_
