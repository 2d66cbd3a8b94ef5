#ifndef CROSSTHINK_TEXT_QUESTION_PARQUET_H_
#define CROSSTHINK_TEXT_QUESTION_PARQUET_H_

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "text/parquet_columns.h"

namespace crossthink {

// Lines of questions.jsonl → Parquet with the same fields, nested as they are. Row groups end by counts of rows and
// bytes, so the file depends on the lines alone, not on how they were cut into calls.
class QuestionParquet {
 public:
  // A line's bytes around id, question, gold and row: what lines in sequence mostly share.
  struct Frame {
    std::array<std::string, 5> parts;
    bool known = false;
  };

  QuestionParquet(std::string created_by, ParquetFile::Sink sink);

  // Whole lines. Returns false, with `error` saying what is wrong, at the first line that is no question.
  bool Append(std::string_view lines);
  void Finish();
  const std::string& error() const { return error_; }

 private:
  void EndRowGroup();

  ParquetFile file_;
  Frame frame_;
  size_t rows_ = 0;
  size_t bytes_ = 0;
  std::string error_;
};

}  // namespace crossthink

#endif  // CROSSTHINK_TEXT_QUESTION_PARQUET_H_
