#ifndef CROSSTHINK_REFERENCE_FORWARD_H_
#define CROSSTHINK_REFERENCE_FORWARD_H_

// Forward pass of a pre-norm causal transformer over packed sequences. A sequence never sees another one, so any range
// of sequences may be computed by any thread.
#include <cstring>

#include "reference/gemm.h"
#include "reference/layers.h"
#include "reference/layout.h"

namespace crossthink::reference {

// The residual stream at its entry: token + position + the two tokens before (-1: none).
template <class V>
void Embed(const PolicyConfig& config, const ParameterLayout& at, const float* p, int token, int previous, int earlier,
           int position, float* x) {
  const size_t d = static_cast<size_t>(config.width);
  const float* own = p + at.token + static_cast<size_t>(token) * d;
  const float* place = p + at.position + static_cast<size_t>(position) * d;
  const float* shift1 = previous < 0 ? nullptr : p + at.shift1 + static_cast<size_t>(previous) * d;
  const float* shift2 = earlier < 0 ? nullptr : p + at.shift2 + static_cast<size_t>(earlier) * d;
  for (size_t j = 0; j < d; j += V::kLanes) {
    auto value = V::Add(V::Load(own + j), V::Load(place + j));
    if (shift1 != nullptr) value = V::Add(value, V::Load(shift1 + j));
    if (shift2 != nullptr) value = V::Add(value, V::Load(shift2 + j));
    V::Store(x + j, value);
  }
}

// Attention of one sequence and head: qkv[T, 3 width] at the head's first column to attended[T, width].
// scratch: [head_width, RoundUpToLanes(T)].
template <class V>
void AttendSequence(int length, const PolicyConfig& config, const float* qkv, float* weights, float* attended,
                    float* scratch) {
  const int width = config.width, head = config.head_width(), padded = RoundUpToLanes(length);
  const size_t stride = 3 * static_cast<size_t>(width);
  const float scale = 1.0f / __builtin_sqrtf(static_cast<float>(head));
  TransposePadded(length, head, padded, qkv + width, stride, scratch);
  Gemm<V>(length, padded, head, {qkv, stride, 1}, scratch, padded, weights, padded, false);
  for (int i = 0; i < length; i++) SoftmaxRow<V>(i + 1, padded, scale, weights + i * padded);
  Gemm<V>(length, head, length, {weights, static_cast<size_t>(padded), 1}, qkv + 2 * width, stride, attended, width,
          false);
}

// x_out = x_mid + down(gelu(up(norm(x_mid)))) for `rows` rows; the part of a layer behind its attention.
template <class V>
void FeedForward(size_t rows, const PolicyConfig& config, const ParameterLayout& at, const float* layer,
                 const float* x_mid, float* normed, float* mean, float* deviation, float* hidden, float* activated,
                 float* x_out) {
  const int d = config.width;
  const int n = static_cast<int>(rows);
  const size_t width = static_cast<size_t>(d);
  LayerNorm<V>(rows, d, x_mid, layer + at.gain2, layer + at.bias2, normed, mean, deviation);
  Gemm<V>(n, 4 * d, d, {normed, width, 1}, layer + at.up, 4 * width, hidden, 4 * width, false);
  AddBias<V>(rows, 4 * d, hidden, layer + at.up_bias, nullptr);
  Gelu<V>(rows * 4 * width, hidden, activated);
  Gemm<V>(n, d, 4 * d, {activated, 4 * width, 1}, layer + at.down, width, x_out, width, false);
  AddBias<V>(rows, d, x_out, layer + at.down_bias, x_mid);
}

// qkv = norm(x) times the joint projection, for `rows` rows; the part of a layer before its attention.
template <class V>
void ProjectQkv(size_t rows, const PolicyConfig& config, const ParameterLayout& at, const float* layer, const float* x,
                float* normed, float* mean, float* deviation, float* qkv) {
  const int d = config.width;
  const size_t width = static_cast<size_t>(d);
  LayerNorm<V>(rows, d, x, layer + at.gain1, layer + at.bias1, normed, mean, deviation);
  Gemm<V>(static_cast<int>(rows), 3 * d, d, {normed, width, 1}, layer + at.qkv, 3 * width, qkv, 3 * width, false);
  AddBias<V>(rows, 3 * d, qkv, layer + at.qkv_bias, nullptr);
}

// x_mid = x + project(attended), for `rows` rows.
template <class V>
void ProjectAttended(size_t rows, const PolicyConfig& config, const ParameterLayout& at, const float* layer,
                     const float* attended, const float* x, float* x_mid) {
  const int d = config.width;
  const size_t width = static_cast<size_t>(d);
  Gemm<V>(static_cast<int>(rows), d, d, {attended, width, 1}, layer + at.project, width, x_mid, width, false);
  AddBias<V>(rows, d, x_mid, layer + at.project_bias, x);
}

// Sequences [first, last) and the chosen rows [row_first, row_last) that lie in them. scratch: [width, padded context].
template <class V>
void Forward(const PolicyConfig& config, const ParameterLayout& at, const float* p, const PackedBatch& batch,
             const Activations& act, int first, int last, int row_first, int row_last, float* scratch, float* logits) {
  const int d = config.width, layers = config.layers;
  const size_t width = static_cast<size_t>(d), size = act.n * width;
  const size_t begin = static_cast<size_t>(batch.cu[first]);
  const size_t count = static_cast<size_t>(batch.cu[last]) - begin;
  const size_t offset = begin * width;
  for (int s = first; s < last; s++) {
    for (int i = batch.cu[s]; i < batch.cu[s + 1]; i++) {
      const int position = i - batch.cu[s];
      Embed<V>(config, at, p, batch.tokens[i], position > 0 ? batch.tokens[i - 1] : -1,
               position > 1 ? batch.tokens[i - 2] : -1, position, act.stream + static_cast<size_t>(i) * width);
    }
  }
  for (int l = 0; l < layers; l++) {
    const float* layer = p + at.layer(l);
    const size_t a = static_cast<size_t>(2 * l), b = a + 1;
    float* x = act.stream + a * size + offset;
    float* x_mid = x + size;
    float* qkv = act.qkv + static_cast<size_t>(l) * 3 * size + 3 * offset;
    float* attended = act.attended + static_cast<size_t>(l) * size + offset;
    ProjectQkv<V>(count, config, at, layer, x, act.normed + a * size + offset, act.mean + a * act.n + begin,
                  act.inverse_deviation + a * act.n + begin, qkv);
    for (int s = first; s < last; s++) {
      const int length = batch.cu[s + 1] - batch.cu[s];
      const size_t row = static_cast<size_t>(batch.cu[s]) - begin;
      float* weights = act.weights + static_cast<size_t>(l) * act.attention_size + act.attention_start[s];
      const size_t step = static_cast<size_t>(length) * RoundUpToLanes(length);
      for (int h = 0; h < config.heads; h++)
        AttendSequence<V>(length, config, qkv + row * 3 * width + h * config.head_width(), weights + h * step,
                          attended + row * width + h * config.head_width(), scratch);
    }
    ProjectAttended<V>(count, config, at, layer, attended, x, x_mid);
    FeedForward<V>(count, config, at, layer, x_mid, act.normed + b * size + offset, act.mean + b * act.n + begin,
                   act.inverse_deviation + b * act.n + begin,
                   act.hidden + static_cast<size_t>(l) * 4 * size + 4 * offset,
                   act.activated + static_cast<size_t>(l) * 4 * size + 4 * offset, x_mid + size);
  }
  const size_t end = static_cast<size_t>(2 * layers);
  float* normed = act.normed + end * size;
  LayerNorm<V>(count, d, act.stream + end * size + offset, p + at.gain_final, p + at.bias_final, normed + offset,
               act.mean + end * act.n + begin, act.inverse_deviation + end * act.n + begin);
  const size_t vocab = static_cast<size_t>(config.vocab);
  float* picked = act.picked + static_cast<size_t>(row_first) * width;
  for (int r = row_first; r < row_last; r++)
    std::memcpy(act.picked + static_cast<size_t>(r) * width, normed + static_cast<size_t>(batch.rows[r]) * width,
                width * sizeof(float));
  Gemm<V>(row_last - row_first, config.vocab, d, {picked, width, 1}, p + at.head, vocab,
          logits + static_cast<size_t>(row_first) * vocab, vocab, false);
}

}  // namespace crossthink::reference

#endif  // CROSSTHINK_REFERENCE_FORWARD_H_
