#ifndef CROSSTHINK_TEXT_SHA256_H_
#define CROSSTHINK_TEXT_SHA256_H_

#include <cstddef>
#include <cstdint>
#include <string>
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
  // The digests of messages, in less time than one after the other. They are padded in place.
  static void All(std::string* messages, size_t count, uint8_t (*digests)[32]);

 private:
  uint32_t state_[8];
  uint8_t block_[64];
  size_t filled_ = 0;
  uint64_t bytes_ = 0;
  void (*compress_)(uint32_t state[8], const uint8_t* data, size_t blocks);
};

}  // namespace crossthink

#endif  // CROSSTHINK_TEXT_SHA256_H_
