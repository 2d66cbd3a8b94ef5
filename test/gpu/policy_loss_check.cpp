#include "kernels/policy_loss/plain_loss_cpu.h"
#include "kernels/policy_loss/policy_loss_cuda.h"
#include "packed.h"
#include "runner.h"

// Policy losses: device against the scalar CPU kernels, bit for bit.
namespace crossthink::gpu {
namespace {

constexpr LossParams kParams = {0.8F,  1.28F, 3.0F,  INFINITY, INFINITY, 1.0F, 1.05F,
                                20.0F, 0.5F,  0.04F, INFINITY, INFINITY, 0.01F};

// A loss with everything that has a run-time switch, in turn.
PolicyLoss Variant(size_t index) {
  PolicyLoss op;
  op.loss = static_cast<Loss>(index % kLosses);
  op.params = kParams;
  op.sequence_ratio = index % 3 == 1;
  if (index % 4 == 1) op.params.log_ratio_limit = 0.3F;
  if (index % 4 == 2) op.params.kl_input_limit = 0.2F;
  op.off_policy_limit = index % 5 == 2 ? 0.01 : static_cast<double>(INFINITY);
  op.kl_form = static_cast<KlForm>(index / 2 % 4);
  op.kl_squared_gradient = index % 7 == 3;
  op.kl_correction = op.kl_squared_gradient ? KlCorrection::kNone : static_cast<KlCorrection>(index % 3);
  op.aggregation = static_cast<Aggregation>(index % 6);
  op.count_empty = index % 2 == 1;
  op.horizon = 512;
  constexpr float kVespo[4] = {2, 3, 3, 2};
  std::memcpy(op.vespo, kVespo, sizeof(kVespo));
  return op;
}

void CheckCase(size_t index, size_t sequences, size_t longest, std::mt19937* random, Tally* tally) {
  Packed p = RandomPacked(sequences, longest, random);
  const size_t tokens = p.tokens();
  const bool bad = index % 6 == 5;
  if (bad && tokens > 3) p.logprobs[tokens / 2] = NAN;
  const bool plain = index >= kLosses;  // The short loop for nothing but a clip.
  PolicyLoss op = Variant(index % kLosses);
  op.tokens = tokens;
  op.sequences = sequences;
  op.offsets = p.offsets.data();
  op.logprobs = p.logprobs.data();
  op.old_logprobs = p.old.data();
  op.ref_logprobs = p.reference.data();
  op.advantages = p.advantages.data();
  op.mask = index % 3 == 0 ? nullptr : p.mask.data();
  std::vector<int32_t> prompts = {0, static_cast<int32_t>(sequences / 2), static_cast<int32_t>(sequences)};
  if (op.aggregation == Aggregation::kPromptMean) {
    op.prompts = prompts.data();
    op.prompt_count = 2;
  }
  if (plain) {
    op.loss = Loss::kClip;
    op.sequence_ratio = false;
    op.params.dual_clip = op.params.log_ratio_limit = INFINITY;
    op.off_policy_limit = static_cast<double>(INFINITY);
  } else {
    op.rollout_logprobs = p.rollout.data();
    op.entropies = p.entropies.data();
    op.weights = p.weights.data();
    op.selected = index % 2 == 0 ? p.selected.data() : nullptr;
  }
  std::vector<float> d_logprobs(tokens), d_entropies(tokens);
  op.d_logprobs = d_logprobs.data();
  op.d_entropies = op.entropies == nullptr ? nullptr : d_entropies.data();
  const PolicyLossResult expected = ScalarPolicyLoss(op);

  const DevicePacked d(p);
  const DeviceArray<int32_t> device_prompts(prompts);
  const DeviceArray<float> device_d_logprobs(tokens), device_d_entropies(tokens);
  const DeviceArray<double> result(1 + kLossSums);
  PolicyLoss on_device = op;
  on_device.offsets = d.offsets.get();
  on_device.logprobs = d.logprobs.get();
  on_device.old_logprobs = d.old.get();
  on_device.ref_logprobs = d.reference.get();
  on_device.advantages = d.advantages.get();
  if (op.mask != nullptr) on_device.mask = d.mask.get();
  if (op.prompts != nullptr) on_device.prompts = device_prompts.get();
  if (op.rollout_logprobs != nullptr) on_device.rollout_logprobs = d.rollout.get();
  if (op.entropies != nullptr) on_device.entropies = d.entropies.get();
  if (op.weights != nullptr) on_device.weights = d.weights.get();
  if (op.selected != nullptr) on_device.selected = d.selected.get();
  on_device.d_logprobs = device_d_logprobs.get();
  if (op.d_entropies != nullptr) on_device.d_entropies = device_d_entropies.get();
  on_device.result = reinterpret_cast<PolicyLossResult*>(result.get());
  const DeviceArray<char> workspace(cuda::PolicyLossWorkspace(on_device));
  const std::string name = "policy loss " + std::to_string(index) + " of " + std::to_string(sequences) +
                           " sequences up to " + std::to_string(longest);
  ++tally->cases;
  Check(cuda::RunPolicyLoss(on_device, workspace.get(), nullptr), name.c_str());
  std::vector<double> numbers = {expected.loss};
  numbers.insert(numbers.end(), expected.sums, expected.sums + kLossSums);
  tally->Same(name + ", loss and sums", numbers, result.ToHost());
  tally->Same(name + ", gradient", d_logprobs, device_d_logprobs.ToHost());
  if (op.d_entropies != nullptr) tally->Same(name + ", entropy gradient", d_entropies, device_d_entropies.ToHost());
}

}  // namespace

PolicyLossResult ScalarPolicyLoss(const PolicyLoss& op) {
  return RunPolicyLoss(op, MakePolicyLossKernel<simd::Scalar>(), 1);
}

void CheckPolicyLosses(bool large, Tally* tally) {
  std::mt19937 random(19);
  for (size_t index = 0; index < 2 * kLosses; ++index) {
    CheckCase(index, 40, 30, &random, tally);
    CheckCase(index, 3, 2500, &random, tally);
    if (large) CheckCase(index, 700, 4000, &random, tally);
  }
  CheckCase(0, 0, 0, &random, tally);
  CheckCase(12, 300, 3, &random, tally);  // More than one block of sequences.
}

}  // namespace crossthink::gpu
