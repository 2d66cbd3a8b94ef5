#ifndef CROSSTHINK_KERNELS_SEQUENCES_PER_TASK_H_
#define CROSSTHINK_KERNELS_SEQUENCES_PER_TASK_H_

#include <cstddef>
#include <cstdint>

namespace crossthink {

// Sequences a thread takes at a time: enough tokens to pay for waking it.
inline size_t SequencesPerTask(const int32_t* offsets, size_t sequences) {
  constexpr size_t kTokensPerTask = 16384;
  if (sequences == 0) return 1;
  const size_t mean = static_cast<size_t>(offsets[sequences]) / sequences;
  return mean >= kTokensPerTask ? 1 : kTokensPerTask / (mean == 0 ? 1 : mean);
}

}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_SEQUENCES_PER_TASK_H_
