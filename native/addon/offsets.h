#ifndef CROSSTHINK_ADDON_OFFSETS_H_
#define CROSSTHINK_ADDON_OFFSETS_H_

#include <cstddef>
#include <cstdint>

namespace crossthink::addon {

// The first index at which `count` + 1 offsets break 0 = o[0] <= o[1] <= ... = total, or -1. Kernels index with them.
inline ptrdiff_t BadOffset(const int32_t* offsets, size_t count, size_t total) {
  if (offsets[0] != 0) return 0;
  for (size_t i = 1; i <= count; ++i) {
    if (offsets[i] < offsets[i - 1] || static_cast<size_t>(offsets[i]) > total) return static_cast<ptrdiff_t>(i);
  }
  return static_cast<size_t>(offsets[count]) == total ? -1 : static_cast<ptrdiff_t>(count);
}

}  // namespace crossthink::addon

#endif  // CROSSTHINK_ADDON_OFFSETS_H_
