#ifndef CROSSTHINK_KERNELS_LOGPROB_LOGPROB_H_
#define CROSSTHINK_KERNELS_LOGPROB_LOGPROB_H_

#include <cstddef>
#include <cstdint>

#include "kernels/logits.h"
#include "spec/tile.h"

namespace crossthink {

// Numbers of a row's state in `state` arrays: reference M, S, E (see spec::RowState); M = NaN marks a row without a
// distribution. E is NaN where the entropy was not asked for.
constexpr size_t kStateSize = 3;

// log-prob of `tokens` under softmax(logits / temperature), and on request the entropy and log-sum-exp, one per row.
// One read of the logits. Any output but `status` may be null.
struct LogprobForward {
  Logits logits;
  const int32_t* tokens = nullptr;
  RowFloat temperature;
  bool entropy = false;

  float* logprob = nullptr;
  float* entropy_out = nullptr;
  float* logsumexp = nullptr;
  double* state = nullptr;  // [rows, kStateSize]
  uint8_t* status = nullptr;
};

// dL/dlogits = (1/T) [ d_logprob (1{j = y} - p_j) - d_entropy p_j (log p_j + H) ], from the state of the forward pass.
// Rows without a distribution, or whose target is masked or out of range, get zeros. d_logits may be the logits.
struct LogprobBackward {
  Logits logits;
  const int32_t* tokens = nullptr;
  RowFloat temperature;
  const double* state = nullptr;
  const float* d_logprob = nullptr;
  const float* d_entropy = nullptr;  // Null: no entropy term.

  void* d_logits = nullptr;
  DType d_type = DType::kFloat32;  // float32, or the type of the logits.
  size_t d_stride = 0;
  bool stream = false;  // Non-temporal stores: for outputs far larger than the caches, not in place.
};

// What one instruction set provides. Indices: DType first, then the switches named at each entry.
struct LogprobKernels {
  // [type][entropy]
  void (*forward[kDTypes][2])(const LogprobForward&, size_t begin, size_t end, spec::TilePartial* scratch);
  // [type][gradient has the type of the logits, not float32][entropy]
  void (*backward[kDTypes][2][2])(const LogprobBackward&, size_t begin, size_t end);
  // Non-temporal stores of a float32 gradient. [type][entropy]
  void (*backward_stream[kDTypes][2])(const LogprobBackward&, size_t begin, size_t end);
};

// Run on the shared pool, on at most `threads` threads (0: all).
void RunLogprobForward(const LogprobForward& op, unsigned threads);
void RunLogprobBackward(const LogprobBackward& op, unsigned threads);

}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_LOGPROB_LOGPROB_H_
