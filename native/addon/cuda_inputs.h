#ifndef CROSSTHINK_ADDON_CUDA_INPUTS_H_
#define CROSSTHINK_ADDON_CUDA_INPUTS_H_

#include "addon/cuda_arguments.h"
#include "addon/loss_parameters.h"

// What several operations on device memory begin with, in the order of lib/kernels/device.
namespace crossthink::addon {

// Offsets come with how many rows they cut into how many elements.
inline void ReadOffsets(CudaArguments* in, size_t* elements, size_t* rows, const int32_t** offsets) {
  *elements = in->Size();
  *rows = in->Size();
  *offsets = in->Pointer<const int32_t>();
}

// What log-probs take of the rows but for their logits and kept sets.
inline void ReadLogprobRows(CudaArguments* in, LogprobInput* op) {
  op->tokens = in->Pointer<const int32_t>();
  op->temperature = in->ReadRowFloat();
  op->softcap = static_cast<float>(in->Number());
  const double ignore = in->Number();
  op->has_ignore = ignore == ignore;
  op->ignore_index = op->has_ignore ? static_cast<int32_t>(ignore) : 0;
  op->vocab_offset = static_cast<int32_t>(in->Number());
}

inline void ReadLogprobInput(CudaArguments* in, LogprobInput* op) {
  op->logits = in->ReadLogits();
  ReadLogprobRows(in, op);
  op->kept.tokens = in->Pointer<const int32_t>();
  op->kept.offsets = in->Pointer<const int32_t>();
}

// A policy loss but for what comes from the logits, and its results.
inline void ReadLossInputs(Napi::Env env, CudaArguments* in, PolicyLoss* op) {
  ReadOffsets(in, &op->tokens, &op->sequences, &op->offsets);
  op->token_advantages = in->Flag();
  op->prompt_count = in->Size();
  ReadLossParameters(in->Numbers(kLossParameters), op);
  op->old_logprobs = in->Pointer<const float>();
  op->advantages = in->Pointer<const float>();
  op->rollout_logprobs = in->Pointer<const float>();
  op->ref_logprobs = in->Pointer<const float>();
  op->weights = in->Pointer<const float>();
  op->mask = in->Pointer<const uint8_t>();
  op->selected = in->Pointer<const uint8_t>();
  op->prompts = in->Pointer<const int32_t>();
  op->result = in->Pointer<PolicyLossResult>();
  if (static_cast<size_t>(op->loss) >= kLosses) throw Napi::RangeError::New(env, "policyLoss: no such loss");
}

}  // namespace crossthink::addon

#endif  // CROSSTHINK_ADDON_CUDA_INPUTS_H_
