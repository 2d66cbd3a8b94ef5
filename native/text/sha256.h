#ifndef CROSSTHINK_TEXT_SHA256_H_
#define CROSSTHINK_TEXT_SHA256_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace crossthink {

// SHA-256 (FIPS 180-4) of a sequence of pieces. Uses the processor's SHA instructions where it has them.
class Sha256 {
 public:
  // `portable`: without the SHA instructions (tests).
  explicit Sha256(bool portable = false);
  void Update(std::string_view piece);
  // Writes the digest; the object is used up.
  void Finish(uint8_t digest[32]);
  // The digests of two messages, in less than twice the time of one.
  static void Two(std::string_view first, std::string_view second, uint8_t digests[2][32]);

 private:
  uint32_t state_[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  uint8_t block_[64];
  size_t filled_ = 0;
  uint64_t bytes_ = 0;
  void (*compress_)(uint32_t state[8], const uint8_t* data, size_t blocks);
};

}  // namespace crossthink

#endif  // CROSSTHINK_TEXT_SHA256_H_
