#ifndef CROSSTHINK_KERNELS_LOSS_KERNELS_H_
#define CROSSTHINK_KERNELS_LOSS_KERNELS_H_

#include "kernels/advantage/advantage.h"
#include "kernels/policy_loss/policy_loss.h"
#include "runtime/cpu.h"

namespace crossthink {

// What one instruction set provides for advantages and losses.
struct LossKernels {
  Isa isa;
  AdvantageKernel advantage;
  PolicyLossKernel policy_loss;
};

extern const LossKernels kScalarLossKernels;
#if defined(__x86_64__)
extern const LossKernels kAvx2LossKernels;
extern const LossKernels kAvx512LossKernels;
#endif

// Those of the instruction set in use.
const LossKernels& ActiveLossKernels();

// Tests only: makes every later call of this process use `isa`, which must be supported.
void UseLossKernels(Isa isa);

}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_LOSS_KERNELS_H_
