#ifndef CROSSTHINK_KERNELS_POLICY_LOSS_SELECTION_CUDA_H_
#define CROSSTHINK_KERNELS_POLICY_LOSS_SELECTION_CUDA_H_

#include <cuda_runtime.h>

#include <cstddef>

#include "kernels/policy_loss/selection.h"

// The operations of selection.h on the GPU; see logprob_cuda.h for what holds of pointers, workspace and graphs.
namespace crossthink::cuda {

size_t CovarianceSelectionWorkspace(const CovarianceSelection& op);
cudaError_t RunCovarianceSelection(const CovarianceSelection& op, void* workspace, cudaStream_t stream);

size_t EntropySelectionWorkspace(const EntropySelection& op);
cudaError_t RunEntropySelection(const EntropySelection& op, void* workspace, cudaStream_t stream);

size_t SecondMomentMaskWorkspace(const SecondMomentMask& op);
cudaError_t RunSecondMomentMask(const SecondMomentMask& op, void* workspace, cudaStream_t stream);

}  // namespace crossthink::cuda

#endif  // CROSSTHINK_KERNELS_POLICY_LOSS_SELECTION_CUDA_H_
