#ifndef CROSSTHINK_KERNELS_SAMPLING_EDITS_CPU_H_
#define CROSSTHINK_KERNELS_SAMPLING_EDITS_CPU_H_

#include <cstddef>
#include <cstdint>

#include "kernels/elements.h"
#include "kernels/sampling/sampling.h"
#include "kernels/sampling/token_edits.h"
#include "kernels/softcap.h"
#include "spec/annotate.h"
#include "spec/bits.h"

// Changes to a row before filtering: a float32 copy is edited, dense edits by vectors, the others token by token.
namespace crossthink {
namespace {

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

// Copies row x and edits the copy. `scratch` is [n].
template <class V, class E>
void EditRow(const LogitEdits& edits, size_t row, const typename E::T* x, size_t n, uint32_t* scratch, float* out) {
  CopyRow<V, E>(x, n, edits.softcap, out);
  if (edits.bitmask != nullptr) {
    const size_t offset = edits.mask_per_row ? row * edits.mask_words : 0;
    ApplyBitmask<V>(edits.bitmask + offset, edits.mask_words, n, out);
  }
  EditTokens(edits, row, WholeVocabulary{n}, scratch, out);
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_SAMPLING_EDITS_CPU_H_
