#ifndef CROSSTHINK_KERNELS_LOGITS_H_
#define CROSSTHINK_KERNELS_LOGITS_H_

#include <cstddef>
#include <cstdint>

#include "spec/annotate.h"

namespace crossthink {

enum class DType : uint8_t { kFloat32 = 0, kBfloat16 = 1, kFloat16 = 2 };

constexpr size_t kDTypes = 3;

constexpr size_t DTypeSize(DType type) { return type == DType::kFloat32 ? 4 : 2; }

// A row-major matrix of logits: `vocab` columns are real, rows are `stride` elements apart.
struct Logits {
  const void* data = nullptr;
  DType type = DType::kFloat32;
  size_t rows = 0;
  size_t vocab = 0;
  size_t stride = 0;
};

// A parameter that is one number for all rows, or one per row.
struct RowFloat {
  const float* values = nullptr;
  float scalar = 0;
  CT_HD float At(size_t row) const { return values != nullptr ? values[row] : scalar; }
};

struct RowInt {
  const int32_t* values = nullptr;
  int32_t scalar = 0;
  CT_HD int32_t At(size_t row) const { return values != nullptr ? values[row] : scalar; }
};

// Token ids per row, packed: row i holds [offsets[i], offsets[i + 1]). Without offsets one list serves all rows.
struct TokenLists {
  const int32_t* tokens = nullptr;
  const int32_t* offsets = nullptr;
  size_t length = 0;  // Of `tokens`.
  CT_HD const int32_t* Begin(size_t row) const { return tokens + (offsets != nullptr ? offsets[row] : 0); }
  CT_HD size_t Size(size_t row) const {
    return offsets != nullptr ? static_cast<size_t>(offsets[row + 1] - offsets[row]) : length;
  }
};

// What became of a row. Codes are part of the API (lib/kernels/status.ts).
enum class RowStatus : uint8_t {
  kOk = 0,
  kNan = 1,               // A NaN among the logits.
  kPositiveInfinity = 2,  // +inf, or a value whose product with log2(e)/T overflows.
  kAllMasked = 3,         // Nothing but -inf.
  kTargetMasked = 4,      // The target token's own logit is -inf: log-prob -inf.
  kTargetOutOfRange = 5,  // The target token is not in [0, vocab), or not in its row's kept set.
  kIgnored = 6,           // The target is the ignore index: log-prob and gradient 0.
};

}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_LOGITS_H_
