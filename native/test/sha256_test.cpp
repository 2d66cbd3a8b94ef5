#include "text/sha256.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>

namespace crossthink {
namespace {

using Digest = std::array<uint8_t, 32>;

Digest Hash(std::string_view text, bool portable, size_t piece) {
  Sha256 hash(portable);
  for (size_t at = 0; at < text.size(); at += piece) hash.Update(text.substr(at, piece));
  Digest digest;
  hash.Finish(digest.data());
  return digest;
}

// FIPS 180-4, example of one block: "abc".
TEST(Sha256, KnownDigest) {
  const Digest expected = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
                           0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
                           0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
  EXPECT_EQ(Hash("abc", true, 3), expected);
  EXPECT_EQ(Hash("abc", false, 1), expected);
}

TEST(Sha256, InstructionsAndPiecesDoNotMatter) {
  std::string text;
  for (int i = 0; i < 300; i++) {
    const Digest whole = Hash(text, true, std::max<size_t>(text.size(), 1));
    for (size_t piece : {1U, 7U, 64U, 100U}) EXPECT_EQ(Hash(text, false, piece), whole) << i;
    text.push_back(static_cast<char>(i * 31));
  }
}

TEST(Sha256, ManyAtOnce) {
  for (size_t count = 0; count <= 9; count++) {
    for (size_t step : {0U, 1U, 9U, 55U, 64U, 131U}) {
      std::string messages[9];
      std::string padded[9];
      uint8_t digests[9][32];
      for (size_t i = 0; i < count; i++) messages[i].assign(step * (i * 5 % 7), static_cast<char>('a' + i));
      std::ranges::copy(messages, padded);
      Sha256::All(padded, count, digests);
      for (size_t i = 0; i < count; i++) {
        EXPECT_TRUE(std::ranges::equal(digests[i], Hash(messages[i], true, 1000))) << count << ' ' << step << ' ' << i;
      }
    }
  }
}

}  // namespace
}  // namespace crossthink
