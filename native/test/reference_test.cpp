// The reference policy without Node: under ThreadSanitizer this watches what its threads share.
#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "reference/policy.h"
#include "runtime/cpu.h"

namespace crossthink::reference {
namespace {

constexpr PolicyConfig kConfig{29, 32, 2, 2, 24};

struct Batch {
  std::vector<int32_t> tokens, cu{0}, rows;

  PackedBatch view() const {
    return {tokens.data(), cu.data(), rows.data(), static_cast<int>(cu.size() - 1), static_cast<int>(rows.size())};
  }
};

Batch MakeBatch() {
  Batch batch;
  for (int s = 0; s < 40; s++) {
    for (int i = 0; i < 3 + (7 * s) % 22; i++) {
      if (i % 2 == 0) batch.rows.push_back(static_cast<int32_t>(batch.tokens.size()));
      batch.tokens.push_back((31 * i + 17 * s) % kConfig.vocab);
    }
    batch.cu.push_back(static_cast<int32_t>(batch.tokens.size()));
  }
  return batch;
}

// Parameters after two training steps and one step of generation, with its logits behind them.
std::vector<float> Train(Isa isa, unsigned threads) {
  Policy policy(kConfig, isa, threads);
  const size_t n = policy.layout().total;
  std::vector<float> parameters(n), gradient(n), first(n), second(n);
  const PolicyState state{parameters.data(), gradient.data(), first.data(), second.data()};
  policy.Initialize(5, parameters.data());
  const Batch batch = MakeBatch();
  std::vector<float> logits(batch.rows.size() * static_cast<size_t>(kConfig.vocab));
  for (int step = 1; step <= 2; step++) {
    policy.Forward(state, batch.view(), logits.data());
    for (size_t i = 0; i < logits.size(); i++) logits[i] = 1e-3F * static_cast<float>(i % 13) - logits[i] * 1e-4F;
    policy.Backward(state, logits.data());
    EXPECT_GT(policy.Step(state, {1e-3, 0.9, 0.98, 1e-8, 0.01, 1.0, step}), 0.0);
  }
  constexpr int kSlots = 70;
  policy.ResetCache(kSlots);
  std::vector<int32_t> tokens, slots, positions(kSlots, 0), outputs;
  for (int32_t i = 0; i < kSlots; i++) {
    tokens.insert(tokens.end(), {i % kConfig.vocab, -1, -1});
    slots.push_back(i);
    outputs.push_back(i);
  }
  std::vector<float> generated(static_cast<size_t>(kSlots * kConfig.vocab));
  policy.Decode(state, {tokens.data(), slots.data(), positions.data(), outputs.data(), kSlots}, generated.data());
  parameters.insert(parameters.end(), generated.begin(), generated.end());
  return parameters;
}

TEST(ReferencePolicy, SameBitsOnEveryInstructionSetAndThreadCount) {
  const std::vector<float> expected = Train(Isa::kScalar, 1);
  for (Isa isa : SupportedIsas()) {
    for (unsigned threads : {1U, 2U, 0U}) EXPECT_EQ(Train(isa, threads), expected) << IsaName(isa) << ' ' << threads;
  }
}

TEST(ReferencePolicy, AGradientThatIsNotFiniteIsDropped) {
  Policy policy(kConfig, Isa::kScalar, 1);
  const size_t n = policy.layout().total;
  std::vector<float> parameters(n, 0.5F), gradient(n, 1.0F), first(n), second(n);
  gradient[n / 2] = std::numeric_limits<float>::infinity();
  policy.Step({parameters.data(), gradient.data(), first.data(), second.data()}, {1.0, 0.9, 0.98, 1e-8, 0.0, 1.0, 1});
  EXPECT_EQ(parameters, std::vector<float>(n, 0.5F));
  EXPECT_EQ(gradient, std::vector<float>(n, 0.0F));
}

}  // namespace
}  // namespace crossthink::reference
