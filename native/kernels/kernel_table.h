#ifndef CROSSTHINK_KERNELS_KERNEL_TABLE_H_
#define CROSSTHINK_KERNELS_KERNEL_TABLE_H_

#include <cstddef>

#include "kernels/advantage/advantage.h"
#include "kernels/logprob/logprob.h"
#include "kernels/policy_loss/policy_loss.h"
#include "kernels/policy_loss/rollout_correction.h"
#include "kernels/sampling/sampling.h"
#include "runtime/cpu.h"
#include "spec/tile.h"

namespace crossthink {

constexpr size_t kDTypes = 3;

// What one instruction set provides. Indices: DType first, then the switches named at each entry.
struct KernelTable {
  Isa isa;
  // [type][entropy]
  void (*logprob[kDTypes][2])(const LogprobForward&, size_t begin, size_t end, spec::TilePartial* scratch);
  // [type][gradient has the type of the logits, not float32][entropy]
  void (*logprob_gradient[kDTypes][2][2])(const LogprobBackward&, size_t begin, size_t end);
  // Non-temporal stores of a float32 gradient. [type][entropy]
  void (*logprob_gradient_stream[kDTypes][2])(const LogprobBackward&, size_t begin, size_t end);
  void (*sample[kDTypes])(const Sampling&, size_t begin, size_t end, SamplingScratch*);
  AdvantageKernel advantage;
  PolicyLossKernel policy_loss;
  CorrectionKernel correction;
};

extern const KernelTable kScalarKernels;
#if defined(__x86_64__)
extern const KernelTable kAvx2Kernels;
extern const KernelTable kAvx512Kernels;
extern const KernelTable kAvx512Bf16Kernels;
#endif

// The table of the instruction set in use.
const KernelTable& ActiveKernels();

// Tests only: makes every later call of this process use `isa`, which must be supported.
void UseKernels(Isa isa);

}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_KERNEL_TABLE_H_
