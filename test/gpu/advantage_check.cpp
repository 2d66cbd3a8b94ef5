#include "kernels/advantage/advantage_cpu.h"
#include "kernels/advantage/advantage_cuda.h"
#include "runner.h"

// Group advantages: device against the scalar CPU kernels, bit for bit.
namespace crossthink::gpu {
namespace {

void CheckCase(size_t groups, size_t longest, GroupEstimator estimator, std::mt19937* random, Tally* tally) {
  std::normal_distribution<float> normal;
  std::vector<int32_t> offsets = {0};
  for (size_t g = 0; g < groups; ++g) {
    offsets.push_back(offsets.back() + static_cast<int32_t>((*random)() % (longest + 1)));
  }
  std::vector<float> rewards(static_cast<size_t>(offsets.back()));
  const bool binary = (*random)() % 2 == 0;
  for (float& r : rewards) {
    r = binary ? static_cast<float>((*random)() % 2) : normal(*random);
    if ((*random)() % 50 == 0) r = NAN;
  }
  std::vector<float> lengths(rewards.size());
  for (float& length : lengths) length = static_cast<float>(1 + (*random)() % 900);
  std::vector<float> advantages(rewards.size());
  std::vector<uint8_t> flat(groups);
  GroupAdvantages op;
  op.rewards = rewards.data();
  op.count = rewards.size();
  op.lengths = lengths.data();
  op.raw_singletons = (*random)() % 2 == 0;
  op.groups = groups;
  op.offsets = offsets.data();
  op.estimator = estimator;
  op.advantages = advantages.data();
  op.zero_variance = flat.data();
  RunGroupAdvantages(op, MakeAdvantageKernel<simd::Scalar>(), 1);

  const DeviceArray<float> device_rewards(rewards), device_lengths(lengths), device_advantages(rewards.size());
  const DeviceArray<int32_t> device_offsets(offsets);
  const DeviceArray<uint8_t> device_flat(groups);
  GroupAdvantages on_device = op;
  on_device.rewards = device_rewards.get();
  on_device.lengths = device_lengths.get();
  on_device.offsets = device_offsets.get();
  on_device.advantages = device_advantages.get();
  on_device.zero_variance = device_flat.get();
  const DeviceArray<char> workspace(cuda::GroupAdvantagesWorkspace(on_device));
  const std::string name = "advantages " + std::to_string(static_cast<size_t>(estimator)) + " of " +
                           std::to_string(groups) + " groups up to " + std::to_string(longest);
  ++tally->cases;
  Check(cuda::RunGroupAdvantages(on_device, workspace.get(), nullptr), name.c_str());
  tally->Same(name, advantages, device_advantages.ToHost());
  tally->Same(name + ", zero variance", flat, device_flat.ToHost());
}

}  // namespace

void CheckAdvantages(bool large, Tally* tally) {
  std::mt19937 random(7);
  for (size_t index = 0; index <= static_cast<size_t>(GroupEstimator::kLeaveOneOut); ++index) {
    const auto estimator = static_cast<GroupEstimator>(index);
    for (const size_t longest : {1, 8, 300, 20000}) {
      for (const size_t groups : {1, 33, 200}) {
        if (longest * groups > 100000 && !large) continue;
        CheckCase(groups, longest, estimator, &random, tally);
      }
    }
  }
}

}  // namespace crossthink::gpu
