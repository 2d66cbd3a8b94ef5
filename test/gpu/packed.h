#ifndef CROSSTHINK_TEST_GPU_PACKED_H_
#define CROSSTHINK_TEST_GPU_PACKED_H_

#include <algorithm>

#include "kernels/policy_loss/policy_loss.h"
#include "runner.h"

// Packed sequences as training sees them, on the host and on the device.
namespace crossthink::gpu {

struct Packed {
  std::vector<int32_t> offsets = {0};
  std::vector<float> logprobs, old, rollout, reference, entropies, weights, rewards;
  std::vector<float> advantages;  // One per sequence.
  std::vector<uint8_t> mask, selected;

  size_t tokens() const { return logprobs.size(); }
};

inline Packed RandomPacked(size_t sequences, size_t longest, std::mt19937* random) {
  std::uniform_real_distribution<float> uniform;
  Packed p;
  for (size_t s = 0; s < sequences; ++s) {
    p.offsets.push_back(p.offsets.back() + static_cast<int32_t>((*random)() % (longest + 1)));
    p.advantages.push_back(4 * uniform(*random) - 2);
  }
  for (int32_t t = 0; t < p.offsets.back(); ++t) {
    const float old = -0.3F - 3 * uniform(*random);
    const float now = old + 0.8F * (uniform(*random) - 0.5F);
    p.old.push_back(old);
    p.logprobs.push_back(now);
    p.rollout.push_back(old + 0.2F * (uniform(*random) - 0.5F));
    p.reference.push_back(now + 0.6F * (uniform(*random) - 0.5F));
    p.entropies.push_back(2 * uniform(*random));
    p.weights.push_back(0.5F + uniform(*random));
    p.rewards.push_back(uniform(*random) - 0.5F);
    p.mask.push_back((*random)() % 10 == 0 ? 0 : 1);
    p.selected.push_back((*random)() % 10 == 0 ? 1 : 0);
  }
  return p;
}

struct DevicePacked {
  explicit DevicePacked(const Packed& p)
      : offsets(p.offsets),
        logprobs(p.logprobs),
        old(p.old),
        rollout(p.rollout),
        reference(p.reference),
        entropies(p.entropies),
        weights(p.weights),
        rewards(p.rewards),
        advantages(p.advantages),
        mask(p.mask),
        selected(p.selected) {}

  DeviceArray<int32_t> offsets;
  DeviceArray<float> logprobs, old, rollout, reference, entropies, weights, rewards, advantages;
  DeviceArray<uint8_t> mask, selected;
};

// By the scalar CPU kernels: policy_loss_check.cpp.
PolicyLossResult ScalarPolicyLoss(const PolicyLoss& op);

}  // namespace crossthink::gpu

#endif  // CROSSTHINK_TEST_GPU_PACKED_H_
