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

TEST(Sha256, TwoAtOnce) {
  const std::string text(300, 'x');
  for (size_t a : {0U, 1U, 55U, 64U, 128U, 129U, 300U}) {
    for (size_t b : {0U, 63U, 64U, 65U, 200U, 299U}) {
      const std::string_view first = std::string_view(text).substr(0, a);
      const std::string second = std::string(b, 'y');
      uint8_t digests[2][32];
      Sha256::Two(first, second, digests);
      EXPECT_TRUE(std::ranges::equal(digests[0], Hash(first, true, 300))) << a << ' ' << b;
      EXPECT_TRUE(std::ranges::equal(digests[1], Hash(second, true, 300))) << a << ' ' << b;
    }
  }
}

}  // namespace
}  // namespace crossthink
