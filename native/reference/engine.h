#ifndef CROSSTHINK_REFERENCE_ENGINE_H_
#define CROSSTHINK_REFERENCE_ENGINE_H_

// The arithmetic of the reference policy, compiled once per instruction set. All give the same bits.
#include "reference/adamw.h"
#include "reference/backward.h"
#include "reference/decode.h"
#include "reference/forward.h"
#include "reference/layout.h"
#include "reference/parameter_gradients.h"
#include "runtime/cpu.h"

namespace crossthink::reference {

struct Engine {
  void (*forward)(const PolicyConfig&, const ParameterLayout&, const float* p, const PackedBatch&, const Activations&,
                  int first, int last, int row_first, int row_last, float* scratch, float* logits);
  void (*backward_activations)(const PolicyConfig&, const ParameterLayout&, const float* p, const float* transposed,
                               const PackedBatch&, const Activations&, const ActivationGradients&, int first, int last,
                               int row_first, int row_last, const BackwardScratch&, const float* d_logits);
  void (*run_gradient_task)(const GradientTask&, const ParameterLayout&, const PackedBatch&, float* gradient);
  void (*decode)(const PolicyConfig&, const ParameterLayout&, const float* p, const DecodeStep&, const KeyValueCache&,
                 int first, int last, const DecodeScratch&, float* logits);
  void (*adamw_step)(size_t n, const AdamW&, float* p, float* gradient, float* first, float* second);
};

template <class V>
constexpr Engine MakeEngine() {
  return {&Forward<V>, &BackwardActivations<V>, &RunGradientTask<V>, &Decode<V>, &AdamWStep<V>};
}

extern const Engine kScalarEngine;
#if defined(__x86_64__)
extern const Engine kAvx2Engine;
extern const Engine kAvx512Engine;
#elif defined(__aarch64__)
extern const Engine kNeonEngine;
#endif

const Engine& EngineFor(Isa isa);

}  // namespace crossthink::reference

#endif  // CROSSTHINK_REFERENCE_ENGINE_H_
