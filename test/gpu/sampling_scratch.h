#ifndef CROSSTHINK_TEST_GPU_SAMPLING_SCRATCH_H_
#define CROSSTHINK_TEST_GPU_SAMPLING_SCRATCH_H_

#include <cstddef>
#include <cstdint>

#include "kernels/sampling/sampling.h"
#include "kernels/sampling/scratch_memory.h"

// What the checks of sampling share.
namespace crossthink::gpu {

constexpr uint8_t kPlainSteps[] = {static_cast<uint8_t>(SamplingStep::kTemperature),
                                   static_cast<uint8_t>(SamplingStep::kTopK), static_cast<uint8_t>(SamplingStep::kTopP),
                                   static_cast<uint8_t>(SamplingStep::kMinP)};

// Working memory of the CPU kernel.
struct HostScratch {
  explicit HostScratch(size_t vocab) : view(memory.For(vocab)) {}

  ScratchMemory memory;
  SamplingScratch view;
};

}  // namespace crossthink::gpu

#endif  // CROSSTHINK_TEST_GPU_SAMPLING_SCRATCH_H_
