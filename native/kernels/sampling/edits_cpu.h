#ifndef CROSSTHINK_KERNELS_SAMPLING_EDITS_CPU_H_
#define CROSSTHINK_KERNELS_SAMPLING_EDITS_CPU_H_

#include <cstddef>
#include <cstdint>

#include "kernels/elements.h"
#include "kernels/sampling/sampling.h"
#include "kernels/softcap.h"
#include "spec/annotate.h"
#include "spec/bits.h"
#include "spec/exponential.h"

// Changes to a row before filtering: a float32 copy is edited, dense edits by vectors, the others token by token.
namespace crossthink {
namespace {

// Prompt and output of a row, one after the other.
struct History {
  const int32_t* prompt;
  const int32_t* output;
  size_t prompt_size;
  size_t size;
  int32_t At(size_t i) const { return i < prompt_size ? prompt[i] : output[i - prompt_size]; }
};

CT_INLINE bool InVocabulary(int32_t token, size_t n) { return token >= 0 && static_cast<size_t>(token) < n; }

template <class V, class E>
CT_INLINE void CopyRow(const typename E::T* x, size_t n, float softcap, float* out) {
  for (size_t j = 0; j < n; j += V::kWidth) {
    typename V::F v = n - j >= V::kWidth ? E::Load(x + j) : LoadTail<V, E>(x + j, n - j);
    if (softcap > 0) v = CapLogits<V>(v, softcap);
    V::Store(out + j, v);  // `out` has room for whole vectors.
  }
}

template <class V>
CT_INLINE void ApplyBitmask(const int32_t* mask, size_t words, size_t n, float* x) {
  const typename V::F banned = V::Set(-spec::Infinity());
  for (size_t word = 0; word * 32 < n; ++word) {
    const uint32_t bits = word < words ? static_cast<uint32_t>(mask[word]) : 0U;
    if (bits == 0xffffffffU) continue;
    const size_t begin = word * 32;
    if (begin + 32 <= n) {
      for (size_t k = 0; k < 32; k += V::kWidth) {
        float* at = x + begin + k;
        V::Store(at, bits == 0 ? banned : V::Select(V::FromMaskBits(bits >> k), V::Load(at), banned));
      }
    } else {
      for (size_t j = begin; j < n; ++j) x[j] = (bits >> (j - begin) & 1U) != 0 ? x[j] : -spec::Infinity();
    }
  }
}

CT_INLINE void Ban(const TokenLists& lists, size_t row, size_t n, float* x) {
  const int32_t* tokens = lists.Begin(row);
  for (size_t i = 0; i < lists.Size(row); ++i) {
    if (InVocabulary(tokens[i], n)) x[tokens[i]] = -spec::Infinity();
  }
}

// Repetition, presence and frequency penalties. `counts` is [n] scratch: only entries of tokens seen are touched.
CT_INLINE void Penalize(const LogitEdits& edits, size_t row, const History& history, size_t n, uint32_t* counts,
                        float* x) {
  const float repetition = edits.repetition.At(row);
  const float presence = edits.presence.At(row);
  const float frequency = edits.frequency.At(row);
  if (repetition == 1.0F && presence == 0.0F && frequency == 0.0F) return;
  // A count is 1 + occurrences in the output; 0 once the token is done.
  for (size_t i = 0; i < history.size; ++i) {
    if (InVocabulary(history.At(i), n)) counts[history.At(i)] = 1;
  }
  for (size_t i = history.prompt_size; i < history.size; ++i) {
    if (InVocabulary(history.At(i), n)) ++counts[history.At(i)];
  }
  for (size_t i = 0; i < history.size; ++i) {
    const int32_t token = history.At(i);
    if (!InVocabulary(token, n) || counts[token] == 0) continue;
    const uint32_t occurrences = counts[token] - 1;
    float v = x[token];
    v = v > 0 ? v / repetition : v * repetition;
    v = v - frequency * static_cast<float>(occurrences);
    x[token] = occurrences > 0 ? v - presence : v;
    counts[token] = 0;
  }
}

// Bans every token that would complete an n-gram of the history a second time.
CT_INLINE void BanRepeatedNgrams(size_t gram, const History& history, size_t n, float* x) {
  if (gram == 0 || history.size < gram) return;
  const size_t suffix = history.size - (gram - 1);
  for (size_t i = 0; i + gram <= history.size; ++i) {
    size_t k = 0;
    while (k < gram - 1 && history.At(i + k) == history.At(suffix + k)) ++k;
    const int32_t next = history.At(i + gram - 1);
    if (k == gram - 1 && InVocabulary(next, n)) x[next] = -spec::Infinity();
  }
}

CT_INLINE bool IsBreaker(const TokenLists& breakers, size_t row, int32_t token) {
  const int32_t* tokens = breakers.Begin(row);
  for (size_t i = 0; i < breakers.Size(row); ++i) {
    if (tokens[i] == token) return true;
  }
  return false;
}

// DRY ("don't repeat yourself", text-generation-webui #5677): a token that would extend a repetition of the last
// `match` tokens loses multiplier base^(match - allowed), by the longest such match.
CT_INLINE void PenalizeDry(const LogitEdits& edits, size_t row, const History& history, size_t n, uint32_t* longest,
                           float* x) {
  if (edits.dry_multiplier == 0 || history.size < 2) return;
  constexpr size_t kLongest = 256;  // base^256 is infinite for every sensible base: longer matches change nothing.
  const size_t end = history.size - 1;
  for (size_t i = 0; i < history.size; ++i) {
    if (InVocabulary(history.At(i), n)) longest[history.At(i)] = 0;
  }
  for (size_t i = 0; i < end; ++i) {
    const int32_t next = history.At(i + 1);
    if (!InVocabulary(next, n)) continue;
    size_t match = 0;
    while (match <= i && match < kLongest && history.At(i - match) == history.At(end - match) &&
           !IsBreaker(edits.dry_breakers, row, history.At(i - match))) {
      ++match;
    }
    if (match > longest[next]) longest[next] = static_cast<uint32_t>(match);
  }
  for (size_t i = 0; i < history.size; ++i) {
    const int32_t token = history.At(i);
    if (!InVocabulary(token, n)) continue;
    const auto match = static_cast<int32_t>(longest[token]);
    longest[token] = 0;
    if (match == 0 || match < edits.dry_allowed) continue;
    double penalty = static_cast<double>(edits.dry_multiplier);
    for (int32_t k = edits.dry_allowed; k < match; ++k) penalty *= static_cast<double>(edits.dry_base);
    x[token] -= static_cast<float>(penalty);
  }
}

// Copies row x and edits the copy. `scratch` is [n].
template <class V, class E>
void EditRow(const LogitEdits& edits, size_t row, const typename E::T* x, size_t n, uint32_t* scratch, float* out) {
  CopyRow<V, E>(x, n, edits.softcap, out);
  if (edits.bitmask != nullptr) {
    const size_t offset = edits.mask_per_row ? row * edits.mask_words : 0;
    ApplyBitmask<V>(edits.bitmask + offset, edits.mask_words, n, out);
  }
  Ban(edits.banned, row, n, out);
  const size_t generated = edits.output.Size(row);
  if (generated < static_cast<size_t>(edits.min_tokens.At(row))) Ban(edits.stop, row, n, out);
  const int32_t* biased = edits.bias_tokens.Begin(row);
  for (size_t i = 0; i < edits.bias_tokens.Size(row); ++i) {
    if (InVocabulary(biased[i], n)) out[biased[i]] += edits.bias[biased - edits.bias_tokens.tokens + i];
  }
  const size_t prompt = edits.prompt.Size(row);
  const History history = {edits.prompt.Begin(row), edits.output.Begin(row), prompt, prompt + generated};
  Penalize(edits, row, history, n, scratch, out);
  BanRepeatedNgrams(static_cast<size_t>(edits.no_repeat_ngram.At(row)), history, n, out);
  PenalizeDry(edits, row, history, n, scratch, out);
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_SAMPLING_EDITS_CPU_H_
