#ifndef CROSSTHINK_TEXT_THRIFT_H_
#define CROSSTHINK_TEXT_THRIFT_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace crossthink {

// Thrift's compact protocol, as far as Parquet's metadata needs it.
class ThriftWriter {
 public:
  enum Type : uint8_t { kI32 = 5, kI64 = 6, kBinary = 8, kList = 9, kStruct = 12 };

  explicit ThriftWriter(std::string* out) : out_(*out) {}

  void Int(int field, int64_t value, Type type = kI32) {
    Field(field, type);
    Varint(static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63));
  }
  void Text(int field, std::string_view text) {
    Field(field, kBinary);
    Element(text);
  }
  void List(int field, size_t count, Type type) {
    Field(field, kList);
    if (count < 15) {
      out_.push_back(static_cast<char>(count << 4 | type));
    } else {
      out_.push_back(static_cast<char>(0xf0 | type));
      Varint(count);
    }
  }
  void Element(std::string_view text) {
    Varint(text.size());
    out_.append(text);
  }
  void Element(int64_t value) { Varint(static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63)); }
  // A struct, as a field or (field 0) as an element of a list; `fields` writes what it holds.
  template <class Fields>
  void Struct(int field, Fields fields) {
    if (field > 0) Field(field, kStruct);
    const int before = last_;
    last_ = 0;
    fields();
    out_.push_back(0);
    last_ = before;
  }

 private:
  void Field(int field, Type type) {
    out_.push_back(static_cast<char>((field - last_) << 4 | type));
    last_ = field;
  }
  void Varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_.push_back(static_cast<char>(value | 0x80));
    out_.push_back(static_cast<char>(value));
  }

  std::string& out_;
  int last_ = 0;
};

}  // namespace crossthink

#endif  // CROSSTHINK_TEXT_THRIFT_H_
