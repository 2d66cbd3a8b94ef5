#ifndef CROSSTHINK_RUNTIME_CUDA_API_H_
#define CROSSTHINK_RUNTIME_CUDA_API_H_

// The ABI between the addon and libcrossthink_cuda.so: plain structs and function pointers, so that the two can be
// built by different compilers. The addon refuses a module of another version; raise it with any change.

#include <cstddef>
#include <cstdint>

#include "kernels/advantage/advantage.h"
#include "kernels/advantage/shaping.h"
#include "kernels/advantage/token_advantages.h"
#include "kernels/grpo/grpo_step.h"
#include "kernels/linear/linear.h"
#include "kernels/logprob/logprob.h"
#include "kernels/policy_loss/policy_loss.h"
#include "kernels/policy_loss/rollout_correction.h"
#include "kernels/policy_loss/selection.h"
#include "kernels/sampling/sampling.h"
#include "kernels/sampling/speculative.h"

namespace crossthink::cuda {

constexpr uint32_t kAbiVersion = 7;
// CUDA 13 runtimes need a driver of the R580 family, which reports 13.0.
constexpr const char* kMinimumDriver = "580 (CUDA 13.0)";

// An operation on a linear head, and what its chunk of logits may take of the workspace, at least one row.
template <class Op>
struct CrossthinkBounded {
  Op op;
  uint64_t bytes;
};

extern "C" {

// Every function returns 0, or the CUDA error's number with its name and text in `message`.
struct CrossthinkCudaStatus {
  char message[1024];
};

struct CrossthinkCudaDevice {
  char name[256];
  int32_t major;  // Compute capability.
  int32_t minor;
  int32_t multiprocessors;
  uint64_t memory_bytes;
};

constexpr size_t kCrossthinkCudaIpcBytes = 64;

enum CrossthinkCudaCopy : int32_t {
  kCrossthinkCopyToDevice = 1,
  kCrossthinkCopyToHost = 2,
  kCrossthinkCopyOnDevice = 3,
};

// Addresses and streams are pointers as integers: what a trainer in another language hands over.
using CrossthinkAddress = uint64_t;

// Where an operation runs.
struct CrossthinkCudaCall {
  int32_t device;
  CrossthinkAddress stream;
  CrossthinkAddress workspace;
};

struct CrossthinkCudaApi {
  uint32_t abi_version;
  uint32_t struct_bytes;
  int32_t runtime_version;  // CUDA runtime the module was built with, e.g. 13000.
  int32_t interpreted;      // 1: the host interpreter of the test tree, no GPU.

  // Devices. *count is 0, with status 0, where a driver runs without any.
  int32_t (*device_count)(int32_t* count, CrossthinkCudaStatus* status);
  int32_t (*device_info)(int32_t device, CrossthinkCudaDevice* info, CrossthinkCudaStatus* status);

  // Memory. Contents of a new allocation are undefined.
  int32_t (*allocate)(int32_t device, uint64_t bytes, CrossthinkAddress* address, CrossthinkCudaStatus* status);
  int32_t (*release)(int32_t device, CrossthinkAddress address, CrossthinkCudaStatus* status);
  // Ordered after the stream's earlier work. Host memory is pageable: when the call returns, the host side has been
  // read (to the device) or written (to the host).
  int32_t (*copy)(int32_t device, CrossthinkAddress to, CrossthinkAddress from, uint64_t bytes, int32_t direction,
                  CrossthinkAddress stream, CrossthinkCudaStatus* status);
  int32_t (*fill)(int32_t device, CrossthinkAddress address, int32_t byte, uint64_t bytes, CrossthinkAddress stream,
                  CrossthinkCudaStatus* status);
  // Which device owns an address; an error where none does.
  int32_t (*pointer_device)(CrossthinkAddress address, int32_t* device, CrossthinkCudaStatus* status);
  // Handles carry an allocation to another process on the same machine; only what `allocate` returned has one.
  int32_t (*ipc_export)(int32_t device, CrossthinkAddress address, uint8_t* handle, CrossthinkCudaStatus* status);
  int32_t (*ipc_open)(int32_t device, const uint8_t* handle, CrossthinkAddress* address, CrossthinkCudaStatus* status);
  int32_t (*ipc_close)(int32_t device, CrossthinkAddress address, CrossthinkCudaStatus* status);

  // Streams. 0 is the default stream.
  int32_t (*stream_create)(int32_t device, CrossthinkAddress* stream, CrossthinkCudaStatus* status);
  int32_t (*stream_destroy)(int32_t device, CrossthinkAddress stream, CrossthinkCudaStatus* status);
  int32_t (*stream_synchronize)(int32_t device, CrossthinkAddress stream, CrossthinkCudaStatus* status);

  // Operations: the structs of the CPU kernels with every pointer in device memory. Each is ordered after the stream's
  // earlier work, allocates nothing and does not wait, so it can be captured in a CUDA graph. Each needs a workspace of
  // the size that the function in front of it gives, 256-byte aligned, undisturbed until the stream has passed.
  uint64_t (*logprob_forward_workspace)(const LogprobForward* op);
  int32_t (*logprob_forward)(const LogprobForward* op, const CrossthinkCudaCall* call, CrossthinkCudaStatus* status);
  uint64_t (*logprob_backward_workspace)(const LogprobBackward* op);
  int32_t (*logprob_backward)(const LogprobBackward* op, const CrossthinkCudaCall* call, CrossthinkCudaStatus* status);
  uint64_t (*sampling_workspace)(const Sampling* op);
  int32_t (*sampling)(const Sampling* op, const CrossthinkCudaCall* call, CrossthinkCudaStatus* status);
  uint64_t (*speculative_workspace)(const SpeculativeChain* op);
  int32_t (*speculative)(const SpeculativeChain* op, const CrossthinkCudaCall* call, CrossthinkCudaStatus* status);
  uint64_t (*group_advantages_workspace)(const GroupAdvantages* op);
  int32_t (*group_advantages)(const GroupAdvantages* op, const CrossthinkCudaCall* call, CrossthinkCudaStatus* status);
  uint64_t (*policy_loss_workspace)(const PolicyLoss* op);
  int32_t (*policy_loss)(const PolicyLoss* op, const CrossthinkCudaCall* call, CrossthinkCudaStatus* status);
  uint64_t (*gae_workspace)(const Gae* op);
  int32_t (*gae)(const Gae* op, const CrossthinkCudaCall* call, CrossthinkCudaStatus* status);
  uint64_t (*whiten_workspace)(const Whiten* op);
  int32_t (*whiten)(const Whiten* op, const CrossthinkCudaCall* call, CrossthinkCudaStatus* status);
  uint64_t (*optimal_token_baseline_workspace)(const OptimalTokenBaseline* op);
  int32_t (*optimal_token_baseline)(const OptimalTokenBaseline* op, const CrossthinkCudaCall* call,
                                    CrossthinkCudaStatus* status);
  uint64_t (*rollout_correction_workspace)(const RolloutCorrection* op);
  int32_t (*rollout_correction)(const RolloutCorrection* op, const CrossthinkCudaCall* call,
                                CrossthinkCudaStatus* status);
  uint64_t (*covariance_selection_workspace)(const CovarianceSelection* op);
  int32_t (*covariance_selection)(const CovarianceSelection* op, const CrossthinkCudaCall* call,
                                  CrossthinkCudaStatus* status);
  uint64_t (*entropy_selection_workspace)(const EntropySelection* op);
  int32_t (*entropy_selection)(const EntropySelection* op, const CrossthinkCudaCall* call,
                               CrossthinkCudaStatus* status);
  uint64_t (*second_moment_mask_workspace)(const SecondMomentMask* op);
  int32_t (*second_moment_mask)(const SecondMomentMask* op, const CrossthinkCudaCall* call,
                                CrossthinkCudaStatus* status);
  uint64_t (*grpo_step_workspace)(const GrpoStep* op);
  int32_t (*grpo_step)(const GrpoStep* op, const CrossthinkCudaCall* call, CrossthinkCudaStatus* status);
  // Linear heads multiply by cuBLAS: 0 where it can be opened, else a message that names what was looked for.
  int32_t (*blas_available)(CrossthinkCudaStatus* status);
  uint64_t (*linear_logits_workspace)(const CrossthinkBounded<LinearLogits>* op);
  int32_t (*linear_logits)(const CrossthinkBounded<LinearLogits>* op, const CrossthinkCudaCall* call,
                           CrossthinkCudaStatus* status);
  uint64_t (*linear_forward_workspace)(const CrossthinkBounded<LinearForward>* op);
  int32_t (*linear_forward)(const CrossthinkBounded<LinearForward>* op, const CrossthinkCudaCall* call,
                            CrossthinkCudaStatus* status);
  uint64_t (*linear_backward_workspace)(const CrossthinkBounded<LinearBackward>* op);
  int32_t (*linear_backward)(const CrossthinkBounded<LinearBackward>* op, const CrossthinkCudaCall* call,
                             CrossthinkCudaStatus* status);
  // These need none.
  int32_t (*logprob_merge)(const LogprobMerge* op, const CrossthinkCudaCall* call, CrossthinkCudaStatus* status);
  int32_t (*greedy_baseline)(const GreedyBaseline* op, const CrossthinkCudaCall* call, CrossthinkCudaStatus* status);
  int32_t (*weighted_sum)(const WeightedSum* op, const CrossthinkCudaCall* call, CrossthinkCudaStatus* status);
  int32_t (*group_signal)(const GroupSignal* op, const CrossthinkCudaCall* call, CrossthinkCudaStatus* status);
  int32_t (*sequence_mask)(const SequenceMask* op, const CrossthinkCudaCall* call, CrossthinkCudaStatus* status);
  int32_t (*rewards_at_end)(const RewardsAtEnd* op, const CrossthinkCudaCall* call, CrossthinkCudaStatus* status);
  int32_t (*overlong_penalty)(const OverlongPenalty* op, const CrossthinkCudaCall* call, CrossthinkCudaStatus* status);
};

// The module's only exported symbol.
__attribute__((visibility("default"))) const CrossthinkCudaApi* crossthink_cuda_api();

}  // extern "C"
}  // namespace crossthink::cuda

#endif  // CROSSTHINK_RUNTIME_CUDA_API_H_
