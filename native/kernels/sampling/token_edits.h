#ifndef CROSSTHINK_KERNELS_SAMPLING_TOKEN_EDITS_H_
#define CROSSTHINK_KERNELS_SAMPLING_TOKEN_EDITS_H_

#include <cstddef>
#include <cstdint>

#include "kernels/sampling/sampling.h"
#include "spec/annotate.h"
#include "spec/bits.h"

// Edits of single tokens of a row, for the CPU and CUDA alike. Each runs over whole lists and touches only the tokens
// that the caller owns: one thread of a CPU all of them, a thread of a CUDA block its part. So the order in which a
// token is edited is that of the lists, whoever edits it, and no two threads write to one token.
namespace crossthink {
namespace {

// Every token of a vocabulary.
struct WholeVocabulary {
  size_t n;
  CT_HD bool Has(int32_t token) const { return token >= 0 && static_cast<size_t>(token) < n; }
};

// Prompt and output of a row, one after the other.
struct History {
  const int32_t* prompt;
  const int32_t* output;
  size_t prompt_size;
  size_t size;
  CT_HD int32_t At(size_t i) const { return i < prompt_size ? prompt[i] : output[i - prompt_size]; }
};

template <class Tokens>
CT_HD CT_INLINE void Ban(const TokenLists& lists, size_t row, const Tokens& own, float* x) {
  const int32_t* tokens = lists.Begin(row);
  for (size_t i = 0; i < lists.Size(row); ++i) {
    if (own.Has(tokens[i])) x[tokens[i]] = -spec::Infinity();
  }
}

// Repetition, presence and frequency penalties. `counts` is [n] scratch: only entries of tokens seen are touched.
template <class Tokens>
CT_HD CT_INLINE void Penalize(const LogitEdits& edits, size_t row, const History& history, const Tokens& own,
                              uint32_t* counts, float* x) {
  const float repetition = edits.repetition.At(row);
  const float presence = edits.presence.At(row);
  const float frequency = edits.frequency.At(row);
  if (repetition == 1.0F && presence == 0.0F && frequency == 0.0F) return;
  // A count is 1 + occurrences in the output; 0 once the token is done.
  for (size_t i = 0; i < history.size; ++i) {
    if (own.Has(history.At(i))) counts[history.At(i)] = 1;
  }
  for (size_t i = history.prompt_size; i < history.size; ++i) {
    if (own.Has(history.At(i))) ++counts[history.At(i)];
  }
  for (size_t i = 0; i < history.size; ++i) {
    const int32_t token = history.At(i);
    if (!own.Has(token) || counts[token] == 0) continue;
    const uint32_t occurrences = counts[token] - 1;
    float v = x[token];
    v = v > 0 ? v / repetition : v * repetition;
    v = v - frequency * static_cast<float>(occurrences);
    x[token] = occurrences > 0 ? v - presence : v;
    counts[token] = 0;
  }
}

// Bans every token that would complete an n-gram of the history a second time.
template <class Tokens>
CT_HD CT_INLINE void BanRepeatedNgrams(size_t gram, const History& history, const Tokens& own, float* x) {
  if (gram == 0 || history.size < gram) return;
  const size_t suffix = history.size - (gram - 1);
  for (size_t i = 0; i + gram <= history.size; ++i) {
    const int32_t next = history.At(i + gram - 1);
    if (!own.Has(next)) continue;
    size_t k = 0;
    while (k < gram - 1 && history.At(i + k) == history.At(suffix + k)) ++k;
    if (k == gram - 1) x[next] = -spec::Infinity();
  }
}

CT_HD CT_INLINE bool IsBreaker(const TokenLists& breakers, size_t row, int32_t token) {
  const int32_t* tokens = breakers.Begin(row);
  for (size_t i = 0; i < breakers.Size(row); ++i) {
    if (tokens[i] == token) return true;
  }
  return false;
}

// DRY ("don't repeat yourself", text-generation-webui #5677): a token that would extend a repetition of the last
// `match` tokens loses multiplier base^(match - allowed), by the longest such match.
template <class Tokens>
CT_HD CT_INLINE void PenalizeDry(const LogitEdits& edits, size_t row, const History& history, const Tokens& own,
                                 uint32_t* longest, float* x) {
  if (edits.dry_multiplier == 0 || history.size < 2) return;
  constexpr size_t kLongest = 256;  // base^256 is infinite for every sensible base: longer matches change nothing.
  const size_t end = history.size - 1;
  for (size_t i = 0; i < history.size; ++i) {
    if (own.Has(history.At(i))) longest[history.At(i)] = 0;
  }
  for (size_t i = 0; i < end; ++i) {
    const int32_t next = history.At(i + 1);
    if (!own.Has(next)) continue;
    size_t match = 0;
    while (match <= i && match < kLongest && history.At(i - match) == history.At(end - match) &&
           !IsBreaker(edits.dry_breakers, row, history.At(i - match))) {
      ++match;
    }
    if (match > longest[next]) longest[next] = static_cast<uint32_t>(match);
  }
  for (size_t i = 0; i < history.size; ++i) {
    const int32_t token = history.At(i);
    if (!own.Has(token)) continue;
    const auto match = static_cast<int32_t>(longest[token]);
    longest[token] = 0;
    if (match == 0 || match < edits.dry_allowed) continue;
    double penalty = static_cast<double>(edits.dry_multiplier);
    for (int32_t k = edits.dry_allowed; k < match; ++k) penalty *= static_cast<double>(edits.dry_base);
    x[token] -= static_cast<float>(penalty);
  }
}

// All of them, after softcap and bitmask. `scratch` is [vocab].
template <class Tokens>
CT_HD CT_INLINE void EditTokens(const LogitEdits& edits, size_t row, const Tokens& own, uint32_t* scratch, float* x) {
  Ban(edits.banned, row, own, x);
  const size_t generated = edits.output.Size(row);
  if (generated < static_cast<size_t>(edits.min_tokens.At(row))) Ban(edits.stop, row, own, x);
  const int32_t* biased = edits.bias_tokens.Begin(row);
  for (size_t i = 0; i < edits.bias_tokens.Size(row); ++i) {
    if (own.Has(biased[i])) x[biased[i]] += edits.bias[biased - edits.bias_tokens.tokens + i];
  }
  const size_t prompt = edits.prompt.Size(row);
  const History history = {edits.prompt.Begin(row), edits.output.Begin(row), prompt, prompt + generated};
  Penalize(edits, row, history, own, scratch, x);
  BanRepeatedNgrams(static_cast<size_t>(edits.no_repeat_ngram.At(row)), history, own, x);
  PenalizeDry(edits, row, history, own, scratch, x);
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_SAMPLING_TOKEN_EDITS_H_
