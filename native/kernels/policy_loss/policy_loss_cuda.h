#ifndef CROSSTHINK_KERNELS_POLICY_LOSS_POLICY_LOSS_CUDA_H_
#define CROSSTHINK_KERNELS_POLICY_LOSS_POLICY_LOSS_CUDA_H_

#include <cuda_runtime.h>

#include <cstddef>

#include "kernels/policy_loss/policy_loss.h"
#include "kernels/policy_loss/rollout_correction.h"
#include "kernels/policy_loss/selection.h"

// Policy losses, rollout corrections and selections on the GPU; see logprob_cuda.h for what holds of pointers,
// workspace and graphs. `tokens` and, where there is one, `result` must be set.
namespace crossthink::cuda {

size_t PolicyLossWorkspace(const PolicyLoss& op);
cudaError_t RunPolicyLoss(const PolicyLoss& op, void* workspace, cudaStream_t stream);

size_t RolloutCorrectionWorkspace(const RolloutCorrection& op);
cudaError_t RunRolloutCorrection(const RolloutCorrection& op, void* workspace, cudaStream_t stream);

size_t CovarianceSelectionWorkspace(const CovarianceSelection& op);
cudaError_t RunCovarianceSelection(const CovarianceSelection& op, void* workspace, cudaStream_t stream);

size_t EntropySelectionWorkspace(const EntropySelection& op);
cudaError_t RunEntropySelection(const EntropySelection& op, void* workspace, cudaStream_t stream);

size_t SecondMomentMaskWorkspace(const SecondMomentMask& op);
cudaError_t RunSecondMomentMask(const SecondMomentMask& op, void* workspace, cudaStream_t stream);

}  // namespace crossthink::cuda

#endif  // CROSSTHINK_KERNELS_POLICY_LOSS_POLICY_LOSS_CUDA_H_
