#include "text/question_parquet.h"

#include <algorithm>

#include "text/json_reader.h"

namespace crossthink {
namespace {

constexpr size_t kGroupRows = 16384;
constexpr size_t kGroupBytes = 24 << 20;

// Order of the leaves of the schema.
enum Column {
  kId,
  kSource,
  kDomain,
  kSubject,
  kForm,
  kQuestion,
  kOptionLabel,
  kOptionText,
  kAnswerType,
  kAnswerValue,
  kAlternatives,
  kUnit,
  kTolerance,
  kPassRate,
  kDataset,
  kRevision,
  kFile,
  kRow,
  kLicence,
  kSteps,
  kColumns,
};

std::vector<ParquetElement> Schema() {
  using E = ParquetElement;
  using V = ParquetValue;
  const auto leaf = [](const char* name, V value, E::Repetition repetition = E::kRequired) {
    return E{name, repetition, 0, false, value};
  };
  const auto group = [](const char* name, int children, E::Repetition repetition = E::kRequired, bool list = false) {
    return E{name, repetition, children, list, V::kText};
  };
  return {group("schema", 10),
          leaf("id", V::kText),
          leaf("source", V::kDictionaryText),
          leaf("domain", V::kDictionaryText),
          leaf("subject", V::kDictionaryText, E::kOptional),
          leaf("form", V::kDictionaryText),
          leaf("question", V::kText),
          group("options", 1, E::kOptional, true),
          group("list", 1, E::kRepeated),
          group("element", 2),
          leaf("label", V::kDictionaryText),
          leaf("text", V::kText),
          group("answer", 5),
          leaf("type", V::kDictionaryText),
          leaf("value", V::kText),
          group("alternatives", 1, E::kOptional, true),
          group("list", 1, E::kRepeated),
          leaf("element", V::kText),
          leaf("unit", V::kDictionaryText, E::kOptional),
          leaf("tolerance", V::kDouble, E::kOptional),
          leaf("passRate", V::kDouble, E::kOptional),
          group("provenance", 6),
          leaf("dataset", V::kDictionaryText),
          leaf("revision", V::kDictionaryText, E::kOptional),
          leaf("file", V::kDictionaryText, E::kOptional),
          leaf("row", V::kInt64, E::kOptional),
          leaf("licence", V::kDictionaryText, E::kOptional),
          group("steps", 1, E::kRequired, true),
          group("list", 1, E::kRepeated),
          leaf("element", V::kDictionaryText)};
}

// Reads one line into the columns; what is absent and optional becomes null, anything else is an error.
class LineReader {
 public:
  LineReader(std::string_view line, std::vector<ParquetColumn>& columns)
      : json_(line), line_(line), columns_(columns) {}

  // Reads a line in the frame of the one before, the usual case; false, with nothing read, where it has another. The
  // same columns result as from `Read`.
  bool ReadFramed(const QuestionParquet::Frame& frame) {
    if (!frame.known) return false;
    int read = 0;
    bool framed = true;
    for (; framed && read < kFramedTexts; read++) {
      framed = json_.TakeBytes(frame.parts[static_cast<size_t>(read)]);
      if (!framed) break;
      json_.Text(&columns_[kFramed[read]].OpenText());
    }
    framed = framed && json_.TakeBytes(frame.parts[3]);
    const double row = framed ? json_.Number() : 0;
    framed = framed && json_.TakeBytes(frame.parts[4]) && json_.at() == line_.data() + line_.size();
    if (!framed) {
      while (read > 0) columns_[kFramed[--read]].DropText();
      return false;
    }
    for (int c = 0; c < kColumns; c++) {
      if ((kFramedColumns & 1U << c) == 0) columns_[static_cast<size_t>(c)].RepeatRow();
    }
    for (const Column c : kFramed) {
      columns_[c].Levels(1, 0);
      if (c != kRow) columns_[c].CloseText();
    }
    columns_[kRow].AddInt64(static_cast<int64_t>(row));
    return true;
  }

  // The frame of the line just read; not known where its fields come in another order, or have plain values elsewhere.
  void Remember(QuestionParquet::Frame* frame) const {
    const char* from = line_.data();
    frame->known = (seen_ & ~kFramable) == 0 && (seen_ & 1U << kRow) != 0;
    for (size_t i = 0; frame->known && i < 4; i++) {
      frame->known = begin_[i] > from;
      if (frame->known) frame->parts[i].assign(from, begin_[i]);
      from = end_[i];
    }
    if (frame->known) frame->parts[4].assign(from, line_.data() + line_.size());
  }

  void Read() {
    json_.Object([this](std::string_view key) { Field(key); });
    if (!json_.AtEnd()) throw JsonError{"the end of the line"};
    for (int c = 0; c < kColumns; c++) {
      if ((seen_ & 1U << c) != 0) continue;
      if ((kOptionalColumns & 1U << c) == 0) throw JsonError{"every field of a question"};
      columns_[static_cast<size_t>(c)].Levels(0, 0);
    }
    for (ParquetColumn& column : columns_) column.EndRow();
  }

 private:
  static constexpr Column kFramed[] = {kId, kQuestion, kAnswerValue, kRow};
  static constexpr int kFramedTexts = 3;
  static constexpr uint32_t kFramedColumns = 1U << kId | 1U << kQuestion | 1U << kAnswerValue | 1U << kRow;
  static constexpr uint32_t kFramable = 1U << kId | 1U << kSource | 1U << kDomain | 1U << kSubject | 1U << kForm |
                                        1U << kQuestion | 1U << kAnswerType | 1U << kAnswerValue | 1U << kUnit |
                                        1U << kDataset | 1U << kRevision | 1U << kFile | 1U << kRow | 1U << kLicence |
                                        1U << kSteps;
  static constexpr uint32_t kOptionalColumns = 1U << kSubject | 1U << kOptionLabel | 1U << kOptionText |
                                               1U << kAlternatives | 1U << kUnit | 1U << kTolerance | 1U << kPassRate |
                                               1U << kRevision | 1U << kFile | 1U << kRow | 1U << kLicence;

