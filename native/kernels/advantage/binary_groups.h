#ifndef CROSSTHINK_KERNELS_ADVANTAGE_BINARY_GROUPS_H_
#define CROSSTHINK_KERNELS_ADVANTAGE_BINARY_GROUPS_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/advantage/advantage.h"
#include "kernels/advantage/columns.h"
#include "spec/annotate.h"

// Groups of 4, 8 or 16 rewards that are all 0 or 1, and a linear formula. Their sums are exact in any order (the mean
// is a multiple of 1/16), so an advantage depends on nothing but the reward and how many of its group are 1. There are
// few such groups: the loops for any rewards do one of each, and the rest is looked up.
namespace crossthink {
namespace {

template <class V, size_t kSize>
struct BinaryTable {
  static constexpr size_t kCounts = kSize + 1;
  static constexpr bool kBytes = kSize < V::kWidth;  // Eight rewards, one or two groups, are looked up by their bits.
  static constexpr size_t kPerByte = 8 / (kSize < 8 ? kSize : 8);
  float one[kCounts], zero[kCounts];  // The advantage of a 1 and of a 0 in a group of so many ones.
  uint8_t flat[kCounts];
  alignas(64) float eight[kBytes ? 256 * 8 + V::kWidth : 1];
  uint8_t flags[kBytes ? 256 * kPerByte : 1];

  // `range` does groups of any rewards.
  template <class Range>
  void Fill(const GroupAdvantages& given, Range range) {
    float rewards[kCounts * kSize], advantages[kCounts * kSize];
    GroupAdvantages op = given;
    op.rewards = rewards;
    op.advantages = advantages;
    op.zero_variance = flat;
    op.groups = kCounts;
    op.count = kCounts * kSize;
    for (size_t n = 0; n < kCounts; ++n) {
      for (size_t i = 0; i < kSize; ++i) rewards[n * kSize + i] = i < n ? 1.0F : 0.0F;
    }
    range(op, 0, kCounts);
    for (size_t n = 0; n < kCounts; ++n) {
      one[n] = advantages[n * kSize];
      zero[n] = advantages[n * kSize + kSize - 1];
    }
    if constexpr (kBytes) {
      for (size_t byte = 0; byte < 256; ++byte) {
        for (size_t k = 0; k < kPerByte; ++k) {
          const uint32_t bits = static_cast<uint32_t>(byte) >> (k * kSize) & ((1U << kSize) - 1U);
          const auto n = static_cast<size_t>(__builtin_popcount(bits));
          const typename V::F both = V::Select(V::FromMaskBits(bits), V::Set(one[n]), V::Set(zero[n]));
          V::Store(eight + byte * 8 + k * kSize, both);  // What is too much is written again by the next ones.
          flags[byte * kPerByte + k] = flat[n];
        }
      }
    }
  }
};

// As many groups as possible, from `first` on, 16 at a time. Where it stopped.
template <class V, size_t kSize, class Range>
size_t BinaryGroups(const GroupAdvantages& op, size_t first, size_t end, Range range) {
  using Table = BinaryTable<V, kSize>;
  constexpr size_t w = V::kWidth;
  constexpr size_t kVectors = 16 * kSize / w;
  Table table;
  bool filled = false;
  const float* rewards = op.rewards + first * kSize;
  float* advantages = op.advantages + first * kSize;
  uint8_t* flags = op.zero_variance + first;
  for (; end - first >= 16; first += 16) {
    typename V::M ones[kVectors];
    typename V::M binary = V::Equal(V::Set(0.0F), V::Set(0.0F));
    for (size_t i = 0; i < kVectors; ++i) {
      V::Prefetch(rewards + i * w + kAhead);
      V::Prefetch(advantages + i * w + kAhead);
      const typename V::F x = V::Load(rewards + i * w);
      ones[i] = V::Equal(x, V::Set(1.0F));
      binary = V::And(binary, V::Or(ones[i], V::Equal(x, V::Set(0.0F))));
    }
    if (V::Any(V::Not(binary))) return first;
    if (!filled) table.Fill(op, range);
    filled = true;
    if constexpr (Table::kBytes) {
      for (size_t i = 0; i < kVectors; ++i) {
        const uint32_t bits = V::ToBits(ones[i]);
        for (size_t b = 0; b < w / 8; ++b) {
          const size_t byte = bits >> (8 * b) & 255;
          memcpy(advantages + i * w + 8 * b, table.eight + byte * 8, 8 * sizeof(float));
          memcpy(flags + (i * w / 8 + b) * Table::kPerByte, table.flags + byte * Table::kPerByte, Table::kPerByte);
        }
      }
    } else {
      constexpr size_t kParts = kSize / w;
      for (size_t g = 0; g < 16; ++g) {
        size_t n = 0;
        for (size_t i = 0; i < kParts; ++i) n += V::Count(ones[g * kParts + i]);
        const typename V::F one = V::Set(table.one[n]);
        const typename V::F zero = V::Set(table.zero[n]);
        for (size_t i = 0; i < kParts; ++i) {
          V::Store(advantages + g * kSize + i * w, V::Select(ones[g * kParts + i], one, zero));
        }
        flags[g] = table.flat[n];
      }
    }
    rewards += 16 * kSize;
    advantages += 16 * kSize;
    flags += 16;
  }
  return first;
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_ADVANTAGE_BINARY_GROUPS_H_
