#include "text/sha256.h"

#include <algorithm>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace crossthink {
namespace {

constexpr uint32_t kInitial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                  0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

alignas(64) constexpr uint32_t kRound[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

uint32_t BigEndian(const uint8_t* p) {
  return static_cast<uint32_t>(p[0]) << 24 | static_cast<uint32_t>(p[1]) << 16 | static_cast<uint32_t>(p[2]) << 8 |
         p[3];
}

void CompressPortable(uint32_t state[8], const uint8_t* data, size_t blocks) {
  for (; blocks > 0; blocks--, data += 64) {
    uint32_t w[64];
    for (int i = 0; i < 16; i++) w[i] = BigEndian(data + 4 * i);
    for (int i = 16; i < 64; i++) {
      const uint32_t a = w[i - 15];
      const uint32_t b = w[i - 2];
      w[i] = w[i - 16] + (std::rotr(a, 7) ^ std::rotr(a, 18) ^ (a >> 3)) + w[i - 7] +
             (std::rotr(b, 17) ^ std::rotr(b, 19) ^ (b >> 10));
    }
    uint32_t s[8];
    std::copy_n(state, 8, s);
    for (int i = 0; i < 64; i++) {
      const uint32_t sum1 = std::rotr(s[4], 6) ^ std::rotr(s[4], 11) ^ std::rotr(s[4], 25);
      const uint32_t choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
      const uint32_t t1 = s[7] + sum1 + choice + kRound[i] + w[i];
      const uint32_t sum0 = std::rotr(s[0], 2) ^ std::rotr(s[0], 13) ^ std::rotr(s[0], 22);
      const uint32_t majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
      std::copy_backward(s, s + 7, s + 8);
      s[4] += t1;
      s[0] = t1 + sum0 + majority;
    }
    for (int i = 0; i < 8; i++) state[i] += s[i];
  }
}

#if defined(__x86_64__)

// The order of instructions follows Intel's "New Instructions Supporting the Secure Hash Algorithm": the state as ABEF
// and CDGH, four rounds a step, the message schedule computed four words ahead. `kLanes` messages at a time: a round
// waits for the one before, not for those of another message.
template <size_t kLanes>
__attribute__((target("sha,sse4.1"))) void CompressLanes(uint32_t* const* states, const uint8_t* const* data,
                                                         size_t blocks) {
  const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
  __m128i abef[kLanes];
  __m128i cdgh[kLanes];
  for (size_t l = 0; l < kLanes; l++) {
    const __m128i* words = reinterpret_cast<const __m128i*>(states[l]);
    const __m128i low = _mm_shuffle_epi32(_mm_loadu_si128(words), 0xb1);
    const __m128i high = _mm_shuffle_epi32(_mm_loadu_si128(words + 1), 0x1b);
    abef[l] = _mm_alignr_epi8(low, high, 8);
    cdgh[l] = _mm_blend_epi16(high, low, 0xf0);
  }
  for (size_t block = 0; block < blocks; block++) {
    __m128i w[kLanes][4];
    __m128i before[kLanes][2];
    for (size_t l = 0; l < kLanes; l++) {
      const __m128i* words = reinterpret_cast<const __m128i*>(data[l] + 64 * block);
      for (int i = 0; i < 4; i++) w[l][i] = _mm_shuffle_epi8(_mm_loadu_si128(words + i), swap);
      before[l][0] = abef[l];
      before[l][1] = cdgh[l];
    }
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) {
      const __m128i constants = _mm_load_si128(reinterpret_cast<const __m128i*>(kRound) + i);
#pragma GCC unroll 4
      for (size_t l = 0; l < kLanes; l++) {
        const __m128i round = _mm_add_epi32(w[l][i % 4], constants);
        cdgh[l] = _mm_sha256rnds2_epu32(cdgh[l], abef[l], round);
        abef[l] = _mm_sha256rnds2_epu32(abef[l], cdgh[l], _mm_shuffle_epi32(round, 0x0e));
        if (i < 12) {
          __m128i next = _mm_sha256msg1_epu32(w[l][i % 4], w[l][(i + 1) % 4]);
          next = _mm_add_epi32(next, _mm_alignr_epi8(w[l][(i + 3) % 4], w[l][(i + 2) % 4], 4));
          w[l][i % 4] = _mm_sha256msg2_epu32(next, w[l][(i + 3) % 4]);
        }
      }
    }
    for (size_t l = 0; l < kLanes; l++) {
      abef[l] = _mm_add_epi32(abef[l], before[l][0]);
      cdgh[l] = _mm_add_epi32(cdgh[l], before[l][1]);
    }
  }
  for (size_t l = 0; l < kLanes; l++) {
    const __m128i feba = _mm_shuffle_epi32(abef[l], 0x1b);
    const __m128i dchg = _mm_shuffle_epi32(cdgh[l], 0xb1);
    __m128i* out = reinterpret_cast<__m128i*>(states[l]);
    _mm_storeu_si128(out, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128(out + 1, _mm_alignr_epi8(dchg, feba, 8));
  }
}

void CompressShaNi(uint32_t state[8], const uint8_t* data, size_t blocks) { CompressLanes<1>(&state, &data, blocks); }

bool HasShaInstructions() {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
  return (b & (1U << 29)) != 0 && __builtin_cpu_supports("sse4.1") != 0;
}

#endif

using Compress = void (*)(uint32_t state[8], const uint8_t* data, size_t blocks);

Compress ChooseCompress() {
#if defined(__x86_64__)
  if (HasShaInstructions()) return CompressShaNi;
#endif
  return CompressPortable;
}

const Compress kCompress = ChooseCompress();

// Messages hashed side by side, where the processor gains by it.
constexpr size_t kLanes = 2;
using CompressSideBySide = void (*)(uint32_t* const* states, const uint8_t* const* data, size_t blocks);

CompressSideBySide ChooseCompressLanes() {
#if defined(__x86_64__)
  if (HasShaInstructions()) return CompressLanes<kLanes>;
#endif
  return nullptr;
}

const CompressSideBySide kCompressLanes = ChooseCompressLanes();

void AppendPadding(std::string* message) {
  const uint64_t bits = message->size() * 8;
  message->push_back(static_cast<char>(0x80));
  message->append((120 - message->size() % 64) % 64, '\0');
  char length[8];
  for (int i = 0; i < 8; i++) length[i] = static_cast<char>(bits >> (56 - 8 * i));
  message->append(length, 8);
}

void WriteDigest(const uint32_t state[8], uint8_t digest[32]) {
  for (int i = 0; i < 8; i++) {
    for (int byte = 0; byte < 4; byte++) digest[4 * i + byte] = static_cast<uint8_t>(state[i] >> (24 - 8 * byte));
  }
}

}  // namespace

Sha256::Sha256(bool portable) : compress_(portable ? CompressPortable : kCompress) { std::copy_n(kInitial, 8, state_); }

void Sha256::Update(std::string_view piece) {
  const uint8_t* data = reinterpret_cast<const uint8_t*>(piece.data());
  size_t left = piece.size();
  bytes_ += left;
  if (filled_ > 0) {
    const size_t part = std::min(left, sizeof(block_) - filled_);
    std::memcpy(block_ + filled_, data, part);
    filled_ += part;
    data += part;
    left -= part;
    if (filled_ < sizeof(block_)) return;
    compress_(state_, block_, 1);
    filled_ = 0;
  }
  compress_(state_, data, left / 64);
  filled_ = left % 64;
  if (filled_ > 0) std::memcpy(block_, data + (left - filled_), filled_);
}

void Sha256::Finish(uint8_t digest[32]) {
  const uint64_t bits = bytes_ * 8;
  block_[filled_++] = 0x80;
  if (filled_ > 56) {
    std::memset(block_ + filled_, 0, sizeof(block_) - filled_);
    compress_(state_, block_, 1);
    filled_ = 0;
  }
  std::memset(block_ + filled_, 0, 56 - filled_);
  for (int i = 0; i < 8; i++) block_[56 + i] = static_cast<uint8_t>(bits >> (56 - 8 * i));
  compress_(state_, block_, 1);
  WriteDigest(state_, digest);
}

void Sha256::All(std::string* messages, size_t count, uint8_t (*digests)[32]) {
  struct Lane {
    uint32_t state[8];
    const uint8_t* data;
    size_t blocks;
    uint8_t* digest;
  };
  Lane lanes[kLanes];
  size_t active = 0;
  size_t next = 0;
  const auto start = [&](Lane* lane) {
    std::string& message = messages[next];
    AppendPadding(&message);
    std::copy_n(kInitial, 8, lane->state);
    lane->data = reinterpret_cast<const uint8_t*>(message.data());
    lane->blocks = message.size() / 64;
    lane->digest = digests[next++];
  };
  while (active < kLanes && next < count) start(&lanes[active++]);
  while (active > 0) {
    const size_t together = active == kLanes && kCompressLanes != nullptr ? kLanes : 1;
    size_t blocks = lanes[0].blocks;
    uint32_t* states[kLanes];
    const uint8_t* data[kLanes];
    for (size_t l = 0; l < together; l++) {
      blocks = std::min(blocks, lanes[l].blocks);
      states[l] = lanes[l].state;
      data[l] = lanes[l].data;
    }
    if (together == kLanes) {
      kCompressLanes(states, data, blocks);
    } else {
      kCompress(states[0], data[0], blocks);
    }
    for (size_t l = together; l-- > 0;) {
      lanes[l].data += 64 * blocks;
      lanes[l].blocks -= blocks;
      if (lanes[l].blocks > 0) continue;
      WriteDigest(lanes[l].state, lanes[l].digest);
      if (next < count) {
        start(&lanes[l]);
      } else {
        lanes[l] = lanes[--active];
      }
    }
  }
}

}  // namespace crossthink
