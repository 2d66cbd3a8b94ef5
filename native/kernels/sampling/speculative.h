#ifndef CROSSTHINK_KERNELS_SAMPLING_SPECULATIVE_H_
#define CROSSTHINK_KERNELS_SAMPLING_SPECULATIVE_H_

#include <cstddef>
#include <cstdint>

#include "kernels/sampling/sampling.h"

// The contract of speculative sampling of a chain (Leviathan et al., arXiv 2211.17192; Chen et al., arXiv 2302.01318):
// draft tokens are accepted with probability min(1, p / q), the first rejected one is replaced by a draw from max(p -
// q, 0), and after the last accepted one a token is sampled. What comes out is distributed as p. docs/sampling.md.
namespace crossthink {

struct SpeculativeChain {
  // Rows [sequences, drafts + 1] of target logits, with what is to be done to them, keys included: the key of a row is
  // that of the token it decides on. Writes tokens, log-probs and row statuses there.
  Sampling target;
  size_t sequences = 0;
  size_t drafts = 0;
  const int32_t* draft_tokens = nullptr;  // [sequences, drafts]; negative: the chain ends before it.
  // What the drafts were drawn from: rows [sequences, drafts] of logits and their filters, or of probabilities, or,
  // where both are null, nothing: the drafts were certain.
  const Sampling* draft = nullptr;
  const float* draft_probabilities = nullptr;  // [sequences, drafts, vocab]

  int32_t* accepted = nullptr;  // [sequences] drafts accepted; one more token follows where the status is ok.
  uint8_t* status = nullptr;    // [sequences]
};

void RunSpeculative(const SpeculativeChain& op, unsigned threads);

}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_SAMPLING_SPECULATIVE_H_
