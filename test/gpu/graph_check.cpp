#include "kernels/advantage/advantage_cuda.h"
#include "kernels/grpo/grpo_step_cuda.h"
#include "kernels/logprob/logprob_cuda.h"
#include "kernels/policy_loss/policy_loss_cuda.h"
#include "kernels/sampling/sampling_cuda.h"
#include "runner.h"
#include "sampling_scratch.h"

// Every operation is captured in a CUDA graph and replayed: nothing in it may allocate or wait, and the replay must
// read what the inputs hold then.
namespace crossthink::gpu {
namespace {

constexpr size_t kRows = 3;
constexpr size_t kVocab = 5000;

std::vector<float> Numbers(size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 3);
  std::vector<float> x(n);
  for (float& v : x) v = normal(random);
  return x;
}

// Runs launch(stream) directly and through a graph; the results must be the same.
template <class Launch>
void CheckGraph(const char* name, const DeviceArray<float>& result, cudaStream_t stream, Launch launch, Tally* tally) {
  ++tally->cases;
  Check(launch(stream), name);
  Check(cudaStreamSynchronize(stream), name);
  const std::vector<float> expected = result.ToHost();
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
  Check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), name);
  Check(launch(stream), name);
  Check(cudaStreamEndCapture(stream, &graph), name);
  Check(cudaGraphInstantiate(&executable, graph, 0), name);
  Check(cudaMemsetAsync(result.get(), 0, expected.size() * sizeof(float), stream), name);
  Check(cudaGraphLaunch(executable, stream), name);
  Check(cudaStreamSynchronize(stream), name);
  tally->Same(std::string(name) + " replayed from a graph", expected, result.ToHost());
  cudaGraphExecDestroy(executable);
  cudaGraphDestroy(graph);
}

}  // namespace

