#ifndef CROSSTHINK_KERNELS_ISA_LOSSES_INC_H_
#define CROSSTHINK_KERNELS_ISA_LOSSES_INC_H_

// The advantage and loss kernels of one instruction set: included by exactly one .cpp per set, compiled with its flags.
#include "kernels/advantage/advantage_cpu.h"
#include "kernels/loss_kernels.h"
#include "kernels/policy_loss/policy_loss_cpu.h"

namespace crossthink {
namespace {

template <class V>
constexpr LossKernels MakeLossKernels(Isa isa) {
  return {isa, MakeAdvantageKernel<V>(), MakePolicyLossKernel<V>()};
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_ISA_LOSSES_INC_H_
