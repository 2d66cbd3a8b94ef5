#include "text/duplicate_index.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "kernels/minhash/minhash.h"

namespace crossthink {
namespace {

constexpr int32_t kNone = -1;
constexpr size_t kFirstSlots = 4096;
// Questions a bucket: rows made from one template all meet, and comparing each with each would take for ever.
constexpr uint8_t kLongestChain = 64;

size_t KeySlot(const uint8_t key[16], size_t slots) {
  uint64_t hash;
  std::memcpy(&hash, key, sizeof(hash));
  return hash & (slots - 1);
}

// Eight bytes at a time: the high bit of each byte of `equal` is set where the byte of `x` is zero.
size_t EqualBytes(const uint8_t* a, const uint8_t* b, size_t count) {
  constexpr uint64_t kLow = 0x7f7f7f7f7f7f7f7fU;
  size_t found = 0;
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    uint64_t x;
    uint64_t y;
    std::memcpy(&x, a + i, 8);
    std::memcpy(&y, b + i, 8);
    x ^= y;
    const uint64_t equal = ~(((x & kLow) + kLow) | x | kLow);
    found += static_cast<size_t>(std::popcount(equal));
  }
  for (; i < count; i++) found += a[i] == b[i] ? 1 : 0;
  return found;
}

}  // namespace

DuplicateIndex::DuplicateIndex(size_t bands, size_t rows, double threshold)
    : bands_(bands),
      rows_(rows),
      least_equal_(static_cast<size_t>(std::ceil(threshold * static_cast<double>(bands * rows) - 1e-9))),
      slots_(kFirstSlots),
      exact_(2 * kFirstSlots, kNone),
      tables_(bands) {
  for (Band& band : tables_) {
    band.heads.assign(slots_, kNone);
    band.lengths.assign(slots_, 0);
    band.chain.assign(slots_, kNone);
  }
}

DuplicateIndex::Match DuplicateIndex::Add(const uint8_t key[16], const uint8_t id[16], const uint8_t* signature,
                                          uint8_t* first_id, double* similarity) {
  size_t slot = KeySlot(key, exact_.size());
  for (; exact_[slot] != kNone; slot = (slot + 1) & (exact_.size() - 1)) {
    const size_t place = static_cast<size_t>(exact_[slot]);
    const Block& block = *blocks_[place / kBlock];
    if (std::memcmp(block.keys[place % kBlock], key, 16) != 0) continue;
    std::memcpy(first_id, block.ids[place % kBlock], 16);
    *similarity = 1;
    return Match::kEqual;
  }
  if (bands_ > 0) {
    const int32_t near = FindNear(signature, similarity);
    if (near != kNone) {
      std::memcpy(first_id, blocks_[static_cast<size_t>(near) / kBlock]->ids[static_cast<size_t>(near) % kBlock], 16);
      return Match::kNear;
    }
  }
  const size_t place = count_++;
  if (place % kBlock == 0) {
    blocks_.push_back(std::make_unique<Block>());
    if (bands_ > 0) blocks_.back()->signatures.reset(new uint8_t[kBlock * SignatureBytes()]);
  }
  Block& block = *blocks_.back();
  std::memcpy(block.keys[place % kBlock], key, 16);
  std::memcpy(block.ids[place % kBlock], id, 16);
  if (bands_ > 0) std::memcpy(block.signatures.get() + place % kBlock * SignatureBytes(), signature, SignatureBytes());
  exact_[slot] = static_cast<int32_t>(place);
  if (count_ > slots_) {
    Grow();
  } else if (bands_ > 0) {
    Insert(place);
  }
  return Match::kNew;
}

size_t DuplicateIndex::Slot(size_t band, const uint8_t* signature) const {
  uint64_t hash = band + 1;
  for (size_t r = 0; r < rows_; r++) hash = (hash ^ signature[band * rows_ + r]) * 0x100000001b3U;
  return FinaliseHash(static_cast<uint32_t>(hash ^ (hash >> 32))) & (slots_ - 1);
}

int32_t DuplicateIndex::FindNear(const uint8_t* signature, double* similarity) {
  candidates_.clear();
  for (size_t b = 0; b < bands_; b++) {
    const Band& band = tables_[b];
    for (int32_t place = band.heads[Slot(b, signature)]; place != kNone;
         place = band.chain[static_cast<size_t>(place)]) {
      candidates_.push_back(place);
    }
  }
  std::sort(candidates_.begin(), candidates_.end());
  int32_t before = kNone;
  for (const int32_t place : candidates_) {
    if (place == before) continue;
    before = place;
    const size_t equal = EqualBytes(signature, SignatureOf(static_cast<size_t>(place)), SignatureBytes());
    if (equal < least_equal_) continue;
    *similarity = static_cast<double>(equal) / static_cast<double>(SignatureBytes());
    return place;
  }
  return kNone;
}

void DuplicateIndex::Insert(size_t place) {
  const uint8_t* const signature = SignatureOf(place);
  for (size_t b = 0; b < bands_; b++) {
    Band& band = tables_[b];
    const size_t slot = Slot(b, signature);
    if (band.lengths[slot] >= kLongestChain) continue;
    band.lengths[slot]++;
    band.chain[place] = band.heads[slot];
    band.heads[slot] = static_cast<int32_t>(place);
  }
}

// Twice the slots; every question is put in anew, in its order.
void DuplicateIndex::Grow() {
  slots_ *= 2;
  std::vector<int32_t>(2 * slots_, kNone).swap(exact_);
  for (Band& band : tables_) {
    std::vector<int32_t>(slots_, kNone).swap(band.heads);
    std::vector<uint8_t>(slots_, 0).swap(band.lengths);
    std::vector<int32_t>(slots_, kNone).swap(band.chain);
  }
  for (size_t place = 0; place < count_; place++) {
    const uint8_t* const key = blocks_[place / kBlock]->keys[place % kBlock];
    size_t slot = KeySlot(key, exact_.size());
    while (exact_[slot] != kNone) slot = (slot + 1) & (exact_.size() - 1);
    exact_[slot] = static_cast<int32_t>(place);
    if (bands_ > 0) Insert(place);
  }
}

}  // namespace crossthink
