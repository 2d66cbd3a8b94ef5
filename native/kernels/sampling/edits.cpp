#include "kernels/sampling/sampling.h"

namespace crossthink {

bool LogitEdits::Any() const {
  const auto row_float = [](const RowFloat& p, float off) { return p.values != nullptr || p.scalar != off; };
  const auto row_int = [](const RowInt& p) { return p.values != nullptr || p.scalar != 0; };
  return softcap > 0 || bitmask != nullptr || banned.length != 0 || bias_tokens.length != 0 || row_int(min_tokens) ||
         row_float(repetition, 1) || row_float(presence, 0) || row_float(frequency, 0) || row_int(no_repeat_ngram) ||
         dry_multiplier != 0;
}

}  // namespace crossthink
