#ifndef CROSSTHINK_KERNELS_LOGPROB_TOP_CPU_H_
#define CROSSTHINK_KERNELS_LOGPROB_TOP_CPU_H_

#include <cstddef>
#include <cstdint>

#include "kernels/elements.h"
#include "kernels/logprob/logprob.h"
#include "kernels/logprob/row.h"
#include "spec/annotate.h"
#include "spec/logarithm.h"
#include "spec/order.h"
#include "spec/tile.h"

// Log-probs of several tokens of a row, for distillation: its k most probable, or given ones.
namespace crossthink {
namespace {

// ln p of the elements of a row that lie at x; NaN where the row has no distribution.
template <class E>
class LogprobOfElement {
 public:
  LogprobOfElement(const typename E::T* x, float c, const spec::RowState& row)
      : x_(x), c_(c), row_(row), sound_(HasDistribution(row)), log2_sum_(sound_ ? spec::Log2Double(row.sum) : 0.0) {}

  const typename E::T* x() const { return x_; }
  bool sound() const { return sound_; }
  float operator()(size_t j) const {
    return sound_ ? LogprobOf(Log2Offset(E::Read(x_ + j), c_, row_.reference), log2_sum_) : spec::QuietNan();
  }

 private:
  const typename E::T* x_;
  float c_;
  spec::RowState row_;
  bool sound_;
  double log2_sum_;
};

// A min-heap of keys: moves `key` down from the root of [0, n), whose place is free.
CT_INLINE void SiftDown(uint64_t* heap, size_t n, uint64_t key) {
  size_t i = 0;
  for (size_t child = 1; child < n; child = 2 * i + 1) {
    if (child + 1 < n && heap[child + 1] < heap[child]) ++child;
    if (heap[child] >= key) break;
    heap[i] = heap[child];
    i = child;
  }
  heap[i] = key;
}

// The largest `wanted` keys (spec::OrderKey of value and element) of n elements, masked ones aside, in descending
// order. Returns their number. A row is compared with the smallest key held, a vector at a time: few elements get
// further.
template <class V, class E>
CT_INLINE size_t LargestKeys(const typename E::T* x, size_t n, size_t wanted, uint64_t* keys) {
  constexpr size_t w = V::kWidth;
  for (size_t i = 0; i < wanted; ++i) keys[i] = 0;  // Below every key.
  float least = -spec::Infinity();
  for (size_t j = 0; j < n; j += w) {
    const typename V::F v = n - j >= w ? E::Load(x + j) : LoadTail<V, E>(x + j, n - j);
    // Equal values come in ascending order of id: later ones are never ahead.
    uint32_t bits = V::ToBits(V::Less(V::Set(least), v));
    for (; bits != 0; bits &= bits - 1) {
      const size_t at = j + static_cast<size_t>(__builtin_ctz(bits));
      const uint64_t key = spec::OrderKey(E::Read(x + at), static_cast<uint32_t>(at));
      if (key < keys[0]) continue;  // A key of this vector has raised the bar.
      SiftDown(keys, wanted, key);
      if (keys[0] != 0) least = spec::KeyValue(keys[0]);
    }
  }
  // The smallest to the end, one after the other.
  size_t found = wanted;
  for (size_t i = wanted; i > 1; --i) {
    const uint64_t smallest = keys[0];
    SiftDown(keys, i - 1, keys[i - 1]);
    keys[i - 1] = smallest;
  }
  while (found > 0 && keys[found - 1] == 0) --found;
  return found;
}

template <class V, class E>
CT_INLINE void WriteTop(const LogprobForward& op, size_t row, const RowSpan& span, const LogprobOfElement<E>& logprob,
                        uint64_t* keys) {
  const size_t found = logprob.sound() ? LargestKeys<V, E>(logprob.x(), span.size, op.top_k, keys) : 0;
  for (size_t i = 0; i < op.top_k; ++i) {
    const size_t element = i < found ? spec::KeyToken(keys[i]) : 0;
    const size_t at = row * op.top_k + i;
    op.top_tokens[at] = i < found ? op.vocab_offset + static_cast<int32_t>(span.Column(element)) : -1;
    op.top_logprobs[at] = i < found ? logprob(element) : spec::QuietNan();
  }
}

template <class E>
CT_INLINE void WriteListed(const LogprobForward& op, size_t row, const RowSpan& span,
                           const LogprobOfElement<E>& logprob) {
  for (size_t i = row * op.listed; i < (row + 1) * op.listed; ++i) {
    const size_t element = ElementOf(op, span, op.listed_tokens[i]);
    op.listed_logprobs[i] = element != kNoElement ? logprob(element) : spec::QuietNan();
  }
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_LOGPROB_TOP_CPU_H_
