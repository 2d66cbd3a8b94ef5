#include "kernels/advantage/advantage_cuda.h"
#include "kernels/advantage/token_advantages.h"
#include "packed.h"
#include "runner.h"

// Advantages along tokens: device against the CPU, bit for bit.
namespace crossthink::gpu {
namespace {

void CheckGae(const Packed& p, const DevicePacked& d, const std::string& name, Tally* tally) {
  std::vector<float> advantages(p.tokens()), returns(p.tokens());
  Gae op;
  op.tokens = p.tokens();
  op.sequences = p.offsets.size() - 1;
  op.offsets = p.offsets.data();
  op.rewards = p.rewards.data();
  op.values = p.reference.data();
  op.mask = p.mask.data();
  op.gamma = 0.99;
  op.lambda = 0.95;
  op.advantages = advantages.data();
  op.returns = returns.data();
  RunGae(op, 1);
  const DeviceArray<float> device_advantages(p.tokens()), device_returns(p.tokens());
  op.offsets = d.offsets.get();
  op.rewards = d.rewards.get();
  op.values = d.reference.get();
  op.mask = d.mask.get();
  op.advantages = device_advantages.get();
  op.returns = device_returns.get();
  ++tally->cases;
  Check(cuda::RunGae(op, nullptr, nullptr), name.c_str());
  tally->Same("GAE, " + name, advantages, device_advantages.ToHost());
  tally->Same("GAE returns, " + name, returns, device_returns.ToHost());
}

void CheckWhiten(const Packed& p, const DevicePacked& d, Whiten::Epsilon at, const std::string& name, Tally* tally) {
  std::vector<float> out(p.tokens());
  Whiten op;
  op.count = p.tokens();
  op.values = p.rewards.data();
  op.weights = at == Whiten::Epsilon::kStd ? p.weights.data() : nullptr;
  op.mask = p.mask.data();
  op.epsilon_at = at;
  op.out = out.data();
  RunWhiten(op);
  const DeviceArray<float> device_out(p.tokens());
  const DeviceArray<char> workspace(cuda::WhitenWorkspace(op));
  op.values = d.rewards.get();
  if (op.weights != nullptr) op.weights = d.weights.get();
  op.mask = d.mask.get();
  op.out = device_out.get();
  ++tally->cases;
  Check(cuda::RunWhiten(op, workspace.get(), nullptr), name.c_str());
  tally->Same("whitening, " + name, out, device_out.ToHost());
}

void CheckBaseline(const Packed& p, const DevicePacked& d, const std::string& name, Tally* tally) {
  const auto sequences = static_cast<int32_t>(p.offsets.size() - 1);
  const std::vector<int32_t> groups = {0, sequences / 3, sequences / 3, sequences};
  std::vector<float> advantages(p.tokens());
  OptimalTokenBaseline op;
  op.tokens = p.tokens();
  op.sequences = static_cast<size_t>(sequences);
  op.groups = 3;
  op.group_offsets = groups.data();
  op.offsets = p.offsets.data();
  op.rewards = p.rewards.data();
  op.logprobs = p.logprobs.data();
  op.sum_squares = p.entropies.data();
  op.weights = p.weights.data();
  op.mask = p.mask.data();
  op.advantages = advantages.data();
  RunOptimalTokenBaseline(op, 1);
  const DeviceArray<int32_t> device_groups(groups);
  const DeviceArray<float> device_advantages(p.tokens());
  const DeviceArray<char> workspace(cuda::OptimalTokenBaselineWorkspace(op));
  op.group_offsets = device_groups.get();
  op.offsets = d.offsets.get();
  op.rewards = d.rewards.get();
  op.logprobs = d.logprobs.get();
  op.sum_squares = d.entropies.get();
  op.weights = d.weights.get();
  op.mask = d.mask.get();
  op.advantages = device_advantages.get();
  ++tally->cases;
  Check(cuda::RunOptimalTokenBaseline(op, workspace.get(), nullptr), name.c_str());
  tally->Same("optimal token baseline, " + name, advantages, device_advantages.ToHost());
}

}  // namespace

void CheckTokenAdvantages(bool large, Tally* tally) {
  std::mt19937 random(23);
  for (const size_t longest : {1, 40, 700, 20000}) {
    if (longest > 700 && !large) continue;
    const Packed p = RandomPacked(13, longest, &random);
    const DevicePacked d(p);
    const std::string name = "13 sequences up to " + std::to_string(longest);
    CheckGae(p, d, name, tally);
    CheckBaseline(p, d, name, tally);
    for (const auto at : {Whiten::Epsilon::kVariance, Whiten::Epsilon::kStd, Whiten::Epsilon::kFloor}) {
      CheckWhiten(p, d, at, name, tally);
    }
  }
}

}  // namespace crossthink::gpu
