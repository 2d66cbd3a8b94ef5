#include "text/parquet_columns.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "text/thrift.h"

namespace crossthink {
namespace {

constexpr std::string_view kMagic = "PAR1";
enum PhysicalType { kInt64Type = 2, kDoubleType = 5, kByteArrayType = 6 };
enum Converted { kUtf8 = 0, kListAnnotation = 3 };
enum Encoding { kPlain = 0, kRle = 3, kRleDictionary = 8 };
enum PageType { kDataPage = 0, kDictionaryPage = 2 };

PhysicalType TypeOf(ParquetValue value) {
  if (value == ParquetValue::kInt64) return kInt64Type;
  return value == ParquetValue::kDouble ? kDoubleType : kByteArrayType;
}

// Numbers of the machine are little-endian, as the format wants them.
template <class T>
void AppendRaw(std::string* out, T value) {
  static_assert(std::endian::native == std::endian::little);
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out->append(bytes, sizeof(T));
}

void AppendVarint(std::string* out, size_t value) {
  for (; value >= 0x80; value >>= 7) out->push_back(static_cast<char>(value | 0x80));
  out->push_back(static_cast<char>(value));
}

// The RLE / bit-packing hybrid: one run where all are equal, else one bit-packed run.
template <class T>
void AppendHybrid(std::string* out, const std::vector<T>& values, int width) {
  if (values.empty()) return;
  const bool equal = std::all_of(values.begin(), values.end(), [&](T value) { return value == values.front(); });
  if (equal) {
    AppendVarint(out, values.size() << 1);
    uint32_t value = values.front();
    for (int bits = 0; bits < width; bits += 8, value >>= 8) out->push_back(static_cast<char>(value));
    return;
  }
  const size_t groups = (values.size() + 7) / 8;
  AppendVarint(out, groups << 1 | 1);
  uint64_t pending = 0;
  int bits = 0;
  for (size_t i = 0; i < groups * 8; i++) {
    const uint64_t value = i < values.size() ? values[i] : 0;
    pending |= value << bits;
    for (bits += width; bits >= 8; bits -= 8, pending >>= 8) out->push_back(static_cast<char>(pending));
  }
}

void AppendLevels(std::string* out, const std::vector<uint8_t>& levels, uint8_t max) {
  if (max == 0) return;
  const size_t at = out->size();
  out->append(4, '\0');
  AppendHybrid(out, levels, std::bit_width(static_cast<unsigned>(max)));
  const uint32_t size = static_cast<uint32_t>(out->size() - at - 4);
  std::memcpy(out->data() + at, &size, 4);
}

}  // namespace

ParquetColumn::ParquetColumn(std::vector<std::string> path, ParquetValue value, uint8_t max_definition,
                             uint8_t max_repetition)
    : path_(std::move(path)), value_(value), max_definition_(max_definition), max_repetition_(max_repetition) {}

void ParquetColumn::Levels(uint8_t definition, uint8_t repetition) {
  if (repeats_ > 0) Repeat();
  entries_++;
  if (max_definition_ > 0) definitions_.push_back(definition);
  if (max_repetition_ > 0) repetitions_.push_back(repetition);
}

std::string& ParquetColumn::OpenText() {
  open_ = plain_.size();
  plain_.append(4, '\0');
  return plain_;
}

void ParquetColumn::CloseText() {
  const uint32_t size = static_cast<uint32_t>(plain_.size() - open_ - 4);
  std::memcpy(plain_.data() + open_, &size, 4);
}

void ParquetColumn::AddText(std::string_view text) {
  if (value_ == ParquetValue::kText) {
    OpenText().append(text);
    CloseText();
    return;
  }
  if (!indices_.empty() && text == last_) {
    indices_.push_back(indices_.back());
    return;
  }
  last_.assign(text);
  const auto [entry, fresh] = dictionary_.try_emplace(last_, static_cast<uint32_t>(dictionary_.size()));
  if (fresh) {
    AppendRaw(&dictionary_page_, static_cast<uint32_t>(text.size()));
    dictionary_page_.append(text);
  }
  indices_.push_back(entry->second);
}

void ParquetColumn::AddInt64(int64_t value) { AppendRaw(&plain_, value); }
void ParquetColumn::AddDouble(double value) { AppendRaw(&plain_, value); }

void ParquetColumn::EndRow() {
  row_entries_ = entries_ - ended_entries_;
  ended_entries_ = entries_;
}

void ParquetColumn::Repeat() {
  const size_t rows = std::exchange(repeats_, 0);
  const auto repeat = [&](auto* list) {
    if (row_entries_ == 1) {
      list->insert(list->end(), rows, list->back());
      return;
    }
    // The copies are copied in turn.
    const size_t end = list->size();
    list->resize(end + rows * row_entries_);
    for (size_t i = end; i < list->size(); i++) (*list)[i] = (*list)[i - row_entries_];
  };
  if (max_definition_ > 0) repeat(&definitions_);
  if (max_repetition_ > 0) repeat(&repetitions_);
  const bool null = max_definition_ > 0 && definitions_.back() < max_definition_;
  if (value_ == ParquetValue::kDictionaryText && !null) repeat(&indices_);
  entries_ += rows * row_entries_;
  ended_entries_ = entries_;
}

void ParquetColumn::Clear() {
  ended_entries_ = 0;
  entries_ = 0;
  definitions_.clear();
  repetitions_.clear();
  plain_.clear();
  dictionary_.clear();
  dictionary_page_.clear();
  indices_.clear();
  last_.clear();
}

ParquetFile::ParquetFile(std::vector<ParquetElement> schema, std::string created_by, Sink sink)
    : schema_(std::move(schema)), created_by_(std::move(created_by)), sink_(std::move(sink)), output_(kMagic) {
  std::vector<std::string> path;
  size_t at = 1;
  for (int child = 0; child < schema_[0].children; child++) at = AddLeaves(at, &path, 0, 0);
}

size_t ParquetFile::AddLeaves(size_t at, std::vector<std::string>* path, uint8_t definition, uint8_t repetition) {
  const ParquetElement& element = schema_[at];
  path->emplace_back(element.name);
  if (element.repetition != ParquetElement::kRequired) definition++;
  if (element.repetition == ParquetElement::kRepeated) repetition++;
  size_t next = at + 1;
  if (element.children == 0) columns_.emplace_back(*path, element.value, definition, repetition);
  for (int child = 0; child < element.children; child++) next = AddLeaves(next, path, definition, repetition);
  path->pop_back();
  return next;
}

// Smaller pieces are gathered before they are written.
constexpr size_t kCopied = 1 << 16;

void ParquetFile::Write(std::string_view bytes) {
  sink_(bytes);
  offset_ += bytes.size();
}

void ParquetFile::WriteColumn(ParquetColumn& column, std::string* metadata, size_t* bytes) {
  if (column.repeats_ > 0) column.Repeat();
  const size_t start = offset_ + output_.size();
  const bool dictionary = column.value_ == ParquetValue::kDictionaryText;
  const auto header = [&](PageType type, size_t size, size_t values, Encoding encoding) {
    ThriftWriter thrift(&output_);
    thrift.Struct(0, [&] {
      thrift.Int(1, type);
      thrift.Int(2, static_cast<int64_t>(size));
      thrift.Int(3, static_cast<int64_t>(size));
      thrift.Struct(type == kDataPage ? 5 : 7, [&] {
        thrift.Int(1, static_cast<int64_t>(values));
        thrift.Int(2, encoding);
        if (type != kDataPage) return;
        thrift.Int(3, kRle);
        thrift.Int(4, kRle);
      });
    });
  };
  if (dictionary) {
    header(kDictionaryPage, column.dictionary_page_.size(), column.dictionary_.size(), kPlain);
    output_.append(column.dictionary_page_);
  }
  const size_t data = offset_ + output_.size();
  std::string head;
  AppendLevels(&head, column.repetitions_, column.max_repetition_);
  AppendLevels(&head, column.definitions_, column.max_definition_);
  if (dictionary) {
    const size_t distinct = column.dictionary_.size();
    const int width = distinct < 2 ? 1 : std::bit_width(distinct - 1);
    head.push_back(static_cast<char>(width));
    AppendHybrid(&head, column.indices_, width);
  }
  header(kDataPage, head.size() + column.plain_.size(), column.entries_, dictionary ? kRleDictionary : kPlain);
  output_.append(head);
  if (column.plain_.size() < kCopied) {
    output_.append(column.plain_);
  } else {
    Write(std::exchange(output_, {}));
    Write(column.plain_);
  }
  const size_t size = offset_ + output_.size() - start;

  ThriftWriter thrift(metadata);
  thrift.Struct(0, [&] {
    thrift.Int(2, static_cast<int64_t>(start), ThriftWriter::kI64);
    thrift.Struct(3, [&] {
      thrift.Int(1, TypeOf(column.value_));
      thrift.List(2, dictionary ? 3 : 2, ThriftWriter::kI32);
      thrift.Element(int64_t{kPlain});
      thrift.Element(int64_t{kRle});
      if (dictionary) thrift.Element(int64_t{kRleDictionary});
      thrift.List(3, column.path_.size(), ThriftWriter::kBinary);
      for (const std::string& name : column.path_) thrift.Element(std::string_view(name));
      thrift.Int(4, 0);
      thrift.Int(5, static_cast<int64_t>(column.entries_), ThriftWriter::kI64);
      thrift.Int(6, static_cast<int64_t>(size), ThriftWriter::kI64);
      thrift.Int(7, static_cast<int64_t>(size), ThriftWriter::kI64);
      thrift.Int(9, static_cast<int64_t>(data), ThriftWriter::kI64);
      if (dictionary) thrift.Int(11, static_cast<int64_t>(start), ThriftWriter::kI64);
    });
  });
  *bytes += size;
  column.Clear();
}

void ParquetFile::EndRowGroup(size_t rows) {
  std::string chunks;
  size_t bytes = 0;
  for (ParquetColumn& column : columns_) WriteColumn(column, &chunks, &bytes);
  rows_ += rows;
  std::string group;
  ThriftWriter thrift(&group);
  thrift.Struct(0, [&] {
    thrift.List(1, columns_.size(), ThriftWriter::kStruct);
    group.append(chunks);
    thrift.Int(2, static_cast<int64_t>(bytes), ThriftWriter::kI64);
    thrift.Int(3, static_cast<int64_t>(rows), ThriftWriter::kI64);
  });
  groups_.push_back(std::move(group));
}

void ParquetFile::Finish() {
  std::string footer;
  ThriftWriter thrift(&footer);
  thrift.Struct(0, [&] {
    thrift.Int(1, 1);
    thrift.List(2, schema_.size(), ThriftWriter::kStruct);
    for (size_t i = 0; i < schema_.size(); i++) {
      const ParquetElement& element = schema_[i];
      thrift.Struct(0, [&] {
        const bool leaf = element.children == 0;
        if (leaf) thrift.Int(1, TypeOf(element.value));
        if (i > 0) thrift.Int(3, element.repetition);
        thrift.Text(4, element.name);
        if (!leaf) thrift.Int(5, element.children);
        if (leaf && TypeOf(element.value) == kByteArrayType) thrift.Int(6, kUtf8);
        if (element.list) thrift.Int(6, kListAnnotation);
      });
    }
    thrift.Int(3, static_cast<int64_t>(rows_), ThriftWriter::kI64);
    thrift.List(4, groups_.size(), ThriftWriter::kStruct);
    for (const std::string& group : groups_) footer.append(group);
    thrift.Text(6, created_by_);
  });
  output_.append(footer);
  AppendRaw(&output_, static_cast<uint32_t>(footer.size()));
  Write(output_.append(kMagic));
}

}  // namespace crossthink
