#ifndef CROSSTHINK_KERNELS_ADVANTAGE_TOKEN_ADVANTAGES_H_
#define CROSSTHINK_KERNELS_ADVANTAGE_TOKEN_ADVANTAGES_H_

#include <cstddef>
#include <cstdint>

// Advantages along the tokens of packed sequences. All are recurrences or sums in index order in float64, rounded to
// float32 once: the same bits on every instruction set and thread count. docs/losses.md, "Token advantages".
namespace crossthink {

// Generalised advantage estimation: delta_t = r_t + gamma V_{t+1} - V_t, A_t = delta_t + gamma lambda A_{t+1},
// masked tokens being skipped, not zeros. Without values and with lambda = 1: discounted returns to go.
struct Gae {
  size_t tokens = 0;
  size_t sequences = 0;
  const int32_t* offsets = nullptr;
  const float* rewards = nullptr;  // Per token.
  const float* values = nullptr;   // Per token, or absent: 0.
  const uint8_t* mask = nullptr;
  double gamma = 1;
  double lambda = 1;
  const float* lambdas = nullptr;  // One per sequence, instead of lambda.

  float* advantages = nullptr;  // 0 at masked tokens.
  float* returns = nullptr;     // A + V; absent: not wanted.
};
void RunGae(const Gae& op, unsigned threads);

// (x - mean) / std over the whole batch.
struct Whiten {
  size_t count = 0;
  const float* values = nullptr;
  const float* weights = nullptr;  // One per value, e.g. tokens of a sequence; absent: 1.
  const uint8_t* mask = nullptr;   // Per value.
  bool bessel = true;              // sum of weights - 1 in the denominator of the variance.
  bool keep_mean = false;
  enum class Epsilon : uint8_t { kVariance = 0, kStd, kFloor } epsilon_at = Epsilon::kVariance;
  double epsilon = 1e-8;

  float* out = nullptr;  // 0 at masked values. May be the values.
};
void RunWhiten(const Whiten& op);

// Optimal token baseline: B_t = sum_i G_t W_t / sum_i W_t over the group's responses that have a t-th valid token, with
// W_t = sum over s <= t of w_s^2 (1 - 2 pi_s + sum pi_s^2) and G_t the rewards to go; A_t = G_t - B_t.
struct OptimalTokenBaseline {
  size_t tokens = 0;
  size_t sequences = 0;
  size_t groups = 0;
  const int32_t* group_offsets = nullptr;  // Over sequences.
  const int32_t* offsets = nullptr;
  const float* rewards = nullptr;      // Per token.
  const float* logprobs = nullptr;     // Of the sampled tokens: pi = e^logprob.
  const float* sum_squares = nullptr;  // Sum of squared probabilities per token.
  const float* weights = nullptr;      // Rollout correction, or absent.
  const uint8_t* mask = nullptr;

  float* advantages = nullptr;
};
void RunOptimalTokenBaseline(const OptimalTokenBaseline& op, unsigned threads);

}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_ADVANTAGE_TOKEN_ADVANTAGES_H_
