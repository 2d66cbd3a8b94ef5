#ifndef CROSSTHINK_KERNELS_ISA_KERNELS_INC_H_
#define CROSSTHINK_KERNELS_ISA_KERNELS_INC_H_

// The kernels of one instruction set: included by exactly one .cpp per set, each compiled with its own flags.
#include "kernels/advantage/advantage_cpu.h"
#include "kernels/elements.h"
#include "kernels/kernel_table.h"
#include "kernels/logprob/logprob_cpu.h"
#include "kernels/policy_loss/policy_loss_cpu.h"
#include "kernels/policy_loss/rollout_correction_cpu.h"
#include "kernels/sampling/sampling_cpu.h"

namespace crossthink {
namespace {

template <class V>
constexpr KernelTable MakeKernels(Isa isa) {
  using F32 = Float32Elements<V>;
  using B16 = Bfloat16Elements<V>;
  using F16 = Float16Elements<V>;
  constexpr auto kNo = Weighted::kNo;
  constexpr auto kYes = Weighted::kYes;
  return {
      isa,
      {{LogprobRows<V, F32, kNo>, LogprobRows<V, F32, kYes>},
       {LogprobRows<V, B16, kNo>, LogprobRows<V, B16, kYes>},
       {LogprobRows<V, F16, kNo>, LogprobRows<V, F16, kYes>}},
      {{{LogprobGradientRows<V, F32, F32, false, false>, LogprobGradientRows<V, F32, F32, true, false>},
        {LogprobGradientRows<V, F32, F32, false, false>, LogprobGradientRows<V, F32, F32, true, false>}},
       {{LogprobGradientRows<V, B16, F32, false, false>, LogprobGradientRows<V, B16, F32, true, false>},
        {LogprobGradientRows<V, B16, B16, false, false>, LogprobGradientRows<V, B16, B16, true, false>}},
       {{LogprobGradientRows<V, F16, F32, false, false>, LogprobGradientRows<V, F16, F32, true, false>},
        {LogprobGradientRows<V, F16, F16, false, false>, LogprobGradientRows<V, F16, F16, true, false>}}},
      {{LogprobGradientRows<V, F32, F32, false, true>, LogprobGradientRows<V, F32, F32, true, true>},
       {LogprobGradientRows<V, B16, F32, false, true>, LogprobGradientRows<V, B16, F32, true, true>},
       {LogprobGradientRows<V, F16, F32, false, true>, LogprobGradientRows<V, F16, F32, true, true>}},
      {SampleRows<V, F32>, SampleRows<V, B16>, SampleRows<V, F16>},
      MakeAdvantageKernel<V>(),
      MakePolicyLossKernel<V>(),
      MakeCorrectionKernel<V>(),
  };
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_ISA_KERNELS_INC_H_
