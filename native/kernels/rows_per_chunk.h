#ifndef CROSSTHINK_KERNELS_ROWS_PER_CHUNK_H_
#define CROSSTHINK_KERNELS_ROWS_PER_CHUNK_H_

#include <cstddef>

namespace crossthink {

// Rows a thread takes at a time: enough logits (64k, some 5 us of work) to pay for waking it.
constexpr size_t RowsPerChunk(size_t vocab) {
  constexpr size_t kLogits = size_t{1} << 16;
  return vocab >= kLogits ? 1 : kLogits / (vocab == 0 ? 1 : vocab);
}

}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_ROWS_PER_CHUNK_H_
