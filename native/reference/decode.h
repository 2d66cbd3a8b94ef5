#ifndef CROSSTHINK_REFERENCE_DECODE_H_
#define CROSSTHINK_REFERENCE_DECODE_H_

// One step of generation with a cache of keys and values. Every output is computed by the same chains as in the forward
// pass, so a rollout's logits equal those of the later training pass bit for bit.
#include <cstring>

#include "reference/forward.h"

namespace crossthink::reference {

struct DecodeScratch {
  float* x;           // [rows, 3 width]: entry, middle and end of a layer
  float* normed;      // [rows, width]
  float* statistics;  // [rows, 2]
  float* qkv;         // [rows, 3 width]
  float* attended;    // [rows, width]
  float* hidden;      // [rows, 8 width]
  float* scores;      // [capacity]
  float* logits;      // [rows, vocab]
};

// Attention of one new token over the positions of its slot, itself included.
template <class V>
void AttendCached(const PolicyConfig& config, int position, int capacity, const float* qkv, float* keys, float* values,
                  float* scores, float* attended) {
  const int d = config.width, head = config.head_width();
  const int padded = RoundUpToLanes(position + 1);
  const float scale = 1.0f / __builtin_sqrtf(static_cast<float>(head));
  for (int j = 0; j < d; j++) keys[static_cast<size_t>(j) * capacity + position] = qkv[d + j];
  std::memcpy(values + static_cast<size_t>(position) * d, qkv + 2 * d, static_cast<size_t>(d) * sizeof(float));
  for (int h = 0; h < config.heads; h++) {
    const int column = h * head;
    Gemm<V>(1, padded, head, {qkv + column, 0, 1}, keys + static_cast<size_t>(column) * capacity,
            static_cast<size_t>(capacity), scores, 0, false);
    SoftmaxRow<V>(position + 1, padded, scale, scores);
    Gemm<V>(1, head, position + 1, {scores, 0, 1}, values + column, static_cast<size_t>(d), attended + column, 0,
            false);
  }
}

// Rows [first, last) of the step.
template <class V>
void Decode(const PolicyConfig& config, const ParameterLayout& at, const float* p, const DecodeStep& step,
            const KeyValueCache& cache, int first, int last, const DecodeScratch& s, float* logits) {
  const int d = config.width;
  const size_t width = static_cast<size_t>(d), rows = static_cast<size_t>(last - first);
  const size_t capacity = static_cast<size_t>(cache.capacity);
  float* x = s.x;
  float* x_mid = x + rows * width;
  float* x_out = x_mid + rows * width;
  for (size_t i = 0; i < rows; i++) {
    const size_t row = static_cast<size_t>(first) + i;
    const int32_t* token = step.tokens + 3 * row;
    Embed<V>(config, at, p, token[0], token[1], token[2], step.positions[row], x + i * width);
  }
  for (int l = 0; l < config.layers; l++) {
    const float* layer = p + at.layer(l);
    ProjectQkv<V>(rows, config, at, layer, x, s.normed, s.statistics, s.statistics + rows, s.qkv);
    for (size_t i = 0; i < rows; i++) {
      const size_t row = static_cast<size_t>(first) + i;
      const size_t slot = (static_cast<size_t>(l) * cache.slots + step.slots[row]) * capacity * width;
      AttendCached<V>(config, step.positions[row], cache.capacity, s.qkv + i * 3 * width, cache.keys + slot,
                      cache.values + slot, s.scores, s.attended + i * width);
    }
    ProjectAttended<V>(rows, config, at, layer, s.attended, x, x_mid);
    FeedForward<V>(rows, config, at, layer, x_mid, s.normed, s.statistics, s.statistics + rows, s.hidden,
                   s.hidden + rows * 4 * width, x_out);
    float* swap = x;
    x = x_out;
    x_out = swap;
  }
  LayerNorm<V>(rows, d, x, p + at.gain_final, p + at.bias_final, s.normed, s.statistics, s.statistics + rows);
  size_t wanted = 0;
  for (size_t i = 0; i < rows; i++)
    if (step.outputs[static_cast<size_t>(first) + i] >= 0)
      std::memmove(s.normed + width * wanted++, s.normed + width * i, width * sizeof(float));
  const size_t vocab = static_cast<size_t>(config.vocab);
  Gemm<V>(static_cast<int>(wanted), config.vocab, d, {s.normed, width, 1}, p + at.head, vocab, s.logits, vocab, false);
  const float* from = s.logits;
  for (size_t i = 0; i < rows; i++) {
    const int output = step.outputs[static_cast<size_t>(first) + i];
    if (output < 0) continue;
    std::memcpy(logits + static_cast<size_t>(output) * vocab, from, vocab * sizeof(float));
    from += vocab;
  }
}

}  // namespace crossthink::reference

#endif  // CROSSTHINK_REFERENCE_DECODE_H_
