#include "simd/isa.h"

#include "kernels/kernel_table.h"
#include "kernels/policy_loss/plain_loss_cpu.h"
#include "kernels/policy_loss/rollout_correction_cpu.h"

namespace crossthink {

template <>
const PolicyLossKernel IsaKernels<kUnitIsa>::kPolicyLoss = MakePolicyLossKernel<UnitVector>();

template <>
const CorrectionKernel IsaKernels<kUnitIsa>::kCorrection = MakeCorrectionKernel<UnitVector>();

}  // namespace crossthink
