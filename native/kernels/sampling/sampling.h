#ifndef CROSSTHINK_KERNELS_SAMPLING_SAMPLING_H_
#define CROSSTHINK_KERNELS_SAMPLING_SAMPLING_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "kernels/logits.h"
#include "spec/annotate.h"
#include "spec/tile.h"

// The contract of sampling: logits are edited, then filtered in a chosen order, then drawn from. docs/sampling.md has
// the formulas, docs/numerics.md section 5 the bits.
namespace crossthink {

// Changes to the logits before any filter, in this order. Token ids outside the vocabulary are skipped.
struct LogitEdits {
  float softcap = 0;  // > 0: x = softcap tanh(x / softcap).
  const int32_t* bitmask =
      nullptr;            // [rows, mask_words] or [mask_words]: bit j of word w = token 32 w + j, 1 = allowed;
  size_t mask_words = 0;  // tokens past its end are banned.
  bool mask_per_row = false;
  TokenLists banned;
  TokenLists stop;  // Banned while fewer than min_tokens tokens are in the output.
  RowInt min_tokens;
  TokenLists bias_tokens;  // x += bias.
  const float* bias = nullptr;
  TokenLists prompt;                      // What came before, for penalties:
  TokenLists output;                      // the prompt and what was generated.
  RowFloat repetition = {nullptr, 1.0F};  // r: x > 0 ? x / r : x r for tokens of prompt and output; 1: off.
  RowFloat presence;                      // x -= presence for tokens of the output,
  RowFloat frequency;                     // x -= frequency * occurrences in the output.
  RowInt no_repeat_ngram;                 // n: bans what would repeat an n-gram of prompt and output; 0: off.
  float dry_multiplier = 0;  // DRY: x -= multiplier base^(match - allowed) where the match is at least `allowed`.
  float dry_base = 1.75F;
  int32_t dry_allowed = 2;
  TokenLists dry_breakers;  // A match does not reach across these.

  bool Any() const;
};

enum class SamplingStep : uint8_t {
  kTemperature = 0,
  kTopK = 1,
  kTopP = 2,       // Of the mass of what is left.
  kTopPOfRow = 3,  // Of the mass of the whole row, whatever was removed before.
  kMinP = 4,
  kTypicalP = 5,
  kTopNSigma = 6,
  kXtc = 7,
};

constexpr size_t kMaxSteps = 32;

struct Sampling {
  Logits logits;
  LogitEdits edits;

  // SamplingStep, in order; steps whose parameter is off do nothing. In host memory for CUDA too, which takes
  // kMaxSteps.
  const uint8_t* steps = nullptr;
  size_t step_count = 0;
  RowFloat temperature;                  // 0: greedy, the largest logit, ties to the lowest token id.
  RowInt top_k;                          // 0: off.
  RowFloat top_p = {nullptr, 1.0F};      // 1: off.
  RowFloat min_p;                        // 0: off.
  RowFloat typical_p = {nullptr, 1.0F};  // 1: off.
  RowFloat top_n_sigma;                  // 0: off.
  RowFloat xtc_probability;              // 0: off.
  RowFloat xtc_threshold;
  bool inclusive_top_p = false;  // A token stays while the mass in front of it is <= p, not < p.
  bool keep_ties = false;        // Tokens of equal logits at a top-k or top-p cut all stay, not the lowest ids of them.
  bool gumbel = false;           // Draw by Gumbel-max instead of the inverse CDF.

  uint64_t seed = 0;
  const uint64_t* sequences = nullptr;  // One per row: what is sampled, not where it stands in the batch.
  const int32_t* positions = nullptr;
  uint32_t sample = 0;  // Number of the first sample,
  size_t samples = 1;   // and how many of each row.

  // [rows, samples]; all but tokens and status may be null.
  int32_t* tokens = nullptr;     // -1 where the row has no distribution.
  float* logprob = nullptr;      // Under what was sampled from.
  float* raw_logprob = nullptr;  // Under softmax(logits): no edits, temperature or filters.
  int32_t* rank = nullptr;       // 1 + tokens in front of it in the raw order.
  // [rows]
  uint8_t* status = nullptr;
  float* entropy = nullptr;       // Of softmax(logits).
  float* support_mass = nullptr;  // Part of the row's mass at its temperature that the filters kept.
  // [rows, top_n]: the tokens of largest raw log-prob, in order.
  size_t top_n = 0;
  int32_t* top_tokens = nullptr;
  float* top_logprobs = nullptr;
  // Raw log-probs of chosen ids, in the layout of `chosen.tokens` (with offsets) or [rows, chosen.length].
  TokenLists chosen;
  float* chosen_logprobs = nullptr;
  // Called with the kept tokens of a row in ascending order of id; not called for rows that no filter touched.
  void (*keep)(void* context, size_t row, const uint32_t* ids, size_t size) = nullptr;
  void* keep_context = nullptr;
  // The same on CUDA instead of `keep`: [rows, vocab], and how many of each row; 0 for rows that no filter touched.
  int32_t* kept_tokens = nullptr;
  int32_t* kept_sizes = nullptr;
};

struct Candidate {
  uint64_t key;   // spec::OrderKey
  uint64_t mass;  // spec::Mass
};

// A set of tokens in ascending order of id: logits (edited), ids, and 2^t relative to the row's largest.
struct TokenSet {
  float* values;
  uint32_t* ids;
  float* probabilities;
  size_t size;
};

// Working memory of one thread, for rows of `vocab` logits.
struct SamplingScratch {
  spec::TilePartial* raw;        // [tiles]
  spec::TilePartial* processed;  // [tiles]
  float* maxima;                 // [tiles * kMaximaPerTile]
  double* head;                  // [tiles * kBlocksPerTile]
  float* edited;                 // [vocab + kSlack]
  TokenSet set;                  // [vocab + kSlack]
  TokenSet narrowed;             // [vocab + kSlack]
  Candidate* candidates;         // [vocab + kSlack]
  bool swept = false;            // The sums and maxima of the row's tiles are there already.
};

struct SpeculativeChain;

// What one instruction set provides, by DType.
struct SamplingKernels {
  void (*sample[kDTypes])(const Sampling&, size_t begin, size_t end, SamplingScratch*);
  // Part of `sample` where there are no edits: what it first reads of the tiles [first, last) of a row.
  void (*sweep[kDTypes])(const Sampling&, size_t row, size_t first, size_t last, SamplingScratch*);
  void (*speculate[kDTypes])(const SpeculativeChain&, size_t begin, size_t end, SamplingScratch* target,
                             SamplingScratch* draft);
};

constexpr size_t kMaximaBlock = 512;
constexpr size_t kBlocksPerTile = spec::kTile / kMaximaBlock;
constexpr size_t kMaximaPerTile = kBlocksPerTile * 16;
constexpr size_t kSlack = 16;

// `cancel`, where given, is read between chunks of rows; false is returned where it was seen set.
bool RunSampling(const Sampling& op, unsigned threads, const std::atomic<int32_t>* cancel);

}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_SAMPLING_SAMPLING_H_
