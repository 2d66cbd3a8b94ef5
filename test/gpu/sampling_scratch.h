#ifndef CROSSTHINK_TEST_GPU_SAMPLING_SCRATCH_H_
#define CROSSTHINK_TEST_GPU_SAMPLING_SCRATCH_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/sampling/sampling.h"

// What the checks of sampling share.
namespace crossthink::gpu {

constexpr uint8_t kPlainSteps[] = {static_cast<uint8_t>(SamplingStep::kTemperature),
                                   static_cast<uint8_t>(SamplingStep::kTopK), static_cast<uint8_t>(SamplingStep::kTopP),
                                   static_cast<uint8_t>(SamplingStep::kMinP)};

// Working memory of the CPU kernel.
struct HostScratch {
  explicit HostScratch(size_t vocab)
      : raw(spec::TileCount(vocab)),
        processed(raw.size()),
        floats(raw.size() * kMaximaPerTile + 5 * (vocab + kSlack)),
        ids(2 * (vocab + kSlack)),
        candidates(vocab + kSlack) {
    const size_t n = vocab + kSlack;
    float* at = floats.data();
    const auto take = [&at](size_t size) { return (at += size) - size; };
    view.raw = raw.data();
    view.processed = processed.data();
    view.maxima = take(raw.size() * kMaximaPerTile);
    view.edited = take(n);
    view.set = {take(n), ids.data(), take(n), 0};
    view.narrowed = {take(n), ids.data() + n, take(n), 0};
    view.candidates = candidates.data();
  }

  std::vector<spec::TilePartial> raw, processed;
  std::vector<float> floats;
  std::vector<uint32_t> ids;
  std::vector<Candidate> candidates;
  SamplingScratch view = {};
};

}  // namespace crossthink::gpu

#endif  // CROSSTHINK_TEST_GPU_SAMPLING_SCRATCH_H_
