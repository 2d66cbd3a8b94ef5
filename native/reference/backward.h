#ifndef CROSSTHINK_REFERENCE_BACKWARD_H_
#define CROSSTHINK_REFERENCE_BACKWARD_H_

// Backward pass in two parts. First the gradients of the activations: like the forward pass, over any range of
// sequences. Then the gradients of the parameters: each is one chain over all tokens of the batch in ascending order,
// shared out by parameter, so no partial sums of threads are ever added and the bits depend on no thread count.
#include <cstring>

#include "reference/gemm.h"
#include "reference/layers.h"
#include "reference/layout.h"

namespace crossthink::reference {

struct BackwardScratch {
  float* attended;    // [tokens of the range, width]
  float* picked;      // [rows of the range, width]
  float* transposed;  // [width, padded context]
  float* scores;      // [context, padded context]
};

// Gradient of AttendSequence: d_attended[T, width] to d_qkv[T, 3 width].
template <class V>
void AttendSequenceBackward(int length, const PolicyConfig& config, const float* qkv, const float* weights,
                            const float* d_attended, float* d_qkv, const BackwardScratch& scratch) {
  const int width = config.width, head = config.head_width(), padded = RoundUpToLanes(length);
  const size_t stride = 3 * static_cast<size_t>(width), row = static_cast<size_t>(padded);
  const float scale = 1.0f / __builtin_sqrtf(static_cast<float>(head));
  const Left transposed_weights{weights, 1, row};
  Gemm<V>(length, head, length, transposed_weights, d_attended, width, d_qkv + 2 * width, stride, false);
  TransposePadded(length, head, padded, qkv + 2 * width, stride, scratch.transposed);
  Gemm<V>(length, padded, head, {d_attended, static_cast<size_t>(width), 1}, scratch.transposed, row, scratch.scores,
          row, false);
  for (int i = 0; i < length; i++)
    SoftmaxRowBackward<V>(padded, scale, weights + i * padded, scratch.scores + i * padded);
  Gemm<V>(length, head, length, {scratch.scores, row, 1}, qkv + width, stride, d_qkv, stride, false);
  const Left transposed_scores{scratch.scores, 1, row};
  Gemm<V>(length, head, length, transposed_scores, qkv, stride, d_qkv + width, stride, false);
}

// Gradients of the activations of sequences [first, last). `transposed` holds every weight matrix of `p` transposed, at
// the same offsets.
template <class V>
void BackwardActivations(const PolicyConfig& config, const ParameterLayout& at, const float* p, const float* transposed,
                         const PackedBatch& batch, const Activations& act, const ActivationGradients& grad, int first,
                         int last, int row_first, int row_last, const BackwardScratch& scratch, const float* d_logits) {
  const int d = config.width, layers = config.layers;
  const size_t width = static_cast<size_t>(d), size = act.n * width, vocab = static_cast<size_t>(config.vocab);
  const size_t begin = static_cast<size_t>(batch.cu[first]);
  const size_t count = static_cast<size_t>(batch.cu[last]) - begin;
  const size_t offset = begin * width, bytes = count * width * sizeof(float);
  const int n = static_cast<int>(count);

  const size_t end = static_cast<size_t>(2 * layers);
  float* d_normed = grad.normed + end * size;
  std::memset(d_normed + offset, 0, bytes);
  Gemm<V>(row_last - row_first, d, config.vocab, {d_logits + static_cast<size_t>(row_first) * vocab, vocab, 1},
          transposed + at.head, width, scratch.picked, width, false);
  for (int r = row_first; r < row_last; r++)
    std::memcpy(d_normed + static_cast<size_t>(batch.rows[r]) * width,
                scratch.picked + static_cast<size_t>(r - row_first) * width, width * sizeof(float));
  float* d_end = grad.stream + end * size + offset;
  std::memset(d_end, 0, bytes);
  LayerNormBackward<V>(count, d, act.stream + end * size + offset, p + at.gain_final, d_normed + offset,
                       act.mean + end * act.n + begin, act.inverse_deviation + end * act.n + begin, d_end);

  for (int l = layers - 1; l >= 0; l--) {
    const float* layer = p + at.layer(l);
    const float* turned = transposed + at.layer(l);
    const size_t a = static_cast<size_t>(2 * l), b = a + 1, here = static_cast<size_t>(l);
    float* d_out = grad.stream + (b + 1) * size + offset;
    float* d_mid = grad.stream + b * size + offset;
    float* d_in = grad.stream + a * size + offset;
    float* d_hidden = grad.hidden + here * 4 * size + 4 * offset;
    float* d_normed2 = grad.normed + b * size + offset;
    Gemm<V>(n, 4 * d, d, {d_out, width, 1}, turned + at.down, 4 * width, d_hidden, 4 * width, false);
    GeluBackward<V>(count * 4 * width, act.hidden + here * 4 * size + 4 * offset, d_hidden);
    Gemm<V>(n, d, 4 * d, {d_hidden, 4 * width, 1}, turned + at.up, width, d_normed2, width, false);
    std::memcpy(d_mid, d_out, bytes);
    LayerNormBackward<V>(count, d, act.stream + b * size + offset, layer + at.gain2, d_normed2,
                         act.mean + b * act.n + begin, act.inverse_deviation + b * act.n + begin, d_mid);

    const float* qkv = act.qkv + here * 3 * size + 3 * offset;
    float* d_qkv = grad.qkv + here * 3 * size + 3 * offset;
    Gemm<V>(n, d, d, {d_mid, width, 1}, turned + at.project, width, scratch.attended, width, false);
    for (int s = first; s < last; s++) {
      const int length = batch.cu[s + 1] - batch.cu[s];
      const size_t row = static_cast<size_t>(batch.cu[s]) - begin;
      const float* weights = act.weights + here * act.attention_size + act.attention_start[s];
      const size_t step = static_cast<size_t>(length) * RoundUpToLanes(length);
      for (int h = 0; h < config.heads; h++) {
        const size_t column = static_cast<size_t>(h) * config.head_width();
        AttendSequenceBackward<V>(length, config, qkv + row * 3 * width + column, weights + h * step,
                                  scratch.attended + row * width + column, d_qkv + row * 3 * width + column, scratch);
      }
    }
    float* d_normed1 = grad.normed + a * size + offset;
    Gemm<V>(n, d, 3 * d, {d_qkv, 3 * width, 1}, turned + at.qkv, width, d_normed1, width, false);
    std::memcpy(d_in, d_mid, bytes);
    LayerNormBackward<V>(count, d, act.stream + a * size + offset, layer + at.gain1, d_normed1,
                         act.mean + a * act.n + begin, act.inverse_deviation + a * act.n + begin, d_in);
  }
}

}  // namespace crossthink::reference

#endif  // CROSSTHINK_REFERENCE_BACKWARD_H_
