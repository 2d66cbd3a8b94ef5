#ifndef CROSSTHINK_KERNELS_MINHASH_MINHASH_H_
#define CROSSTHINK_KERNELS_MINHASH_MINHASH_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace crossthink {

// Hash functions are padded to a multiple of this.
constexpr size_t kMinHashLanes = 16;

struct MinHashKernel {
  // minima[k] = the least bases[i] * multipliers[k] + addends[k] modulo 2^32, unsigned, over all i; 2^32 - 1 for none.
  // `functions` is a multiple of kMinHashLanes.
  void (*minima)(const uint32_t* bases, size_t count, const uint32_t* multipliers, const uint32_t* addends,
                 size_t functions, uint32_t* minima);
};

// MinHash signatures over the byte shingles of texts: a polynomial rolling hash modulo 2^32, finalised (Murmur3's
// 32-bit finaliser), through `size` multiply-add hashes with fixed constants. The same on every machine.
//
// A signature keeps the lowest byte of each minimum: two that differ agree by chance once in 256, which raises an
// estimated similarity of 0.8 by 0.0008, far below the estimate's own standard error (0.04 for 112 hashes).
class MinHash {
 public:
  MinHash(size_t size, size_t shingle);
  // A text shorter than a shingle is one shingle; an empty one has none.
  void Sign(std::string_view text, uint8_t* signature);

 private:
  size_t size_;
  size_t shingle_;
  uint32_t power_ = 1;
  std::vector<uint32_t> multipliers_;
  std::vector<uint32_t> addends_;
  std::vector<uint32_t> bases_;
  std::vector<uint32_t> minima_;
};

// Murmur3's 32-bit finaliser.
inline uint32_t FinaliseHash(uint32_t h) {
  h = (h ^ (h >> 16)) * 0x85ebca6bU;
  h = (h ^ (h >> 13)) * 0xc2b2ae35U;
  return h ^ (h >> 16);
}

}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_MINHASH_MINHASH_H_
