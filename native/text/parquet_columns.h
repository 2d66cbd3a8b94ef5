#ifndef CROSSTHINK_TEXT_PARQUET_COLUMNS_H_
#define CROSSTHINK_TEXT_PARQUET_COLUMNS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace crossthink {

// Parquet, as far as columns of text and numbers need it: version 1 data pages, one a column and row group, not
// compressed; long texts plain, repeating ones through a dictionary. https://parquet.apache.org/docs/file-format/

enum class ParquetValue : uint8_t { kText, kDictionaryText, kInt64, kDouble };

// One element of the schema, depth first. `children` > 0: a group; `list`: annotated as LIST.
struct ParquetElement {
  enum Repetition : uint8_t { kRequired = 0, kOptional = 1, kRepeated = 2 };
  const char* name;
  Repetition repetition;
  int children;
  bool list;
  ParquetValue value;  // Of a leaf.
};

// What one leaf of the schema holds of the current row group.
class ParquetColumn {
 public:
  ParquetColumn(std::vector<std::string> path, ParquetValue value, uint8_t max_definition, uint8_t max_repetition);

  // Every entry has its levels; those of the greatest definition level are followed by a value.
  void Levels(uint8_t definition, uint8_t repetition);
  void AddText(std::string_view text);
  void AddInt64(int64_t value);
  void AddDouble(double value);

  ParquetValue value() const { return value_; }
  // Bytes of a kText value are appended to this, behind a length that CloseText fills in: no copy is made.
  std::string& OpenText();
  void CloseText();
  // Forgets what was appended since OpenText.
  void DropText() { plain_.resize(open_); }

  // Ends the entries of a row. RepeatRow adds a row with the entries of the last that was ended so: one of null, or of
  // a dictionary's texts, in the same row group.
  void EndRow();
  void RepeatRow() { repeats_++; }

 private:
  friend class ParquetFile;
  // Adds the rows that RepeatRow counted.
  void Repeat();
  void Clear();

  std::vector<std::string> path_;
  ParquetValue value_;
  uint8_t max_definition_;
  uint8_t max_repetition_;
  std::vector<uint8_t> definitions_;
  std::vector<uint8_t> repetitions_;
  std::string plain_;
  size_t open_ = 0;
  size_t entries_ = 0;
  size_t ended_entries_ = 0;
  size_t row_entries_ = 0;
  size_t repeats_ = 0;
  std::unordered_map<std::string, uint32_t> dictionary_;
  std::string dictionary_page_;
  std::vector<uint32_t> indices_;
  std::string last_;
};

// A file, written a row group at a time.
class ParquetFile {
 public:
  // Takes the bytes of the file in their order; what it throws ends the file.
  using Sink = std::function<void(std::string_view)>;

  ParquetFile(std::vector<ParquetElement> schema, std::string created_by, Sink sink);

  // Columns in the order of the schema's leaves.
  std::vector<ParquetColumn>& columns() { return columns_; }
  // Ends a row group of `rows` rows.
  void EndRowGroup(size_t rows);
  // Ends the file.
  void Finish();

 private:
  size_t AddLeaves(size_t at, std::vector<std::string>* path, uint8_t definition, uint8_t repetition);
  void WriteColumn(ParquetColumn& column, std::string* metadata, size_t* bytes);
  void Write(std::string_view bytes);

  std::vector<ParquetElement> schema_;
  std::string created_by_;
  std::vector<ParquetColumn> columns_;
  Sink sink_;
  std::string output_;  // Bytes that the sink has not been given yet.
  size_t offset_ = 0;   // Bytes that it has.
  size_t rows_ = 0;
  std::vector<std::string> groups_;
};

}  // namespace crossthink

#endif  // CROSSTHINK_TEXT_PARQUET_COLUMNS_H_
