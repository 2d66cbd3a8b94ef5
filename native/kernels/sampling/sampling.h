#ifndef CROSSTHINK_KERNELS_SAMPLING_SAMPLING_H_
#define CROSSTHINK_KERNELS_SAMPLING_SAMPLING_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "kernels/logits.h"
#include "spec/tile.h"

namespace crossthink {

struct RowInt {
  const int32_t* values = nullptr;
  int32_t scalar = 0;
  int32_t At(size_t row) const { return values != nullptr ? values[row] : scalar; }
};

// One token per row. Order: temperature, top-k, top-p. Without either, an inverse-CDF draw over the whole row.
// docs/numerics.md, section 5.
struct Sampling {
  Logits logits;
  RowFloat temperature;  // 0: greedy, the largest logit, ties to the lowest token id.
  RowInt top_k;          // 0: off.
  RowFloat top_p;        // >= 1: off.
  uint64_t seed = 0;
  const uint64_t* sequences = nullptr;  // One per row: what is sampled, not where it stands in the batch.
  const int32_t* positions = nullptr;
  uint32_t sample = 0;

  int32_t* tokens = nullptr;     // -1 where the row has no distribution.
  float* logprob = nullptr;      // Under what was sampled from; may be null.
  float* raw_logprob = nullptr;  // Under softmax(logits), no temperature or filter; may be null.
  uint8_t* status = nullptr;
};

// Working memory of one thread, for rows of `vocab` logits.
struct SamplingScratch {
  spec::TilePartial* raw;        // [tiles]
  spec::TilePartial* processed;  // [tiles]
  float* maxima;                 // [tiles * kMaximaPerTile]
  float* values;                 // [vocab + kSlack] candidates: logits,
  uint32_t* ids;                 // token ids,
  float* probabilities;          // 2^t relative to the row's largest,
  struct Candidate* candidates;  // and sort keys.
};

struct Candidate {
  uint64_t key;   // spec::OrderKey
  uint64_t mass;  // spec::Mass
};

constexpr size_t kMaximaBlock = 512;
constexpr size_t kMaximaPerTile = spec::kTile / kMaximaBlock * 16;
constexpr size_t kSlack = 16;

// `cancel`, where given, is read between chunks of rows; false is returned where it was seen set.
bool RunSampling(const Sampling& op, unsigned threads, const std::atomic<int32_t>* cancel);

}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_SAMPLING_SAMPLING_H_
