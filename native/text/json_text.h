#ifndef CROSSTHINK_TEXT_JSON_TEXT_H_
#define CROSSTHINK_TEXT_JSON_TEXT_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace crossthink {

// A text is looked at 16 bytes at a time: every machine that this is built for has such registers.
using Bytes16 = uint8_t __attribute__((vector_size(16)));

// All bits of those bytes of 16 that have an escape in JSON: control characters, '"' and '\'.
inline Bytes16 Escaped(const char* p) {
  Bytes16 v;
  std::memcpy(&v, p, 16);
  return reinterpret_cast<Bytes16>(v < 0x20) | reinterpret_cast<Bytes16>(v == '"') |
         reinterpret_cast<Bytes16>(v == '\\');
}

// The first byte that is not zero; 16 where all are.
inline size_t FirstSet(Bytes16 bytes) {
  static_assert(std::endian::native == std::endian::little);
  uint64_t halves[2];
  std::memcpy(halves, &bytes, 16);
  const size_t half = halves[0] != 0 ? 0 : 1;
  return 8 * half + static_cast<size_t>(std::countr_zero(halves[half])) / 8;
}

// The first byte from `p` on that has an escape in JSON, or `end`.
inline const char* FindEscaped(const char* p, const char* end) {
  const char* const begin = p;
  for (; end - p >= 64; p += 64) {
    const Bytes16 any = Escaped(p) | Escaped(p + 16) | Escaped(p + 32) | Escaped(p + 48);
    if (FirstSet(any) < 16) break;
  }
  for (; end - p >= 16; p += 16) {
    if (const size_t first = FirstSet(Escaped(p)); first < 16) return p + first;
  }
  // The last 16 bytes once more, of which those before `p` are known to have none.
  if (end - begin >= 16) return end - 16 + FirstSet(Escaped(end - 16));
  while (p != end && *p != '"' && *p != '\\' && static_cast<unsigned char>(*p) >= 0x20) p++;
  return p;
}

// Writes `text` in quotes, escaped as JSON.stringify does; valid UTF-8 in, valid UTF-8 out. Returns the end. `out` must
// have room for 6 bytes a byte of text, and 2.
inline char* WriteJsonText(char* out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  *out++ = '"';
  const char* p = text.data();
  const char* const end = p + text.size();
  for (;;) {
    const char* const stop = FindEscaped(p, end);
    out = std::copy(p, stop, out);
    if (stop == end) break;
    p = stop;
    const unsigned char c = static_cast<unsigned char>(*p++);
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
  *out++ = '"';
  return out;
}

}  // namespace crossthink

#endif  // CROSSTHINK_TEXT_JSON_TEXT_H_
