#include "kernels/advantage/advantage_cuda.h"
#include "packed.h"
#include "runner.h"

// Reward shaping: device against plain loops of the same formulas, bit for bit. (lib/kernels has them in TypeScript.)
namespace crossthink::gpu {
namespace {

constexpr size_t kGroup = 5;

void CheckGroups(size_t groups, std::mt19937* random, Tally* tally) {
  const size_t count = groups * kGroup;
  std::vector<float> rewards(count), other(count), greedy(groups);
  for (float& r : rewards) r = (*random)() % 20 == 0 ? NAN : static_cast<float>((*random)() % 7) / 3.0F;
  for (float& r : other) r = static_cast<float>((*random)() % 11) / 7.0F;
  for (float& r : greedy) r = static_cast<float>((*random)() % 7) / 3.0F;
  std::vector<uint8_t> flat(groups);
  for (uint8_t& f : flat) f = (*random)() % 4 == 0 ? 1 : 0;
  std::vector<int32_t> lengths(count);
  for (int32_t& n : lengths) n = static_cast<int32_t>((*random)() % 300);

  std::vector<float> remax(count), sum(count), penalty(count);
  std::vector<uint8_t> keep(count), keep_groups(groups);
  for (size_t g = 0; g < groups; ++g) {
    double total = 0;
    size_t valid = 0;
    for (size_t i = g * kGroup; i < (g + 1) * kGroup; ++i) {
      const float difference = rewards[i] - greedy[g];
      remax[i] = std::isnan(difference) ? 0 : difference;
      const double mixed = 0.25 * static_cast<double>(rewards[i]) + 3 * static_cast<double>(other[i]);
      sum[i] = spec::CanonicalNan(static_cast<float>(mixed));
      const double share = (lengths[i] - 180.0) / 20.0;
      penalty[i] = share <= 0 ? 0 : static_cast<float>(-std::min(share, 1.0) * 0.7);
      if (std::isnan(rewards[i])) continue;
      total += static_cast<double>(rewards[i]);
      ++valid;
    }
    const double mean = total / static_cast<double>(valid);
    keep_groups[g] = flat[g] == 0 && mean >= 0.4 && mean <= 1.6 ? 1 : 0;
    std::fill_n(keep.begin() + static_cast<ptrdiff_t>(g * kGroup), kGroup, keep_groups[g]);
  }

  const DeviceArray<float> d_rewards(rewards), d_other(other), d_greedy(greedy), out(count);
  const DeviceArray<uint8_t> d_flat(flat), d_keep(count), d_keep_groups(groups);
  const DeviceArray<int32_t> d_lengths(lengths);
  const RewardGroups grouping = {count, groups, nullptr, kGroup};
  const std::string name = std::to_string(groups) + " groups";
  tally->cases += 4;
  Check(cuda::RunGreedyBaseline({grouping, d_rewards.get(), d_greedy.get(), out.get()}, nullptr, nullptr), "ReMax");
  tally->Same("ReMax of " + name, remax, out.ToHost());
  WeightedSum mix;
  mix.count = count;
  mix.terms = 2;
  mix.weights[0] = 0.25, mix.weights[1] = 3;
  mix.values[0] = d_rewards.get(), mix.values[1] = d_other.get();
  mix.out = out.get();
  Check(cuda::RunWeightedSum(mix, nullptr, nullptr), "weighted sum");
  tally->Same("weighted sum of " + name, sum, out.ToHost());
  const OverlongPenalty overlong = {count, 200, 20, 0.7, 1, d_lengths.get(), out.get()};
  Check(cuda::RunOverlongPenalty(overlong, nullptr, nullptr), "overlong penalty");
  tally->Same("overlong penalty of " + name, penalty, out.ToHost());
  GroupSignal signal;
  signal.groups = grouping;
  signal.least = 0.4, signal.most = 1.6;
  signal.metric = d_rewards.get();
  signal.zero_variance = d_flat.get();
  signal.keep_groups = d_keep_groups.get();
  signal.keep = d_keep.get();
  Check(cuda::RunGroupSignal(signal, nullptr, nullptr), "dynamic sampling");
  tally->Same("dynamic sampling of " + name, keep, d_keep.ToHost());
  tally->Same("dynamic sampling of " + name + ", groups", keep_groups, d_keep_groups.ToHost());
}

void CheckSequences(size_t sequences, size_t longest, std::mt19937* random, Tally* tally) {
  const Packed p = RandomPacked(sequences, longest, random);
  const size_t tokens = p.tokens();
  std::vector<uint8_t> flags(sequences);
  for (uint8_t& f : flags) f = static_cast<uint8_t>((*random)() % 2);
  const DevicePacked d(p);
  const DeviceArray<uint8_t> d_flags(flags), mask(tokens);
  const DeviceArray<float> out(tokens);
  const std::string name = std::to_string(sequences) + " sequences up to " + std::to_string(longest);
  for (const bool unset : {false, true}) {
    std::vector<uint8_t> expected(tokens);
    for (size_t s = 0; s < sequences; ++s) {
      for (int32_t t = p.offsets[s]; t < p.offsets[s + 1]; ++t) expected[t] = (flags[s] != 0) != unset ? p.mask[t] : 0;
    }
    ++tally->cases;
    const SequenceMask op = {tokens, sequences, unset, d.offsets.get(), d_flags.get(), d.mask.get(), mask.get()};
    Check(cuda::RunSequenceMask(op, nullptr, nullptr), "sequence mask");
    tally->Same("sequence mask of " + name, expected, mask.ToHost());
  }
  std::vector<float> expected(tokens);
  for (size_t s = 0; s < sequences; ++s) {
    int32_t last = p.offsets[s + 1] - 1;
    while (last >= p.offsets[s] && p.mask[last] == 0) --last;
    if (last >= p.offsets[s]) expected[last] = p.advantages[s];
  }
  ++tally->cases;
  const RewardsAtEnd op = {tokens, sequences, d.offsets.get(), d.advantages.get(), d.mask.get(), out.get()};
  Check(cuda::RunRewardsAtEnd(op, nullptr, nullptr), "rewards at the end");
  tally->Same("rewards at the end of " + name, expected, out.ToHost());
}

}  // namespace

void CheckShaping(bool large, Tally* tally) {
  std::mt19937 random(5);
  for (const size_t groups : {1, 300}) CheckGroups(groups, &random, tally);
  CheckSequences(30, 3, &random, tally);
  CheckSequences(3, 1500, &random, tally);
  if (large) {
    CheckGroups(100000, &random, tally);
    CheckSequences(3000, 2000, &random, tally);
  }
}

}  // namespace crossthink::gpu
