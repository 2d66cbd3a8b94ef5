#ifndef CROSSTHINK_KERNELS_ADVANTAGE_SHAPING_H_
#define CROSSTHINK_KERNELS_ADVANTAGE_SHAPING_H_

#include <cstddef>
#include <cstdint>

// What lib/kernels/rewardShaping.ts and positiveExamples.ts compute on the host around the advantages, as operations
// for rewards that live on a GPU. Formulas and order of additions are those of the TypeScript, in float64.
namespace crossthink {

// Groups of rewards, as in GroupAdvantages: equal ones, or by offsets.
struct RewardGroups {
  size_t count = 0;
  size_t groups = 0;
  const int32_t* offsets = nullptr;
  size_t group_size = 0;
};

// ReMax: each reward minus that of its group's greedy response; 0 where that is NaN.
struct GreedyBaseline {
  RewardGroups groups;
  const float* rewards = nullptr;
  const float* greedy = nullptr;  // [groups]
  float* advantages = nullptr;
};

constexpr size_t kMostTerms = 16;

// out[i] = sum over k, in order, of weights[k] values[k][i], rounded once.
struct WeightedSum {
  size_t count = 0;
  size_t terms = 0;
  double weights[kMostTerms] = {};
  const float* values[kMostTerms] = {};
  float* out = nullptr;  // May be one of the values.
};

// Dynamic sampling: groups whose metrics differ and whose mean of those that are no NaN is in [least, most].
struct GroupSignal {
  RewardGroups groups;
  double least = 0;
  double most = 0;
  const float* metric = nullptr;
  const uint8_t* zero_variance = nullptr;  // [groups]
  uint8_t* keep_groups = nullptr;          // [groups]
  uint8_t* keep = nullptr;                 // [count]
};

// The mask of the tokens of sequences whose flag is set or, on request, is not; 0 elsewhere.
struct SequenceMask {
  size_t tokens = 0;
  size_t sequences = 0;
  bool unset = false;
  const int32_t* offsets = nullptr;
  const uint8_t* flags = nullptr;  // [sequences]
  const uint8_t* mask = nullptr;   // Absent: every token is valid.
  uint8_t* out = nullptr;
};

// One reward a sequence at its last valid token; 0 elsewhere.
struct RewardsAtEnd {
  size_t tokens = 0;
  size_t sequences = 0;
  const int32_t* offsets = nullptr;
  const float* rewards = nullptr;  // [sequences]
  const uint8_t* mask = nullptr;
  float* out = nullptr;
};

// Soft overlong punishment: -factor min(most, (length - (longest - buffer)) / buffer), 0 for lengths before that.
struct OverlongPenalty {
  size_t count = 0;
  double longest = 0;
  double buffer = 0;
  double factor = 0;
  double most = 0;
  const int32_t* lengths = nullptr;
  float* out = nullptr;
};

}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_ADVANTAGE_SHAPING_H_
