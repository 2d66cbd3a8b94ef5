#ifndef CROSSTHINK_TEXT_PLAIN_ROWS_H_
#define CROSSTHINK_TEXT_PLAIN_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace crossthink {

// Lines of a block, whose last needs no newline, and those of them that are rows: blank ones are not.
struct LineCount {
  size_t lines;
  size_t rows;
};
LineCount CountLines(std::string_view block);

// How rows of JSON name one question and one gold; lib/data/adapters/adapter.ts.
struct PlainShape {
  std::vector<std::string> question;
  std::vector<std::string> answer;
  std::string mark;     // The gold stands behind its last occurrence; empty: the answer is the gold.
  std::string subject;  // Empty: rows of this shape share theirs.
  size_t max_words;     // Of a gold that is text; 0: any number.
  bool ascii;           // Only rows whose texts are ASCII.
};

// A batch being filled: the buffers of QuestionRows, with room for what is left of the block.
struct PlainBatch {
  char* arena;
  uint32_t* ends;
  int32_t* heads;
  size_t used;   // Of the arena.
  size_t texts;  // Of ends.
  size_t rows;
  size_t largest;
};

// The native short cut of curation: rows of JSON Lines → rows of a batch, without values of JavaScript in between. It
// takes only *ordinary* rows, of which adapter and filter can make nothing but the question that stands there: a gold
// that is an integer in its canonical spelling, or begins with a letter. All others are left to lib/, which is the
// specification.
class PlainRows {
 public:
  explicit PlainRows(PlainShape shape) : shape_(std::move(shape)) {}

  // Rows of this subject whose gold is an integer, or is none, belong to a profile of the batch. Rows of others are not
  // ordinary.
  void Learn(std::string subject, bool integer, int32_t profile);

  // Reads lines of `block` (valid UTF-8) from `at`, as long as they are ordinary or blank and rows are at most
  // `last_row`; `row` is the number of the next row. Adds them to `batch`.
  struct Place {
    size_t at;  // Start of a line; beyond the end of the block: all is read.
    int32_t row;
    int32_t lines;  // Read so far.
  };
  void Read(std::string_view block, int32_t last_row, Place* place, PlainBatch* batch);

 private:
  bool Parse(std::string_view line);
  bool Judge();

  PlainShape shape_;
  std::unordered_map<std::string, int32_t> profiles_[2];
  // Of the row at hand: its texts stand in the block, or where they have escapes in `unescaped_`.
  std::string_view question_text_;
  std::string_view answer_text_;
  std::string_view subject_text_;
  std::string unescaped_[3];
  std::string scratch_;
  std::string_view question_;
  std::string_view gold_;
  int32_t profile_ = 0;
};

}  // namespace crossthink

#endif  // CROSSTHINK_TEXT_PLAIN_ROWS_H_
