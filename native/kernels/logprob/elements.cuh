#ifndef CROSSTHINK_KERNELS_LOGPROB_ELEMENTS_CUH_
#define CROSSTHINK_KERNELS_LOGPROB_ELEMENTS_CUH_

#include <cstddef>
#include <cstdint>

#include "kernels/logprob/logprob.h"
#include "kernels/logprob/row.h"
#include "kernels/softcap.h"
#include "kernels/tile.cuh"
#include "spec/bits.h"

// Rows as the options of log-probs make them: capped logits, or those of a kept set. Elements are read from memory
// (after the first time from a cache) and capped at every use: nothing has to fit into registers.
namespace crossthink::cuda {
namespace {

template <class S>
__device__ __forceinline__ const typename S::T* RowOf(const Logits& logits, size_t row) {
  return static_cast<const typename S::T*>(logits.data) + row * logits.stride;
}

// Whether a forward pass needs the elements below; other rows are loaded as they lie.
inline bool HasElementOptions(const LogprobInput& op) { return op.softcap > 0 || op.kept.tokens != nullptr; }

template <class S>
class RowElements {
 public:
  __device__ __forceinline__ RowElements(const LogprobInput& op, size_t row)
      : x_(RowOf<S>(op.logits, row)), vocab_(op.logits.vocab), softcap_(op.softcap), span_(SpanOf(op, row)) {}

  __device__ __forceinline__ const RowSpan& span() const { return span_; }
  __device__ __forceinline__ size_t size() const { return span_.size; }

  // -inf past the end of the row, and for columns that do not exist: those of a device cannot be checked before.
  __device__ __forceinline__ float operator[](size_t j) const {
    if (j >= span_.size) return -spec::Infinity();
    const size_t column = span_.Column(j);
    if (column >= vocab_) return -spec::Infinity();
    const float x = S::Read(x_ + column);
    return softcap_ > 0 ? CapLogits<V>(x, softcap_) : x;
  }

 private:
  const typename S::T* x_;
  size_t vocab_;
  float softcap_;
  RowSpan span_;
};

// A tile of such a row, for SumTile.
template <class S>
struct ElementTile {
  using Lanes = Float32Storage;
  static constexpr int kUnroll = 1;

  const RowElements<S>& x;
  size_t begin;

  __device__ __forceinline__ Float32Storage::Pack Row(int r) const {
    Float32Storage::Pack pack = {};
#pragma unroll
    for (int k = 0; k < kThreadLanes; ++k) {
      const int column = Float32Storage::Column(static_cast<int>(LaneIndex()), k);
      pack.v[k] = x[begin + static_cast<size_t>(r * static_cast<int>(spec::kLanes) + column)];
    }
    return pack;
  }

  template <int kCount>
  __device__ __forceinline__ float Max() const {
    float m = -spec::Infinity();
#pragma unroll 1
    for (int r = 0; r < kCount; ++r) {
      const Float32Storage::Pack row = Row(r);
#pragma unroll
      for (int k = 0; k < kThreadLanes; ++k) m = V::Max(m, row.v[k]);
    }
    return spec::FromOrderedBits(WarpMax(spec::OrderedBits(m)));
  }
};

}  // namespace
}  // namespace crossthink::cuda

#endif  // CROSSTHINK_KERNELS_LOGPROB_ELEMENTS_CUH_
