#include "kernels/grpo/grpo_step.h"

#include "addon/addon.h"
#include "addon/arguments.h"
#include "addon/async.h"
#include "addon/logprob_input.h"
#include "addon/loss_parameters.h"
#include "addon/offsets.h"

namespace crossthink::addon {
namespace {

// In the order of GrpoStepArguments in binding.d.cts. `results`: the loss and the LossSum entries.
GrpoStep ReadStep(const Napi::CallbackInfo& info, Arguments* in, unsigned* threads, double** results) {
  GrpoStep op;
  LogprobForward& forward = op.forward;
  ReadLogprobInput(in, &forward);
  const size_t rows = forward.logits.rows;
  *threads = static_cast<unsigned>(in->Size());
  forward.status = in->Array<uint8_t>(rows, "status");
  forward.logprob = in->Array<float>(rows, "logprob");
  forward.state = in->Array<double>(rows * kStateSize, "state");
  forward.entropy_out = in->Array<float>(rows, "entropy");

  PolicyLoss& loss = op.loss;
  loss.sequences = in->Size();
  loss.token_advantages = in->Flag();
  loss.prompt_count = in->Size();
  ReadLossParameters(in->Array<double>(kLossParameters, "parameters"), &loss);
  loss.offsets = in->Array<int32_t>(loss.sequences + 1, "cuSeqlens");
  loss.old_logprobs = in->Array<float>(rows, "oldLogprobs");
  loss.advantages = in->Array<float>(loss.token_advantages ? rows : loss.sequences, "advantages");
  loss.rollout_logprobs = in->Array<float>(rows, "rolloutLogprobs");
  loss.ref_logprobs = in->Array<float>(rows, "refLogprobs");
  loss.weights = in->Array<float>(rows, "weights");
  loss.mask = in->Array<uint8_t>(rows, "mask");
  loss.selected = in->Array<uint8_t>(rows, "selected");
  loss.prompts = in->Array<int32_t>(loss.prompt_count + 1, "promptOffsets");
  loss.d_logprobs = in->Array<float>(rows, "dLogprobs");
  loss.d_entropies = in->Array<float>(rows, "dEntropies");

  LinkParts(&op);
  LogprobBackward& backward = op.backward;
  backward.d_type = static_cast<DType>(in->Size());
  backward.d_stride = in->Size();
  const size_t length = MatrixLength(rows, backward.d_stride, forward.logits.vocab);
  backward.d_logits = in->Elements(DTypeSize(backward.d_type), length, "dLogits");
  backward.stream = in->Flag();
  *results = in->Array<double>(1 + kLossSums, "results");

  const bool prompts_bad = loss.prompts != nullptr && BadOffset(loss.prompts, loss.prompt_count, loss.sequences) >= 0;
  if (static_cast<size_t>(loss.loss) >= kLosses || prompts_bad || BadOffset(loss.offsets, loss.sequences, rows) >= 0) {
    throw Napi::RangeError::New(info.Env(), "grpoStep: offsets or parameters out of range");
  }
  return op;
}

bool RunStep(const GrpoStep& op, unsigned threads, const std::atomic<int32_t>* cancel, double* results) {
  PolicyLossResult result = {};
  if (!RunGrpoStep(op, threads, cancel, &result)) return false;
  results[0] = result.loss;
  for (size_t k = 0; k < kLossSums; ++k) results[1 + k] = result.sums[k];
  return true;
}

Napi::Value Step(const Napi::CallbackInfo& info) {
  Arguments in(info);
  unsigned threads = 0;
  double* results = nullptr;
  const GrpoStep op = ReadStep(info, &in, &threads, &results);
  RunStep(op, threads, nullptr, results);
  return info.Env().Undefined();
}

// The same as a promise of whether it ran to its end. The last argument is a cancel flag or undefined.
Napi::Value StepAsync(const Napi::CallbackInfo& info) {
  Arguments in(info);
  unsigned threads = 0;
  double* results = nullptr;
  const GrpoStep op = ReadStep(info, &in, &threads, &results);
  const auto work = [op, threads, results](const std::atomic<int32_t>& cancel) {
    return RunStep(op, threads, &cancel, results);
  };
  return StartAsync(info.Env(), work, in.Rest(), in.arrays());
}

}  // namespace

void RegisterGrpoStep(Napi::Env env, Napi::Object exports) {
  Export<Step>(env, exports, "grpoStep");
  Export<StepAsync>(env, exports, "grpoStepAsync");
}

}  // namespace crossthink::addon
