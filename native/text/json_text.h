#ifndef CROSSTHINK_TEXT_JSON_TEXT_H_
#define CROSSTHINK_TEXT_JSON_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace crossthink {

// Whether one of 8 * kWords bytes has an escape in JSON: a control character, '"' or '\'. The usual zero-byte test,
// exact for the question "any?": a carry can mark a byte wrongly only behind one that is rightly marked.
template <size_t kWords>
inline bool AnyEscaped(const char* p) {
  constexpr uint64_t kOnes = 0x0101010101010101U;
  constexpr uint64_t kHighs = 0x8080808080808080U;
  const auto zero = [](uint64_t x) { return (x - kOnes) & ~x; };
  uint64_t found = 0;
  for (size_t i = 0; i < kWords; i++) {
    uint64_t v;
    std::memcpy(&v, p + 8 * i, 8);
    const uint64_t control = (v - kOnes * 0x20) & ~v;
    found |= control | zero(v ^ (kOnes * '"')) | zero(v ^ (kOnes * '\\'));
  }
  return (found & kHighs) != 0;
}

// Passes over bytes from `p` on that need no escape, in stretches of 32 and then 8, each given to `pass(from, bytes)`.
// Returns where it stopped: an escape, or the end, is less than 8 bytes away.
template <class Pass>
inline const char* PassUnescaped(const char* p, const char* end, Pass pass) {
  for (; end - p >= 32 && !AnyEscaped<4>(p); p += 32) pass(p, std::integral_constant<size_t, 32>());
  for (; end - p >= 8 && !AnyEscaped<1>(p); p += 8) pass(p, std::integral_constant<size_t, 8>());
  return p;
}

// Writes `text` in quotes, escaped as JSON.stringify does; valid UTF-8 in, valid UTF-8 out. Returns the end. `out` must
// have room for 6 bytes a byte of text, and 2.
inline char* WriteJsonText(char* out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  *out++ = '"';
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p != end) {
    p = PassUnescaped(p, end, [&](const char* from, auto bytes) {
      std::memcpy(out, from, bytes);
      out += bytes;
    });
    for (int left = 8; left > 0 && p != end; left--) {
      const unsigned char c = static_cast<unsigned char>(*p++);
      if (c >= 0x20 && c != '"' && c != '\\') {
        *out++ = static_cast<char>(c);
        continue;
      }
      *out++ = '\\';
      switch (c) {
        case '"':
        case '\\':
          *out++ = static_cast<char>(c);
          break;
        case '\b':
          *out++ = 'b';
          break;
        case '\f':
          *out++ = 'f';
          break;
        case '\n':
          *out++ = 'n';
          break;
        case '\r':
          *out++ = 'r';
          break;
        case '\t':
          *out++ = 't';
          break;
        default:
          std::memcpy(out, "u00", 3);
          out[3] = kHex[c >> 4];
          out[4] = kHex[c & 15];
          out += 5;
      }
    }
  }
  *out++ = '"';
  return out;
}

}  // namespace crossthink

#endif  // CROSSTHINK_TEXT_JSON_TEXT_H_
