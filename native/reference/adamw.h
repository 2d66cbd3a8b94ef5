#ifndef CROSSTHINK_REFERENCE_ADAMW_H_
#define CROSSTHINK_REFERENCE_ADAMW_H_

#include <cstddef>

namespace crossthink::reference {

struct AdamW {
  float learning_rate, beta1, beta2, epsilon, weight_decay;
  float gradient_scale;            // From clipping; 1 where nothing is clipped.
  float correction1, correction2;  // 1 / (1 - beta^step)
};

// One step of AdamW (arXiv 1711.05101) on n values, n a multiple of the lane count; the gradient is set to 0.
template <class V>
void AdamWStep(size_t n, const AdamW& o, float* p, float* gradient, float* first, float* second) {
  for (size_t i = 0; i < n; i += V::kLanes) {
    const auto g = V::Mul(V::Load(gradient + i), V::Set(o.gradient_scale));
    const auto m = V::Fma(V::Set(o.beta1), V::Load(first + i), V::Mul(V::Set(1.0f - o.beta1), g));
    const auto v = V::Fma(V::Set(o.beta2), V::Load(second + i), V::Mul(V::Mul(V::Set(1.0f - o.beta2), g), g));
    const auto deviation = V::Add(V::Sqrt(V::Mul(v, V::Set(o.correction2))), V::Set(o.epsilon));
    const auto weight = V::Load(p + i);
    const auto direction = V::Div(V::Mul(m, V::Set(o.correction1)), deviation);
    const auto change = V::Fma(V::Set(o.weight_decay), weight, direction);
    V::Store(first + i, m);
    V::Store(second + i, v);
    V::Store(p + i, V::Fma(V::Set(-o.learning_rate), change, weight));
    V::Store(gradient + i, V::Set(0.0f));
  }
}

}  // namespace crossthink::reference

#endif  // CROSSTHINK_REFERENCE_ADAMW_H_
