#ifndef CROSSTHINK_KERNELS_SAMPLING_SCRATCH_MEMORY_H_
#define CROSSTHINK_KERNELS_SAMPLING_SCRATCH_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "kernels/sampling/sampling.h"
#include "spec/tile.h"

namespace crossthink {

// Kept per thread and grown on demand: candidate buffers are large, though rarely touched beyond their first pages.
class ScratchMemory {
 public:
  SamplingScratch For(size_t vocab) {
    const size_t tiles = spec::TileCount(vocab);
    const size_t candidates = vocab + kSlack;
    size_t size = 0;
    const auto reserve = [&size](size_t bytes) {
      const size_t at = size;
      size += (bytes + 63) / 64 * 64;
      return at;
    };
    const size_t raw = reserve(tiles * sizeof(spec::TilePartial));
    const size_t processed = reserve(tiles * sizeof(spec::TilePartial));
    const size_t maxima = reserve(tiles * kMaximaPerTile * sizeof(float));
    const size_t head = reserve(tiles * kBlocksPerTile * sizeof(double));
    const size_t edited = reserve(candidates * sizeof(float));
    size_t sets[6];
    for (size_t& at : sets) at = reserve(candidates * sizeof(float));
    const size_t sorted = reserve(candidates * sizeof(Candidate));
    if (size > size_) {
      memory_.reset(new std::byte[size]);
      size_ = size;
    }
    const auto floats = [this](size_t at) { return reinterpret_cast<float*>(memory_.get() + at); };
    const auto ints = [this](size_t at) { return reinterpret_cast<uint32_t*>(memory_.get() + at); };
    return {reinterpret_cast<spec::TilePartial*>(memory_.get() + raw),
            reinterpret_cast<spec::TilePartial*>(memory_.get() + processed),
            floats(maxima),
            reinterpret_cast<double*>(memory_.get() + head),
            floats(edited),
            {floats(sets[0]), ints(sets[1]), floats(sets[2]), 0},
            {floats(sets[3]), ints(sets[4]), floats(sets[5]), 0},
            reinterpret_cast<Candidate*>(memory_.get() + sorted),
            false};
  }

 private:
  std::unique_ptr<std::byte[]> memory_;
  size_t size_ = 0;
};

}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_SAMPLING_SCRATCH_MEMORY_H_
