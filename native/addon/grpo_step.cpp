#include "kernels/grpo/grpo_step.h"

#include "addon/addon.h"
#include "addon/calls.h"
#include "addon/logprob_input.h"
#include "addon/loss_parameters.h"

namespace crossthink::addon {
namespace {

// In the order of GrpoStepArguments in binding.d.cts. `results`: the loss and the LossSum entries.
auto ReadStep(Arguments* in) {
  GrpoStep op;
  LogprobForward& forward = op.forward;
  ReadLogprobInput(in, &forward);
  const size_t rows = forward.logits.rows;
  const unsigned threads = in->Threads();

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

  forward.status = in->Array<uint8_t>(rows, "status");
  forward.logprob = in->Array<float>(rows, "logprob");
  forward.entropy_out = in->Array<float>(rows, "entropy");
  LogprobBackward& backward = op.backward;
  backward.d_type = static_cast<DType>(in->Size());
  backward.d_stride = in->Size();
  const size_t length = MatrixLength(rows, backward.d_stride, forward.logits.vocab);
  backward.d_logits = in->Elements(DTypeSize(backward.d_type), length, "dLogits");
  backward.stream = in->Flag();
  double* results = in->Array<double>(1 + kLossSums, "results");
  CheckLoss(*in, loss);
  if (BadOffset(loss.offsets, loss.sequences, rows) >= 0) in->Fail("cuSeqlens: out of order");
  return [op, threads, results](CancelFlag* cancel) {
    PolicyLossResult result = {};
    if (!RunGrpoStep(op, threads, cancel, &result)) return false;
    WriteResults(result, results);
    return true;
  };
}

}  // namespace

void RegisterGrpoStep(Napi::Env env, Napi::Object exports) {
  Export<RunCall<ReadStep>>(env, exports, "grpoStep");
  Export<StartCall<ReadStep>>(env, exports, "grpoStepAsync");
}

}  // namespace crossthink::addon