void CheckGraphs(Tally* tally) {
  cudaStream_t stream = nullptr;
  Check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "stream");
  {
    const DeviceArray<float> x(Numbers(kRows * kVocab, 1)), d_logprob(Numbers(kRows, 2));
    const DeviceArray<float> logprob(kRows), gradient(kRows * kVocab), advantages(kRows);
    const DeviceArray<int32_t> tokens(std::vector<int32_t>(kRows, 17)), sampled(kRows);
    const DeviceArray<uint64_t> sequences(std::vector<uint64_t>(kRows, 5));
    const DeviceArray<double> state(kRows * kStateSize);
    const DeviceArray<uint8_t> status(kRows);

    LogprobForward forward;
    forward.logits = {x.get(), DType::kFloat32, kRows, kVocab, kVocab};
    forward.tokens = tokens.get();
    forward.temperature = {nullptr, 1};
    forward.logprob = logprob.get();
    forward.state = state.get();
    forward.status = status.get();
    const DeviceArray<char> forward_memory(cuda::LogprobForwardWorkspace(forward));
    const auto run_forward = [&](cudaStream_t s) { return cuda::RunLogprobForward(forward, forward_memory.get(), s); };
    CheckGraph("log-prob", logprob, stream, run_forward, tally);

    LogprobBackward backward;
    backward.logits = forward.logits;
    backward.tokens = tokens.get();
    backward.temperature = forward.temperature;
    backward.state = state.get();
    backward.d_logprob = d_logprob.get();
    backward.d_logits = gradient.get();
    backward.d_stride = kVocab;
    const DeviceArray<char> backward_memory(cuda::LogprobBackwardWorkspace(backward));
    const auto run_backward = [&](cudaStream_t s) {
      return cuda::RunLogprobBackward(backward, backward_memory.get(), s);
    };
    CheckGraph("log-prob gradient", gradient, stream, run_backward, tally);

    Sampling sampling;
    sampling.logits = forward.logits;
    sampling.temperature = {nullptr, 0.9F};
    sampling.top_k = {nullptr, 40};
    sampling.top_p = {nullptr, 0.95F};
    sampling.steps = kPlainSteps;
    sampling.step_count = sizeof(kPlainSteps);
    sampling.sequences = sequences.get();
    sampling.positions = tokens.get();
    sampling.tokens = sampled.get();
    sampling.logprob = logprob.get();
    sampling.status = status.get();
    const DeviceArray<char> sampling_memory(cuda::SamplingWorkspace(sampling));
    const auto run_sampling = [&](cudaStream_t s) { return cuda::RunSampling(sampling, sampling_memory.get(), s); };
    CheckGraph("sampling", logprob, stream, run_sampling, tally);

    Sampling wide = sampling;
    wide.min_p = {nullptr, 0.05F};
    const DeviceArray<char> wide_memory(cuda::SamplingWorkspace(wide));
    const auto run_wide = [&](cudaStream_t s) { return cuda::RunSampling(wide, wide_memory.get(), s); };
    CheckGraph("wide sampling", logprob, stream, run_wide, tally);

    SpeculativeChain chain;
    const DeviceArray<int32_t> accepted(1);
    const DeviceArray<uint8_t> chain_status(1);
    chain.target = wide;
    chain.sequences = 1;
    chain.drafts = kRows - 1;
    chain.draft_tokens = tokens.get();
    chain.accepted = accepted.get();
    chain.status = chain_status.get();
    const DeviceArray<char> chain_memory(cuda::SpeculativeWorkspace(chain));
    const auto run_chain = [&](cudaStream_t s) { return cuda::RunSpeculative(chain, chain_memory.get(), s); };
    CheckGraph("speculative sampling", logprob, stream, run_chain, tally);

    LogprobMerge merge;
    merge.states = state.get();
    merge.shards = 1;
    merge.rows = kRows;
    merge.logprob = logprob.get();
    merge.status = status.get();
    const auto run_merge = [&](cudaStream_t s) { return cuda::RunLogprobMerge(merge, nullptr, s); };
    CheckGraph("merge of shards", logprob, stream, run_merge, tally);

    GroupAdvantages group;
    group.rewards = d_logprob.get();
    group.count = kRows;
    group.groups = 1;
    group.group_size = kRows;
    group.advantages = advantages.get();
    group.zero_variance = status.get();
    const auto run_group = [&](cudaStream_t s) { return cuda::RunGroupAdvantages(group, nullptr, s); };
    CheckGraph("advantages", advantages, stream, run_group, tally);

    PolicyLoss loss;
    const DeviceArray<int32_t> offsets(std::vector<int32_t>{0, static_cast<int32_t>(kVocab)});
    const DeviceArray<double> result(1 + kLossSums);
    const DeviceArray<float> d_tokens(kVocab);
    loss.tokens = kVocab;
    loss.sequences = 1;
    loss.offsets = offsets.get();
    loss.logprobs = x.get();
    loss.old_logprobs = x.get() + kVocab;
    loss.advantages = d_logprob.get();
    loss.loss = Loss::kReinforce;
    loss.d_logprobs = d_tokens.get();
    loss.result = reinterpret_cast<PolicyLossResult*>(result.get());
    const DeviceArray<char> loss_memory(cuda::PolicyLossWorkspace(loss));
    const auto run_loss = [&](cudaStream_t s) { return cuda::RunPolicyLoss(loss, loss_memory.get(), s); };
    CheckGraph("policy loss", d_tokens, stream, run_loss, tally);

    GrpoStep step;
    const DeviceArray<int32_t> all(std::vector<int32_t>{0, static_cast<int32_t>(kRows)});
    step.forward = forward;
    step.loss = loss;
    step.loss.offsets = all.get();
    step.loss.old_logprobs = d_logprob.get();
    step.backward.d_logits = gradient.get();
    step.backward.d_stride = kVocab;
    LinkParts(&step);
    const DeviceArray<char> step_memory(cuda::GrpoStepWorkspace(step));
    const auto run_step = [&](cudaStream_t s) { return cuda::RunGrpoStep(step, step_memory.get(), s); };
    CheckGraph("GRPO step", gradient, stream, run_step, tally);
  }
  Check(cudaStreamDestroy(stream), "stream");
}

}  // namespace crossthink::gpu
