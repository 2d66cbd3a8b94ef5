#include "kernels/advantage/advantage_cuda.h"
#include "kernels/policy_loss/policy_loss_cuda.h"
#include "packed.h"
#include "report.h"

namespace crossthink::gpu {
namespace {

// Sequences of equal length.
Packed EqualPacked(const Shape& shape) {
  std::mt19937 random(1);
  Packed p;
  while (p.tokens() < shape.rows * shape.vocab) p = RandomPacked(shape.rows, 4 * shape.vocab, &random);
  for (size_t s = 0; s <= shape.rows; ++s) p.offsets[s] = static_cast<int32_t>(s * shape.vocab);
  return p;
}

}  // namespace

void TimeLosses(const Stopwatch& watch, bool large, Report* report) {
  const Shape shape = large ? Shape{2048, 512, 512} : Shape{16, 32, 32};
  const Packed p = EqualPacked(shape);
  const DevicePacked d(p);
  const size_t tokens = shape.rows * shape.vocab;
  const auto n = static_cast<double>(tokens);
  const int repeats = 9;
  const DeviceArray<float> out(tokens);
  const DeviceArray<uint8_t> bytes(tokens);
  const DeviceArray<double> result(1 + kLossSums);

  PolicyLoss loss;
  loss.tokens = tokens;
  loss.sequences = shape.rows;
  loss.offsets = d.offsets.get();
  loss.logprobs = d.logprobs.get();
  loss.old_logprobs = d.old.get();
  loss.ref_logprobs = d.reference.get();
  loss.advantages = d.advantages.get();
  loss.mask = d.mask.get();
  const float infinity = INFINITY;
  loss.params = {0.8F, 1.28F, infinity, infinity, infinity, 1, 1, 20, 1, 0.04F, infinity, infinity, 0};
  loss.off_policy_limit = static_cast<double>(infinity);
  loss.d_logprobs = out.get();
  loss.result = reinterpret_cast<PolicyLossResult*>(result.get());
  const DeviceArray<char> loss_memory(cuda::PolicyLossWorkspace(loss));
  report->Add("policy loss with KL", shape, "float32",
              watch.Median(repeats, [&] { return cuda::RunPolicyLoss(loss, loss_memory.get(), nullptr); }), 18 * n);

  RolloutCorrection correction;
  correction.tokens = tokens;
  correction.sequences = shape.rows;
  correction.offsets = d.offsets.get();
  correction.logprobs = d.logprobs.get();
  correction.rollout_logprobs = d.rollout.get();
  correction.mask = d.mask.get();
  correction.weights_out = out.get();
  correction.mask_out = bytes.get();
  correction.result = result.get();
  const DeviceArray<char> correction_memory(cuda::RolloutCorrectionWorkspace(correction));
  const auto correct = [&] { return cuda::RunRolloutCorrection(correction, correction_memory.get(), nullptr); };
  report->Add("rollout correction", shape, "float32", watch.Median(repeats, correct), 14 * n);

  Gae gae;
  gae.tokens = tokens;
  gae.sequences = shape.rows;
  gae.offsets = d.offsets.get();
  gae.rewards = d.rewards.get();
  gae.values = d.reference.get();
  gae.advantages = out.get();
  report->Add("GAE", shape, "float32", watch.Median(repeats, [&] { return cuda::RunGae(gae, nullptr, nullptr); }),
              12 * n);

  GroupAdvantages group;
  const DeviceArray<uint8_t> flat(tokens / 8);
  group.rewards = d.rewards.get();
  group.count = tokens;
  group.groups = tokens / 8;
  group.group_size = 8;
  group.advantages = out.get();
  group.zero_variance = flat.get();
  report->Add("group advantages of 8", shape, "float32",
              watch.Median(repeats, [&] { return cuda::RunGroupAdvantages(group, nullptr, nullptr); }), 8.125 * n);

  const EntropySelection entropy = {tokens, d.entropies.get(), d.mask.get(), 0.2, bytes.get()};
  report->Add("highest entropies", shape, "float32",
              watch.Median(repeats, [&] { return cuda::RunEntropySelection(entropy, nullptr, nullptr); }), 6 * n);
}

}  // namespace crossthink::gpu
