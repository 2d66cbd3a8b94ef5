#ifndef CROSSTHINK_TEXT_JSON_READER_H_
#define CROSSTHINK_TEXT_JSON_READER_H_

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include "text/json_text.h"

namespace crossthink {

// Thrown, and caught by whoever reads a line: what was expected.
struct JsonError {
  const char* expected;
};

// What a lone half of a surrogate pair (`\ud800`) becomes, which UTF-8 cannot hold.
enum class LoneSurrogate : uint8_t { kReplaced, kError };

// A cursor over one JSON text: the caller says what it expects next. What JSON.parse refuses is an error here, too.
class JsonReader {
 public:
  explicit JsonReader(std::string_view text, LoneSurrogate lone = LoneSurrogate::kReplaced)
      : at_(text.data()), end_(text.data() + text.size()), lone_(lone) {}

  // Where it stands: behind what was read.
  const char* at() const { return at_; }
  // Passes over these bytes, if they come next.
  bool TakeBytes(std::string_view bytes) {
    if (!std::string_view(at_, static_cast<size_t>(end_ - at_)).starts_with(bytes)) return false;
    at_ += bytes.size();
    return true;
  }
  // First character of what comes next; NUL at the end.
  char Peek() {
    Space();
    return at_ == end_ ? '\0' : *at_;
  }

  bool Take(char c) {
    Space();
    if (at_ == end_ || *at_ != c) return false;
    at_++;
    return true;
  }
  void Expect(char c, const char* what) {
    if (!Take(c)) throw JsonError{what};
  }
  bool AtEnd() {
    Space();
    return at_ == end_;
  }

  // Calls `visit(key)` for each member; it must read the value.
  template <class Visit>
  void Object(Visit visit) {
    Expect('{', "an object");
    if (Take('}')) return;
    do {
      const std::string_view key = TextView(&key_);
      Expect(':', "a colon");
      visit(key);
    } while (Take(','));
    Expect('}', "the end of an object");
  }
  template <class Visit>
  size_t Array(Visit visit) {
    Expect('[', "a list");
    size_t count = 0;
    if (Take(']')) return count;
    do visit(count++);
    while (Take(','));
    Expect(']', "the end of a list");
    return count;
  }

  // Appends the text, unescaped.
  void Text(std::string* out) {
    Expect('"', "a text");
    while (!Stretch(out)) Escape(out);
  }
  // The text, unescaped: where it stands, if it has no escapes, else in `storage`.
  std::string_view TextView(std::string* storage) {
    Expect('"', "a text");
    const char* const start = at_;
    at_ = FindEscaped(at_, end_);
    if (at_ != end_ && *at_ == '"') return {start, static_cast<size_t>(at_++ - start)};
    at_ = start;
    storage->clear();
    while (!Stretch(storage)) Escape(storage);
    return *storage;
  }
  double Number() {
    Space();
    double value = 0;
    const auto [stop, fault] = std::from_chars(at_, end_, value);
    if (fault != std::errc()) throw JsonError{"a number"};
    at_ = stop;
    return value;
  }
  // The digits of a number as they stand.
  std::string_view NumberText() {
    Space();
    const char* const start = at_;
    if (at_ != end_ && *at_ == '-') at_++;
    if (at_ != end_ && *at_ == '0') {
      at_++;
    } else {
      Digits();
    }
    if (at_ != end_ && *at_ == '.') at_++, Digits();
    if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
      at_++;
      if (at_ != end_ && (*at_ == '+' || *at_ == '-')) at_++;
      Digits();
    }
    return {start, static_cast<size_t>(at_ - start)};
  }
  // Passes over a value of any kind.
  void Skip(std::string* scratch, int depth = 0) {
    if (depth == kDeepest) throw JsonError{"fewer levels"};
    switch (Peek()) {
      case '"':
        scratch->clear();
        return Text(scratch);
      case '{':
        return Object([&](std::string_view) { Skip(scratch, depth + 1); });
      case '[':
        Array([&](size_t) { Skip(scratch, depth + 1); });
        return;
      case 't':
        return Word("true");
      case 'f':
        return Word("false");
      case 'n':
        return Word("null");
      default:
        NumberText();
    }
  }

 private:
  static constexpr int kDeepest = 32;

  // Appends what stands before the next quote, which ends the text, or backslash, and passes over that.
  bool Stretch(std::string* out) {
    const char* const start = at_;
    at_ = FindEscaped(at_, end_);
    out->append(start, at_);
    if (at_ == end_ || static_cast<unsigned char>(*at_) < 0x20) throw JsonError{"the end of a text"};
    return *at_++ == '"';
  }
  void Digits() {
    const char* const start = at_;
    while (at_ != end_ && *at_ >= '0' && *at_ <= '9') at_++;
    if (at_ == start) throw JsonError{"a digit"};
  }
  void Word(std::string_view word) {
    if (!TakeBytes(word)) throw JsonError{word.data()};
  }

  void Space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\r')) at_++;
  }
  uint32_t Hex4() {
    uint32_t value = 0;
    if (end_ - at_ < 4) throw JsonError{"four hexadecimal digits"};
    const auto [stop, fault] = std::from_chars(at_, at_ + 4, value, 16);
    if (fault != std::errc() || stop != at_ + 4) throw JsonError{"four hexadecimal digits"};
    at_ = stop;
    return value;
  }
  // The character that `high`, just read, begins together with a second escape.
  uint32_t Surrogate(uint32_t high) {
    const char* const behind = at_;
    if (high < 0xdc00 && end_ - at_ >= 6 && at_[0] == '\\' && at_[1] == 'u') {
      at_ += 2;
      const uint32_t low = Hex4();
      if (low >= 0xdc00 && low < 0xe000) return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
      at_ = behind;
    }
    if (lone_ == LoneSurrogate::kError) throw JsonError{"the other half of a surrogate pair"};
    return 0xfffd;
  }
  void Escape(std::string* out) {
    if (at_ == end_) throw JsonError{"an escape"};
    static constexpr std::string_view kShort = "\"\\/bfnrt";
    static constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
    const char c = *at_++;
    if (const size_t i = kShort.find(c); i != std::string_view::npos) {
      out->push_back(kMeant[i]);
      return;
    }
    if (c != 'u') throw JsonError{"an escape"};
    uint32_t code = Hex4();
    if (code >= 0xd800 && code < 0xe000) code = Surrogate(code);
    if (code < 0x80) {
      out->push_back(static_cast<char>(code));
      return;
    }
    if (code >= 0x10000) {
      out->push_back(static_cast<char>(0xf0 | code >> 18));
      out->push_back(static_cast<char>(0x80 | (code >> 12 & 0x3f)));
      out->push_back(static_cast<char>(0x80 | (code >> 6 & 0x3f)));
    } else if (code >= 0x800) {
      out->push_back(static_cast<char>(0xe0 | code >> 12));
      out->push_back(static_cast<char>(0x80 | (code >> 6 & 0x3f)));
    } else {
      out->push_back(static_cast<char>(0xc0 | code >> 6));
    }
    out->push_back(static_cast<char>(0x80 | (code & 0x3f)));
  }

  const char* at_;
  const char* end_;
  LoneSurrogate lone_;
  std::string key_;
};

}  // namespace crossthink

#endif  // CROSSTHINK_TEXT_JSON_READER_H_
