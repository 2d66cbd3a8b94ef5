#ifndef CROSSTHINK_REFERENCE_PARAMETER_GRADIENTS_H_
#define CROSSTHINK_REFERENCE_PARAMETER_GRADIENTS_H_

// Gradients of the parameters, cut into tasks that write disjoint parts of the gradient. Each adds to what is there.
#include "reference/gemm.h"
#include "reference/layout.h"

namespace crossthink::reference {

struct GradientTask {
  enum class Kind { kMatrix, kBias, kNorm, kEmbedding } kind;
  size_t rows;        // Tokens (or chosen rows) to sum over.
  const float* left;  // kMatrix: inputs [rows, left_width]; kNorm: inputs of the norm.
  size_t left_width;
  const float* right;  // Gradient of the outputs [rows, right_width].
  size_t right_width;
  size_t first, last;  // kMatrix: the inputs; otherwise the columns, whole vectors of them.
  float* out;          // kMatrix: [left_width, right_width]; kBias: [right_width]; kNorm: gain, then bias.
  const float* mean;   // kNorm
  const float* inverse_deviation;
};

// out[first, last) += left^T right.
template <class V>
void MatrixGradient(const GradientTask& t) {
  const Left transposed{t.left + t.first, 1, t.left_width};
  Gemm<V>(static_cast<int>(t.last - t.first), static_cast<int>(t.right_width), static_cast<int>(t.rows), transposed,
          t.right, t.right_width, t.out + t.first * t.right_width, t.right_width, true);
}

template <class V>
void BiasGradient(const GradientTask& t) {
  for (size_t j = t.first; j < t.last; j += V::kLanes) {
    auto sum = V::Load(t.out + j);
    for (size_t i = 0; i < t.rows; i++) sum = V::Add(sum, V::Load(t.right + i * t.right_width + j));
    V::Store(t.out + j, sum);
  }
}

template <class V>
void NormGradient(const GradientTask& t) {
  for (size_t j = t.first; j < t.last; j += V::kLanes) {
    float* gain = t.out + j;
    float* bias = t.out + t.right_width + j;
    auto gain_sum = V::Load(gain);
    auto bias_sum = V::Load(bias);
    for (size_t i = 0; i < t.rows; i++) {
      const auto d = V::Load(t.right + i * t.right_width + j);
      const auto x = V::Sub(V::Load(t.left + i * t.right_width + j), V::Set(t.mean[i]));
      gain_sum = V::Fma(d, V::Mul(x, V::Set(t.inverse_deviation[i])), gain_sum);
      bias_sum = V::Add(bias_sum, d);
    }
    V::Store(gain, gain_sum);
    V::Store(bias, bias_sum);
  }
}

// The four embedding tables, for the columns of the task; `gradient` is the whole gradient array.
template <class V>
void EmbeddingGradient(const GradientTask& t, const ParameterLayout& at, const PackedBatch& batch, float* gradient) {
  const size_t width = t.right_width;
  const auto add = [&](float* row, const float* d) {
    for (size_t j = t.first; j < t.last; j += V::kLanes) V::Store(row + j, V::Add(V::Load(row + j), V::Load(d + j)));
  };
  for (int s = 0; s < batch.sequences; s++) {
    for (int i = batch.cu[s]; i < batch.cu[s + 1]; i++) {
      const float* d = t.right + static_cast<size_t>(i) * width;
      const int position = i - batch.cu[s];
      const auto row = [&](size_t table, int index) { return gradient + table + static_cast<size_t>(index) * width; };
      add(row(at.token, batch.tokens[i]), d);
      add(row(at.position, position), d);
      if (position > 0) add(row(at.shift1, batch.tokens[i - 1]), d);
      if (position > 1) add(row(at.shift2, batch.tokens[i - 2]), d);
    }
  }
}

template <class V>
void RunGradientTask(const GradientTask& task, const ParameterLayout& at, const PackedBatch& batch, float* gradient) {
  switch (task.kind) {
    case GradientTask::Kind::kMatrix:
      return MatrixGradient<V>(task);
    case GradientTask::Kind::kBias:
      return BiasGradient<V>(task);
    case GradientTask::Kind::kNorm:
      return NormGradient<V>(task);
    case GradientTask::Kind::kEmbedding:
      return EmbeddingGradient<V>(task, at, batch, gradient);
  }
}

}  // namespace crossthink::reference

#endif  // CROSSTHINK_REFERENCE_PARAMETER_GRADIENTS_H_
