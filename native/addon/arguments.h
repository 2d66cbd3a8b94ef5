#ifndef CROSSTHINK_ADDON_ARGUMENTS_H_
#define CROSSTHINK_ADDON_ARGUMENTS_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "addon/arrays.h"
#include "addon/frame.h"
#include "kernels/logits.h"
#include "spec/annotate.h"

namespace crossthink::addon {

// Elements of a row-major matrix whose last row need not be padded.
constexpr size_t MatrixLength(size_t rows, size_t stride, size_t columns) {
  return rows == 0 ? 0 : (rows - 1) * stride + columns;
}

// Takes the arguments of a call in order, from the frame. Of an array that has its number among the arguments of the
// JavaScript function, -1 where there is none, or -1 - w for the block of the frame whose elements begin at word w.
class Arguments {
 public:
  explicit Arguments(const Napi::CallbackInfo& info)
      : info_(info), frame_(*static_cast<Frame*>(info.Data())), count_(static_cast<size_t>(frame_.count)) {
    if (count_ > Frame::kNumbers) Fail("too many arguments");
  }

  CT_INLINE double Number() { return frame_.numbers[Next()]; }
  size_t Size() { return static_cast<size_t>(Number()); }
  unsigned Threads() { return static_cast<unsigned>(Number()); }
  uint64_t Uint64() { return std::bit_cast<uint64_t>(frame_.numbers[Next()]); }
  bool Flag() { return Number() != 0; }

  // At least `length` elements; null where there is no array.
  template <class T>
  T* Array(size_t length, const char* name) {
    return ArrayAt<T>(Number(), length, name, nullptr);
  }

  // An array of any length, 0 where there is none.
  template <class T>
  T* Array(size_t* length, const char* name) {
    *length = 0;
    return ArrayAt<T>(Number(), 0, name, length);
  }

  // An array of float32 or halves, by the size of an element.
  void* Elements(size_t size, size_t length, const char* name) { return ElementsAt(Number(), size, length, name); }

  RowFloat ReadRowFloat(double scalar, size_t rows, const char* name) {
    return {Array<float>(rows, name), static_cast<float>(scalar)};
  }

  RowInt ReadRowInt(double scalar, size_t rows, const char* name) {
    return {Array<int32_t>(rows, name), static_cast<int32_t>(scalar)};
  }

  // (data, type, rows, vocab, stride)
  Logits ReadLogits() {
    Logits logits;
    const double at = Number();
    logits.type = static_cast<DType>(Size());
    logits.rows = Size();
    logits.vocab = Size();
    logits.stride = Size();
    const size_t length = MatrixLength(logits.rows, logits.stride, logits.vocab);
    logits.data = ElementsAt(at, DTypeSize(logits.type), length, "logits");
    return logits;
  }

  // Tokens and offsets; lib/ has checked that offsets ascend from 0.
  TokenLists ReadLists(size_t rows, const char* name) {
    TokenLists lists;
    lists.tokens = Array<int32_t>(&lists.length, name);
    size_t offsets = 0;
    lists.offsets = Array<int32_t>(&offsets, name);
    if (lists.offsets != nullptr && offsets <= rows) {
      Fail(std::string(name) + ": too few offsets");
    }
    if (lists.offsets != nullptr && static_cast<size_t>(lists.offsets[rows]) > lists.length) {
      Fail(std::string(name) + ": offsets reach past the tokens");
    }
    return lists;
  }

  // Any other value, or undefined.
  Napi::Value Any() {
    const double at = Number();
    return at < 0 ? info_.Env().Undefined() : info_[static_cast<size_t>(at)];
  }

  // Everything that an asynchronous call has to keep alive.
  std::vector<Napi::Value> Arrays() const {
    std::vector<Napi::Value> arrays;
    for (size_t i = 0; i < info_.Length(); ++i) arrays.push_back(info_[i]);
    return arrays;
  }

  [[noreturn]] void Fail(const std::string& why) const { throw Napi::RangeError::New(info_.Env(), why); }

 private:
  // Inlined: calls have dozens of arguments, most of them numbers or absent.
  CT_INLINE size_t Next() {
    if (next_ == count_) [[unlikely]]
      Fail("too few arguments");
    return next_++;
  }

  template <class T>
  CT_INLINE T* ArrayAt(double at, size_t length, const char* name, size_t* found) {
    return at == -1 ? nullptr : PresentArrayAt<T>(at, length, name, found);
  }

  template <class T>
  T* PresentArrayAt(double at, size_t length, const char* name, size_t* found) {
    if (at >= 0) return ArrayOf<T>(info_, static_cast<size_t>(at), length, name, found);
    const auto word = static_cast<size_t>(-1 - at);
    if (word >= Frame::kWords) Fail(std::string(name) + ": not in the frame");
    const auto elements = static_cast<size_t>(frame_.words[word - 1]);
    if (elements < length || elements > (Frame::kWords - word) * sizeof(double) / sizeof(T)) {
      Fail(std::string(name) + ": too short");
    }
    if (found != nullptr) *found = elements;
    return reinterpret_cast<T*>(frame_.words + word);
  }

  void* ElementsAt(double at, size_t size, size_t length, const char* name) {
    if (size == 4) return ArrayAt<float>(at, length, name, nullptr);
    return ArrayAt<uint16_t>(at, length, name, nullptr);
  }

  const Napi::CallbackInfo& info_;
  Frame& frame_;
  const size_t count_;
  size_t next_ = 0;
};

}  // namespace crossthink::addon

#endif  // CROSSTHINK_ADDON_ARGUMENTS_H_
