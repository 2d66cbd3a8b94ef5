#ifndef CROSSTHINK_TEXT_DUPLICATE_INDEX_H_
#define CROSSTHINK_TEXT_DUPLICATE_INDEX_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace crossthink {

// The questions seen so far: finds the one that a new question repeats, exactly (equal keys) or nearly (signatures that
// agree in a share of `threshold`; candidates meet in one of `bands` tables of `rows` hashes each). Answers depend on
// the questions and their order alone. About 36 bytes a question, and for near duplicates `bands` * (`rows` + 9) more.
class DuplicateIndex {
 public:
  enum class Match : uint8_t { kNew = 0, kEqual = 1, kNear = 2 };

  DuplicateIndex(size_t bands, size_t rows, double threshold);
  // bands = 0: exact duplicates only, and `signature` is not read.
  size_t SignatureBytes() const { return bands_ * rows_; }

  // For a repeated question: the earliest one that it repeats, in `id` (16 bytes), and their similarity. Otherwise the
  // question joins the index.
  Match Add(const uint8_t key[16], const uint8_t id[16], const uint8_t* signature, uint8_t* first_id,
            double* similarity);

 private:
  static constexpr size_t kBlock = 4096;
  struct Block {
    uint8_t keys[kBlock][16];
    uint8_t ids[kBlock][16];
    std::unique_ptr<uint8_t[]> signatures;
  };
  struct Band {
    std::vector<int32_t> heads;
    std::vector<uint8_t> lengths;
    std::vector<int32_t> chain;
  };

  const uint8_t* SignatureOf(size_t place) const {
    return blocks_[place / kBlock]->signatures.get() + place % kBlock * SignatureBytes();
  }
  size_t Slot(size_t band, const uint8_t* signature) const;
  int32_t FindNear(const uint8_t* signature, double* similarity);
  void Insert(size_t place);
  void Grow();

  size_t bands_;
  size_t rows_;
  size_t least_equal_;
  size_t count_ = 0;
  size_t slots_;
  std::vector<std::unique_ptr<Block>> blocks_;
  std::vector<int32_t> exact_;  // Open addressing by key, twice as many slots as questions.
  std::vector<Band> tables_;
  std::vector<int32_t> candidates_;
};

}  // namespace crossthink

#endif  // CROSSTHINK_TEXT_DUPLICATE_INDEX_H_
