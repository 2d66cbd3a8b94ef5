#ifndef CROSSTHINK_REFERENCE_LAYERS_H_
#define CROSSTHINK_REFERENCE_LAYERS_H_

// The layers that are not matrix products. Sums run over 16 lanes, joined by a fixed tree, so that every instruction
// set gives the same bits.
#include "reference/layout.h"

namespace crossthink::reference {

constexpr float kNormEpsilon = 1e-5f;

// y = (x - mean) / sqrt(variance + epsilon) * gain + bias, for `rows` rows of `width`.
template <class V>
void LayerNorm(size_t rows, int width, const float* x, const float* gain, const float* bias, float* y, float* mean,
               float* inverse_deviation) {
  const float count = static_cast<float>(width);
  for (size_t i = 0; i < rows; i++, x += width, y += width) {
    auto sum = V::Set(0.0f);
    for (int j = 0; j < width; j += V::kLanes) sum = V::Add(sum, V::Load(x + j));
    const float m = V::Sum(sum) / count;
    const auto centre = V::Set(m);
    auto squares = V::Set(0.0f);
    for (int j = 0; j < width; j += V::kLanes) {
      const auto d = V::Sub(V::Load(x + j), centre);
      squares = V::Fma(d, d, squares);
    }
    const float r = 1.0f / __builtin_sqrtf(V::Sum(squares) / count + kNormEpsilon);
    const auto scale = V::Set(r);
    for (int j = 0; j < width; j += V::kLanes) {
      const auto normed = V::Mul(V::Sub(V::Load(x + j), centre), scale);
      V::Store(y + j, V::Fma(normed, V::Load(gain + j), V::Load(bias + j)));
    }
    mean[i] = m;
    inverse_deviation[i] = r;
  }
}

// Adds to dx the gradient of LayerNorm's input.
template <class V>
void LayerNormBackward(size_t rows, int width, const float* x, const float* gain, const float* dy, const float* mean,
                       const float* inverse_deviation, float* dx) {
  const float count = static_cast<float>(width);
  for (size_t i = 0; i < rows; i++, x += width, dy += width, dx += width) {
    const auto centre = V::Set(mean[i]);
    const auto scale = V::Set(inverse_deviation[i]);
    auto sum = V::Set(0.0f);
    auto product = V::Set(0.0f);
    for (int j = 0; j < width; j += V::kLanes) {
      const auto d = V::Mul(V::Load(dy + j), V::Load(gain + j));
      sum = V::Add(sum, d);
      product = V::Fma(d, V::Mul(V::Sub(V::Load(x + j), centre), scale), product);
    }
    const auto mean_d = V::Set(V::Sum(sum) / count);
    const auto mean_product = V::Set(V::Sum(product) / count);
    for (int j = 0; j < width; j += V::kLanes) {
      const auto normed = V::Mul(V::Sub(V::Load(x + j), centre), scale);
      const auto d = V::Mul(V::Load(dy + j), V::Load(gain + j));
      const auto change = V::Sub(V::Sub(d, mean_d), V::Mul(normed, mean_product));
      V::Store(dx + j, V::Fma(scale, change, V::Load(dx + j)));
    }
  }
}

// x[rows, width] += bias, and += residual where one is given.
template <class V>
void AddBias(size_t rows, int width, float* x, const float* bias, const float* residual) {
  for (size_t i = 0; i < rows; i++, x += width) {
    for (int j = 0; j < width; j += V::kLanes) {
      auto value = V::Add(V::Load(x + j), V::Load(bias + j));
      if (residual != nullptr) value = V::Add(value, V::Load(residual + i * width + j));
      V::Store(x + j, value);
    }
  }
}

// sigmoid(2u), u = sqrt(2/pi) (x + 0.044715 x^3): GELU in its tanh form (arXiv 1606.08415) is x times this.
template <class V>
typename V::Float GeluGate(typename V::Float x) {
  const auto cube = V::Mul(V::Mul(x, x), x);
  const auto u = V::Fma(V::Set(0.044715f), cube, x);
  return V::Sigmoid(V::Mul(V::Set(1.5957691216f), u));
}

template <class V>
void Gelu(size_t n, const float* x, float* y) {
  for (size_t i = 0; i < n; i += V::kLanes) {
    const auto value = V::Load(x + i);
    V::Store(y + i, V::Mul(value, GeluGate<V>(value)));
  }
}

// dx *= dGelu(x)/dx.
template <class V>
void GeluBackward(size_t n, const float* x, float* dx) {
  for (size_t i = 0; i < n; i += V::kLanes) {
    const auto value = V::Load(x + i);
    const auto gate = GeluGate<V>(value);
    const auto slope = V::Fma(V::Set(3.0f * 0.044715f), V::Mul(value, value), V::Set(1.0f));
    const auto inner = V::Mul(V::Mul(V::Mul(value, gate), V::Sub(V::Set(1.0f), gate)), V::Set(1.5957691216f));
    V::Store(dx + i, V::Mul(V::Load(dx + i), V::Fma(inner, slope, gate)));
  }
}

// scores[0, valid) become exp(scale (s - max)) / sum; the rest of scores[0, padded) becomes 0.
template <class V>
void SoftmaxRow(int valid, int padded, float scale, float* scores) {
  const auto lowest = V::Set(-3.0e38f);
  auto high = lowest;
  for (int j = 0; j < valid; j += V::kLanes) high = V::Max(high, V::KeepFirst(V::Load(scores + j), valid - j, lowest));
  const auto top = V::Set(V::Highest(high));
  const auto factor = V::Set(scale);
  const auto zero = V::Set(0.0f);
  auto sum = zero;
  for (int j = 0; j < valid; j += V::kLanes) {
    const auto e = V::KeepFirst(V::Exp(V::Mul(V::Sub(V::Load(scores + j), top), factor)), valid - j, zero);
    V::Store(scores + j, e);
    sum = V::Add(sum, e);
  }
  const auto inverse = V::Set(1.0f / V::Sum(sum));
  int j = 0;
  for (; j < valid; j += V::kLanes) V::Store(scores + j, V::Mul(V::Load(scores + j), inverse));
  for (; j < padded; j += V::kLanes) V::Store(scores + j, zero);
}

// d, the gradient of the weights w of one row, becomes the gradient of its scores: w (d - sum w d) scale.
template <class V>
void SoftmaxRowBackward(int padded, float scale, const float* weights, float* d) {
  // The weights beyond the valid part are 0, and so is every product with them.
  auto sum = V::Set(0.0f);
  for (int j = 0; j < padded; j += V::kLanes) sum = V::Fma(V::Load(weights + j), V::Load(d + j), sum);
  const auto mean = V::Set(V::Sum(sum));
  const auto factor = V::Set(scale);
  for (int j = 0; j < padded; j += V::kLanes)
    V::Store(d + j, V::Mul(V::Mul(V::Load(weights + j), V::Sub(V::Load(d + j), mean)), factor));
}

// out[columns, padded_rows] = in[rows, columns] transposed, with zeros from `rows` to `padded_rows`.
CT_INLINE void TransposePadded(int rows, int columns, int padded_rows, const float* in, size_t in_row, float* out) {
  for (int j = 0; j < columns; j++, out += padded_rows) {
    for (int i = 0; i < rows; i++) out[i] = in[i * in_row + j];
    for (int i = rows; i < padded_rows; i++) out[i] = 0.0f;
  }
}

}  // namespace crossthink::reference

#endif  // CROSSTHINK_REFERENCE_LAYERS_H_
