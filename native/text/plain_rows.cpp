#include "text/plain_rows.h"

#include <algorithm>
#include <cstring>

#include "text/json_reader.h"
#include "text/question_rows.h"

namespace crossthink {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool IsAscii(std::string_view text) {
  unsigned char bits = 0;
  for (const char c : text) bits |= static_cast<unsigned char>(c);
  return bits < 0x80;
}

// What String.prototype.trim leaves, where that can be told from ASCII; empty where not.
std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return !text.empty() && IsAscii(text.substr(0, 1)) && IsAscii(text.substr(text.size() - 1)) ? text
                                                                                              : std::string_view();
}

// Whether lib/data/answer.ts leaves the digits as they are.
bool IsCanonicalInteger(std::string_view text) {
  if (text == "0") return true;
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text.front() != '0' && std::all_of(text.begin(), text.end(), IsDigit);
}

size_t CountWords(std::string_view text) {
  size_t words = 0;
  for (size_t i = 0; i < text.size(); i++) words += !IsSpace(text[i]) && (i == 0 || IsSpace(text[i - 1])) ? 1 : 0;
  return words;
}

// Where the last occurrence of `mark` ends; npos where there is none. Golds are short: std's search from the end calls
// memcmp for each of their bytes.
size_t BehindLast(std::string_view mark, std::string_view text) {
  for (; text.size() >= mark.size(); text.remove_suffix(1)) {
    if (text.back() == mark.back() && text.ends_with(mark)) return text.size();
  }
  return std::string_view::npos;
}

bool Has(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool IsBlank(std::string_view line) { return line.find_first_not_of(" \t\r") == std::string_view::npos; }

}  // namespace

LineCount CountLines(std::string_view block) {
  LineCount count{0, 0};
  for (size_t at = 0; at <= block.size(); count.lines++) {
    const size_t end = std::min(block.find('\n', at), block.size());
    if (!IsBlank(block.substr(at, end - at))) count.rows++;
    at = end + 1;
  }
  return count;
}

void PlainRows::Learn(std::string subject, bool integer, int32_t profile) {
  profiles_[integer ? 1 : 0].emplace(std::move(subject), profile);
}

// The texts of a row that has each of its fields once, as text; a number is an answer, too, where no mark is wanted.
bool PlainRows::Parse(std::string_view line) {
  JsonReader json(line, LoneSurrogate::kError);
  int questions = 0;
  int answers = 0;
  int subjects = 0;
  question_text_ = {};
  answer_text_ = {};
  subject_text_ = {};
  const auto text = [&](std::string_view* out, std::string* storage, int* count) {
    // Anything else than a text is lib/'s: it is counted as a second one.
    *count += json.Peek() == '"' ? 1 : 2;
    if (*count == 1) {
      *out = json.TextView(storage);
    } else {
      json.Skip(&scratch_);
    }
  };
  json.Object([&](std::string_view key) {
    if (Has(shape_.question, key)) {
      text(&question_text_, &unescaped_[0], &questions);
    } else if (Has(shape_.answer, key)) {
      if (shape_.mark.empty() && (IsDigit(json.Peek()) || json.Peek() == '-')) {
        answer_text_ = json.NumberText();
        // Longer ones may not be exact in JavaScript.
        answers += answer_text_.size() <= 15 ? 1 : 2;
      } else {
        text(&answer_text_, &unescaped_[1], &answers);
      }
    } else if (!shape_.subject.empty() && key == shape_.subject) {
      text(&subject_text_, &unescaped_[2], &subjects);
    } else {
      json.Skip(&scratch_);
    }
  });
  return json.AtEnd() && questions == 1 && answers == 1 && subjects <= 1;
}

// Whether the row at hand is ordinary: its trimmed texts and its profile are known then.
bool PlainRows::Judge() {
  question_ = Trimmed(question_text_);
  gold_ = answer_text_;
  if (!shape_.mark.empty()) {
    const size_t behind = BehindLast(shape_.mark, gold_);
    if (behind == std::string_view::npos) return false;
    gold_.remove_prefix(behind);
  }
  gold_ = Trimmed(gold_);
  if (question_.empty() || gold_.empty()) return false;
  if (shape_.ascii && !(IsAscii(question_) && IsAscii(gold_))) return false;
  const bool integer = IsCanonicalInteger(gold_);
  if (!integer) {
    if (!IsLetter(gold_.front())) return false;
    if (shape_.max_words > 0 && (!IsAscii(gold_) || CountWords(gold_) > shape_.max_words)) return false;
  }
  const auto& profiles = profiles_[integer ? 1 : 0];
  const std::string_view subject = Trimmed(subject_text_);
  if (subject.empty() && !subject_text_.empty()) return false;
  scratch_ = subject;
  const auto profile = profiles.find(scratch_);
  if (profile == profiles.end()) return false;
  profile_ = profile->second;
  return true;
}

void PlainRows::Read(std::string_view block, int32_t last_row, Place* place, PlainBatch* batch) {
  while (place->at <= block.size()) {
    const size_t end = std::min(block.find('\n', place->at), block.size());
    const std::string_view line = block.substr(place->at, end - place->at);
    if (!IsBlank(line)) {
      try {
        if (place->row > last_row || !Parse(line) || !Judge()) return;
      } catch (const JsonError&) {
        return;
      }
      const size_t start = batch->used;
      const auto add = [&](std::string_view text) {
        std::memcpy(batch->arena + batch->used, text.data(), text.size());
        batch->used += text.size();
        batch->ends[batch->texts++] = static_cast<uint32_t>(batch->used);
      };
      static_assert(QuestionRows::kQuestion == 1 && QuestionRows::kValue == 2 && QuestionRows::kOptions == 6);
      add({});
      add(question_);
      add(gold_);
      for (int rest = QuestionRows::kAnswerTail; rest < QuestionRows::kOptions; rest++) add({});
      const QuestionRows::Head head{profile_, place->row, 0, 0};
      std::memcpy(batch->heads + 4 * batch->rows, &head, sizeof head);
      batch->rows++;
      batch->largest = std::max(batch->largest, batch->used - start);
      place->row++;
    }
    place->lines++;
    place->at = end + 1;
  }
}

}  // namespace crossthink
