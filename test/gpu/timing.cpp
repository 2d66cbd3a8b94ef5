#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/grpo/grpo_step_cuda.h"
#include "kernels/logprob/logprob_cuda.h"
#include "kernels/sampling/sampling_cuda.h"
#include "report.h"
#include "runner.h"
#include "sampling_scratch.h"

// Median times by events over repeated launches on buffers larger than the caches, against the measured copy bandwidth.
namespace crossthink::gpu {
namespace {

// Bytes read plus bytes written, per second, of the largest copy that fits comfortably.
double CopyBandwidth(const Stopwatch& watch, size_t bytes) {
  const DeviceArray<char> from(bytes), to(bytes);
  Check(cudaMemsetAsync(from.get(), 1, bytes, nullptr), "cudaMemset");
  const double milliseconds =
      watch.Median(9, [&] { return cudaMemcpyAsync(to.get(), from.get(), bytes, cudaMemcpyDeviceToDevice, nullptr); });
  return 2.0 * static_cast<double>(bytes) / milliseconds / 1e6;
}

template <class E>
void TimeShape(const Stopwatch& watch, const Shape& shape, DType type, const char* type_name, Report* report) {
  using T = typename E::T;
  std::mt19937 random(1);
  const Shape sample = {std::min<size_t>(shape.rows, 16), shape.vocab, shape.stride};
  const std::vector<T> some = RandomLogits<E>(sample, Kind::kNormal, &random);
  std::vector<T> x(shape.rows * shape.stride);
  for (size_t i = 0; i < x.size(); ++i) x[i] = some[i % some.size()];
  const size_t rows = shape.rows;
  const DeviceArray<T> logits(x), gradient(x.size());
  const DeviceArray<int32_t> tokens(std::vector<int32_t>(rows, 1)), positions(std::vector<int32_t>(rows, 1));
  const DeviceArray<uint64_t> sequences(std::vector<uint64_t>(rows, 1));
  const DeviceArray<float> logprob(rows), entropy(rows), ones(std::vector<float>(rows, 1.0F));
  const DeviceArray<double> state(rows * kStateSize);
  const DeviceArray<uint8_t> status(rows);
  const auto bytes = static_cast<double>(x.size() * sizeof(T));
  const int repeats = 9;

  LogprobForward forward;
  forward.logits = {logits.get(), type, rows, shape.vocab, shape.stride};
  forward.tokens = tokens.get();
  forward.temperature = {nullptr, 1};
  forward.entropy = true;
  forward.logprob = logprob.get();
  forward.entropy_out = entropy.get();
  forward.state = state.get();
  forward.status = status.get();
  const DeviceArray<char> partials(cuda::LogprobForwardWorkspace(forward));
  report->Add("logprob and entropy", shape, type_name,
              watch.Median(repeats, [&] { return cuda::RunLogprobForward(forward, partials.get(), nullptr); }), bytes);

  LogprobBackward backward;
  backward.logits = forward.logits;
  backward.tokens = tokens.get();
  backward.temperature = {nullptr, 1};
  backward.state = state.get();
  backward.d_logprob = ones.get();
  backward.d_logits = gradient.get();
  backward.d_type = type;
  backward.d_stride = shape.stride;
  const DeviceArray<char> factors(cuda::LogprobBackwardWorkspace(backward));
  report->Add("logprob backward", shape, type_name,
              watch.Median(repeats, [&] { return cuda::RunLogprobBackward(backward, factors.get(), nullptr); }),
              2 * bytes);

  // One sequence a row; the gradient apart, so that every repeat reads the same logits.
  std::vector<int32_t> each(rows + 1);
  std::iota(each.begin(), each.end(), 0);
  const DeviceArray<int32_t> offsets(each);
  const DeviceArray<double> result(1 + kLossSums);
  GrpoStep step;
  step.forward = forward;
  step.forward.entropy_out = nullptr;
  step.loss.sequences = rows;
  step.loss.offsets = offsets.get();
  step.loss.old_logprobs = ones.get();
  step.loss.advantages = ones.get();
  const float infinity = INFINITY;
  step.loss.params = {0.8F, 1.2F, infinity, infinity, infinity, 1, 1, 20, 1, 0, infinity, infinity, 0};
  step.loss.off_policy_limit = static_cast<double>(infinity);
  step.loss.result = reinterpret_cast<PolicyLossResult*>(result.get());
  step.backward.d_logits = gradient.get();
  step.backward.d_type = type;
  step.backward.d_stride = shape.stride;
  LinkParts(&step);
  const DeviceArray<char> step_memory(cuda::GrpoStepWorkspace(step));
  report->Add("GRPO step", shape, type_name,
              watch.Median(repeats, [&] { return cuda::RunGrpoStep(step, step_memory.get(), nullptr); }), 3 * bytes);

  Sampling sampling;
  sampling.logits = forward.logits;
  sampling.temperature = {nullptr, 0.8F};
  sampling.steps = kPlainSteps;
  sampling.step_count = sizeof(kPlainSteps);
  sampling.sequences = sequences.get();
  sampling.positions = positions.get();
  const DeviceArray<int32_t> sampled(rows);
  sampling.tokens = sampled.get();
  sampling.logprob = logprob.get();
  sampling.status = status.get();
  const DeviceArray<char> sweep(cuda::SamplingWorkspace(sampling));
  const struct {
    const char* name;
    int32_t top_k;
    float top_p;
  } settings[] = {{"sampling", 0, 1},
                  {"sampling top-k 50", 50, 1},
                  {"sampling top-p 0.9", 0, 0.9F},
                  {"sampling k 50, p 0.9", 50, 0.9F}};
  for (const auto& setting : settings) {
    sampling.top_k = {nullptr, setting.top_k};
    sampling.top_p = {nullptr, setting.top_p};
    report->Add(setting.name, shape, type_name,
                watch.Median(repeats, [&] { return cuda::RunSampling(sampling, sweep.get(), nullptr); }), bytes);
  }
  // A chain of three drafts a sequence, certain ones; the rows are as many as above.
  SpeculativeChain chain;
  const size_t drafts = std::min<size_t>(rows - 1, 3);
  const DeviceArray<int32_t> draft_tokens(std::vector<int32_t>(rows, 1)), accepted(rows);
  const DeviceArray<uint8_t> chain_status(rows);
  chain.sequences = rows / (drafts + 1);
  chain.drafts = drafts;
  chain.target = sampling;
  chain.target.logits.rows = chain.sequences * (drafts + 1);
  chain.draft_tokens = draft_tokens.get();
  chain.accepted = accepted.get();
  chain.status = chain_status.get();
  const DeviceArray<char> chain_memory(cuda::SpeculativeWorkspace(chain));
  report->Add("speculative k 50, p 0.9", shape, type_name,
              watch.Median(repeats, [&] { return cuda::RunSpeculative(chain, chain_memory.get(), nullptr); }), bytes);

  sampling.min_p = {nullptr, 0.05F};
  const DeviceArray<char> wide(cuda::SamplingWorkspace(sampling));
  report->Add("sampling k 50, p 0.9, min-p", shape, type_name,
              watch.Median(repeats, [&] { return cuda::RunSampling(sampling, wide.get(), nullptr); }), bytes);
}

}  // namespace

std::string Timings(bool large) {
  const Stopwatch watch;
  Report report;
  report.copy_gb_per_s = CopyBandwidth(watch, large ? size_t{1} << 30 : size_t{1} << 20);
  std::printf("copy %.1f GB/s (read + written)\n", report.copy_gb_per_s);
  std::vector<Shape> shapes = {{1, 4096, 4096}, {4, 4096, 4096}};
  if (large) {
    shapes.clear();
    // FlashInfer's vocabulary and batches, and rows enough to fill any memory system.
    for (const size_t rows : {1, 16, 64, 256, 512, 4096}) shapes.push_back({rows, 128512, 128512});
  }
  for (const Shape& shape : shapes) {
    TimeShape<Float32Elements<simd::Scalar>>(watch, shape, DType::kFloat32, "float32", &report);
    TimeShape<Bfloat16Elements<simd::Scalar>>(watch, shape, DType::kBfloat16, "bfloat16", &report);
  }
  TimeLosses(watch, large, &report);
  char head[64];
  std::snprintf(head, sizeof(head), "{\"copy_GB_per_s\": %.1f,\n   \"kernels\": [\n", report.copy_gb_per_s);
  return head + report.json + "\n   ]}";
}

}  // namespace crossthink::gpu
