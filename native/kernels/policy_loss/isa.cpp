#include "simd/isa.h"

#include "kernels/kernel_table.h"
#include "kernels/policy_loss/plain_clip_cpu.h"
#include "kernels/policy_loss/policy_loss_cpu.h"
#include "kernels/policy_loss/rollout_correction_cpu.h"

namespace crossthink {
namespace {

template <class V>
constexpr PolicyLossKernel MakePolicyLossKernel() {
  return {PolicyLossSequences<V>,
          {PolicyLossTokens<V, ClipLoss>, PolicyLossTokens<V, CispoLoss>, PolicyLossTokens<V, ToprLoss>,
           PolicyLossTokens<V, ReinforceLoss>, PolicyLossTokens<V, DppoTvLoss>, PolicyLossTokens<V, DppoKlLoss>,
           PolicyLossTokens<V, VespoLoss>, PolicyLossTokens<V, SapoLoss>, PolicyLossTokens<V, GmpoLoss>,
           PolicyLossTokens<V, KlCovLoss>, PolicyLossTokens<V, SquaredLoss>},
          {PlainLossTokens<V, false>, PlainLossTokens<V, true>}};
}

}  // namespace

template <>
const PolicyLossKernel IsaKernels<kUnitIsa>::kPolicyLoss = MakePolicyLossKernel<UnitVector>();

template <>
const CorrectionKernel IsaKernels<kUnitIsa>::kCorrection = MakeCorrectionKernel<UnitVector>();

}  // namespace crossthink
