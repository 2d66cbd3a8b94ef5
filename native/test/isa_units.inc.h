#ifndef CROSSTHINK_TEST_ISA_UNITS_INC_H_
#define CROSSTHINK_TEST_ISA_UNITS_INC_H_

#include "spec/exponential.h"
#include "spec/logarithm.h"
#include "test/isa_units.h"

namespace crossthink::test {
namespace {

template <class V, typename V::F (*kFunction)(typename V::F)>
void Map(const float* x, float* y, size_t n) {
  for (size_t i = 0; i < n; i += V::kWidth) V::Store(y + i, kFunction(V::Load(x + i)));
}

template <class V>
void MapToBfloat16(const float* x, unsigned short* y, size_t n) {
  for (size_t i = 0; i < n; i += V::kWidth) V::StoreBfloat16(y + i, V::Load(x + i));
}

template <class V>
void MapToFloat16(const float* x, unsigned short* y, size_t n) {
  for (size_t i = 0; i < n; i += V::kWidth) V::StoreFloat16(y + i, V::Load(x + i));
}

template <class V>
constexpr IsaUnit MakeUnit(const char* isa) {
  return {isa,
          {{"exp2", Map<V, spec::Exp2<V>>},
           {"exp", Map<V, spec::Exp<V>>},
           {"expm1", Map<V, spec::Expm1<V>>},
           {"expm1MinusX", Map<V, spec::Expm1MinusX<V>>},
           {"tanh", Map<V, spec::Tanh<V>>},
           {"sigmoid", Map<V, spec::Sigmoid<V>>},
           {"log", Map<V, spec::Log<V>>},
           {"log2", Map<V, spec::Log2<V>>},
           {"log1p", Map<V, spec::Log1p<V>>}},
          MapToBfloat16<V>,
          MapToFloat16<V>};
}

}  // namespace
}  // namespace crossthink::test

#endif  // CROSSTHINK_TEST_ISA_UNITS_INC_H_
