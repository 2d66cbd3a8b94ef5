#ifndef CROSSTHINK_TEXT_QUESTION_ROWS_H_
#define CROSSTHINK_TEXT_QUESTION_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace crossthink {

// What many rows of a batch share, as JSON text (lib/curation/questionBatch.ts makes it).
struct QuestionProfile {
  std::string key_head;    // ["gsm8k",
  std::string key_type;    // ,"integer",
  std::string head;        // "source":"gsm8k","domain":"math","form":"open-ended","question":
  std::string answer;      // ,"answer":{"type":"integer","value":
  std::string place_head;  // "provenance":{"dataset":"gsm8k","file":"a.jsonl","row":
  std::string place_tail;  // ,"licence":"MIT","steps":["adapter:gsm8k"]}}
  std::string form;        // open-ended
};

// A batch of questions as UTF-8: the texts of all rows one behind the other in `arena`; text i ends at ends[i].
// A row has the texts named below, then label and text of each option.
struct QuestionRows {
  enum Text { kId, kQuestion, kValue, kAnswerTail, kPassRate, kDuplicateText, kOptions };
  enum Flag { kLineGiven = 1, kDuplicateTextGiven = 2 };
  struct Head {
    int32_t profile;
    int32_t row;  // Of the file, from 1.
    int32_t options;
    int32_t flags;
  };

  const char* arena;
  const uint32_t* ends;
  const Head* heads;
  size_t rows;
  const std::vector<QuestionProfile>* profiles;

  std::string_view TextAt(size_t index) const {
    const uint32_t begin = index == 0 ? 0 : ends[index - 1];
    return {arena + begin, ends[index] - begin};
  }
};

constexpr size_t kIdBytes = 32;
constexpr size_t kKeyBytes = 16;

// Writes one line of JSON a row to `out` and where it ends to `line_ends`; ids, kIdBytes each, to `ids`. Returns the
// bytes needed: where these are more than `capacity`, what `out` holds is of no use.
//
// An empty kId is computed as lib/data/question.ts does: SHA-256 over JSON.stringify([source, question, options, type,
// value]), first 16 bytes in hex. With kLineGiven, kQuestion is the line itself and kId is given.
size_t WriteQuestionLines(const QuestionRows& batch, char* out, size_t capacity, uint32_t* line_ends, char* ids);

// What duplicates are recognised by. `keys`: kKeyBytes of SHA-256 over form, NUL, and the text of lib/filters/
// normalise.ts (given, or made here: the row is ASCII then). `signatures` (null: not wanted): a MinHash signature a
// row.
struct MinHashSettings {
  size_t size;
  size_t shingle;
};
void WriteDuplicateKeys(const QuestionRows& batch, uint8_t* keys, uint8_t* signatures, const MinHashSettings& settings);

}  // namespace crossthink

#endif  // CROSSTHINK_TEXT_QUESTION_ROWS_H_