  void Seen(Column c) {
    if ((seen_ & 1U << c) != 0) throw JsonError{"every field once"};
    seen_ |= 1U << c;
  }
  void Value(Column c, uint8_t definition, uint8_t repetition) {
    ParquetColumn& column = columns_[c];
    column.Levels(definition, repetition);
    if (column.value() == ParquetValue::kText) {
      json_.Text(&column.OpenText());
      column.CloseText();
    } else {
      scratch_.clear();
      json_.Text(&scratch_);
      column.AddText(scratch_);
    }
  }
  // Remembers where the value of a framed column stands.
  template <class Reads>
  void Framed(Column c, Reads reads) {
    const size_t i = static_cast<size_t>(std::find(kFramed, kFramed + 4, c) - kFramed);
    json_.Peek();
    if (i < 4) begin_[i] = json_.at();
    reads();
    if (i < 4) end_[i] = json_.at();
  }
  void Text(Column c) {
    Seen(c);
    Framed(c, [&] { Value(c, 1, 0); });
  }
  // Parquet's numbers of a column of `double`; rows are whole and small enough to be exact.
  void Number(Column c) {
    Seen(c);
    ParquetColumn& column = columns_[c];
    column.Levels(1, 0);
    double value = 0;
    Framed(c, [&] { value = json_.Number(); });
    if (column.value() == ParquetValue::kInt64) {
      column.AddInt64(static_cast<int64_t>(value));
    } else {
      column.AddDouble(value);
    }
  }
  // `present`: the definition level of an empty list.
  void Texts(Column c, uint8_t present) {
    Seen(c);
    const size_t count = json_.Array([&](size_t i) { Value(c, static_cast<uint8_t>(present + 1), i == 0 ? 0 : 1); });
    if (count == 0) columns_[c].Levels(present, 0);
  }

  void Field(std::string_view key) {
    if (key == "id") return Text(kId);
    if (key == "source") return Text(kSource);
    if (key == "domain") return Text(kDomain);
    if (key == "subject") return Text(kSubject);
    if (key == "form") return Text(kForm);
    if (key == "question") return Text(kQuestion);
    if (key == "options") return Options();
    if (key == "answer") return json_.Object([this](std::string_view k) { Answer(k); });
    if (key == "passRate") return Number(kPassRate);
    if (key == "provenance") return json_.Object([this](std::string_view k) { Provenance(k); });
    throw JsonError{"the fields of a question only"};
  }
  void Options() {
    Seen(kOptionLabel);
    Seen(kOptionText);
    const size_t count = json_.Array([this](size_t i) {
      const uint8_t repetition = i == 0 ? 0 : 1;
      int fields = 0;
      json_.Object([&](std::string_view key) {
        fields++;
        if (key == "label") return Value(kOptionLabel, 2, repetition);
        if (key == "text") return Value(kOptionText, 2, repetition);
        throw JsonError{"label and text of an option"};
      });
      if (fields != 2) throw JsonError{"label and text of an option"};
    });
    if (count > 0) return;
    columns_[kOptionLabel].Levels(1, 0);
    columns_[kOptionText].Levels(1, 0);
  }
  void Answer(std::string_view key) {
    if (key == "type") return Text(kAnswerType);
    if (key == "value") return Text(kAnswerValue);
    if (key == "alternatives") return Texts(kAlternatives, 1);
    if (key == "unit") return Text(kUnit);
    if (key == "tolerance") return Number(kTolerance);
    throw JsonError{"the fields of an answer only"};
  }
  void Provenance(std::string_view key) {
    if (key == "dataset") return Text(kDataset);
    if (key == "revision") return Text(kRevision);
    if (key == "file") return Text(kFile);
    if (key == "row") return Number(kRow);
    if (key == "licence") return Text(kLicence);
    if (key == "steps") return Texts(kSteps, 0);
    throw JsonError{"the fields of a provenance only"};
  }

  JsonReader json_;
  std::string_view line_;
  std::vector<ParquetColumn>& columns_;
  uint32_t seen_ = 0;
  const char* begin_[4] = {};
  const char* end_[4] = {};
  std::string scratch_;
};

}  // namespace

QuestionParquet::QuestionParquet(std::string created_by, ParquetFile::Sink sink)
    : file_(Schema(), std::move(created_by), std::move(sink)) {}

bool QuestionParquet::Append(std::string_view lines) {
  for (size_t start = 0; start < lines.size();) {
    const size_t end = std::min(lines.find('\n', start), lines.size());
    const std::string_view line = lines.substr(start, end - start);
    start = end + 1;
    try {
      if (!LineReader(line, file_.columns()).ReadFramed(frame_)) {
        LineReader reader(line, file_.columns());
        reader.Read();
        reader.Remember(&frame_);
      }
    } catch (const JsonError& error) {
      error_ = error.expected;
      return false;
    }
    rows_++;
    bytes_ += line.size();
    if (rows_ < kGroupRows && bytes_ < kGroupBytes) continue;
    EndRowGroup();
  }
  return true;
}

void QuestionParquet::EndRowGroup() {
  file_.EndRowGroup(rows_);
  frame_.known = false;
  rows_ = 0;
  bytes_ = 0;
}

void QuestionParquet::Finish() {
  if (rows_ > 0) EndRowGroup();
  file_.Finish();
}

}  // namespace crossthink
