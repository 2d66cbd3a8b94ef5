#ifndef CROSSTHINK_KERNELS_LOGPROB_LOGPROB_H_
#define CROSSTHINK_KERNELS_LOGPROB_LOGPROB_H_

#include <cstddef>
#include <cstdint>

#include "kernels/logits.h"
#include "spec/tile.h"

namespace crossthink {

// Numbers of a row's state in `state` arrays: reference M, S, E, Q (see spec::RowState) and the target's offset
// t = z - M: -inf where the target is masked or not in this shard, NaN where it is ignored. E and Q are NaN where not
// asked for. A row without any mass is M = -inf, S = 0; any other row without a distribution is NaN throughout.
constexpr size_t kStateSize = 5;

// What both directions read. Options that are off cost nothing.
struct LogprobInput {
  Logits logits;
  const int32_t* tokens = nullptr;
  RowFloat temperature;
  float softcap = 0;        // > 0: logits become softcap tanh(x / softcap) first.
  bool has_ignore = false;  // Rows whose token is ignore_index are not read: results and gradient 0.
  int32_t ignore_index = 0;
  int32_t vocab_offset = 0;  // The logits are columns [vocab_offset, vocab_offset + vocab) of the vocabulary.
  TokenLists kept;           // Re-normalise over these columns of a row (ascending, of the logits); empty: over all.
};

// log-prob of `tokens` under softmax(logits / temperature), and on request entropy, sum of squared probabilities and
// log-sum-exp, one per row. One read of the logits; one more, of part of the row, for `top_k`. Any output but `status`
// may be null.
struct LogprobForward : LogprobInput {
  bool entropy = false;

  float* logprob = nullptr;
  float* entropy_out = nullptr;
  float* sum_squares = nullptr;
  float* logsumexp = nullptr;
  double* state = nullptr;  // [rows, kStateSize]
  uint8_t* status = nullptr;

  // [rows, top_k]: the tokens of largest log-prob in order, ties to the lowest id; -1 and NaN where a row has fewer.
  size_t top_k = 0;
  int32_t* top_tokens = nullptr;
  float* top_logprobs = nullptr;
  // [rows, listed]: log-probs of given tokens; NaN for those outside of the row. On CUDA, as top_k, needs `state`.
  size_t listed = 0;
  const int32_t* listed_tokens = nullptr;
  float* listed_logprobs = nullptr;
};

// dL/dlogits = (1/T) [ d_logprob (1{j = y} - p_j) - d_entropy p_j (log p_j + H) ], from the state of the forward pass.
// Rows without a distribution, or whose target is masked, ignored or out of range, get zeros. d_logits may be the
// logits.
struct LogprobBackward : LogprobInput {
  const double* state = nullptr;
  const float* d_logprob = nullptr;
  const float* d_entropy = nullptr;  // Null: no entropy term.

  void* d_logits = nullptr;
  DType d_type = DType::kFloat32;  // float32, or the type of the logits.
  size_t d_stride = 0;
  bool stream = false;  // Non-temporal stores: for outputs far larger than the caches, not in place.
};

// Joins the states of `shards` vocabulary shards, [shards, rows, kStateSize], in their order, into results as of one
// row.
struct LogprobMerge {
  const double* states = nullptr;
  size_t shards = 0;
  size_t rows = 0;
  float* logprob = nullptr;
  float* entropy = nullptr;
  float* sum_squares = nullptr;
  float* logsumexp = nullptr;
  double* state = nullptr;
  uint8_t* status = nullptr;
};

// Working memory of one thread.
struct LogprobScratch {
  spec::TilePartial* tiles;  // [TileCount(vocab)]
  float* row;                // [vocab + 16]: a row that was capped or gathered; null where neither is asked for.
  uint64_t* top;             // [top_k]
  bool summed = false;       // `tiles` has the sums of the row already.
};

// What one instruction set provides. Indices: DType first, then the switches named at each entry.
struct LogprobKernels {
  // [type][0: sums only, 1: with entropy, 2: with sum of squares too]
  void (*forward[kDTypes][3])(const LogprobForward&, size_t begin, size_t end, LogprobScratch*);
  // Part of `forward`: sums of the tiles [first, last) of a row that is neither capped nor gathered. Indices as there.
  void (*sum_tiles[kDTypes][3])(const LogprobInput&, size_t row, size_t first, size_t last, spec::TilePartial* tiles);
  // [type][gradient has the type of the logits, not float32][entropy]
  void (*backward[kDTypes][2][2])(const LogprobBackward&, size_t begin, size_t end, LogprobScratch*);
  // Non-temporal stores of a float32 gradient. [type][entropy]
  void (*backward_stream[kDTypes][2])(const LogprobBackward&, size_t begin, size_t end, LogprobScratch*);
};

// Run on the shared pool, on at most `threads` threads (0: all).
void RunLogprobForward(const LogprobForward& op, unsigned threads);
void RunLogprobBackward(const LogprobBackward& op, unsigned threads);
// On the calling thread: a few numbers a row.
void RunLogprobMerge(const LogprobMerge& op);

}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_LOGPROB_LOGPROB_H_
