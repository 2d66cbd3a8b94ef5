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

// A cursor over one JSON text: the caller says what it expects next.
class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

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
      key_.clear();
      Text(&key_);
      Expect(':', "a colon");
      visit(std::string_view(key_));
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
    for (;;) {
      const char* start = at_;
      while (end_ - at_ >= 8 && !AnyEscaped(at_)) at_ += 8;
      while (at_ != end_ && *at_ != '"' && *at_ != '\\') at_++;
      out->append(start, at_);
      if (at_ == end_) throw JsonError{"the end of a text"};
      if (*at_++ == '"') return;
      Escape(out);
    }
  }
  double Number() {
    Space();
    double value = 0;
    const auto [stop, fault] = std::from_chars(at_, end_, value);
    if (fault != std::errc()) throw JsonError{"a number"};
    at_ = stop;
    return value;
  }

 private:
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
    if (code >= 0xd800 && code < 0xdc00 && end_ - at_ >= 6 && at_[0] == '\\' && at_[1] == 'u') {
      at_ += 2;
      const uint32_t low = Hex4();
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    } else if (code >= 0xd800 && code < 0xe000) {
      code = 0xfffd;
    }
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
  std::string key_;
};

}  // namespace crossthink

#endif  // CROSSTHINK_TEXT_JSON_READER_H_
