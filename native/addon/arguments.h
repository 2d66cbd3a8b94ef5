#ifndef CROSSTHINK_ADDON_ARGUMENTS_H_
#define CROSSTHINK_ADDON_ARGUMENTS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "addon/arrays.h"
#include "kernels/logits.h"

namespace crossthink::addon {

// Elements of a row-major matrix whose last row need not be padded.
constexpr size_t MatrixLength(size_t rows, size_t stride, size_t columns) {
  return rows == 0 ? 0 : (rows - 1) * stride + columns;
}

// Takes the arguments of a call in order. Arrays are remembered, so that an asynchronous call can keep them alive.
class Arguments {
 public:
  explicit Arguments(const Napi::CallbackInfo& info) : info_(info) {}

  double Number() { return NumberOf(info_, next_++); }
  size_t Size() { return SizeOf(info_, next_++); }
  uint64_t Uint64() {
    bool lossless = false;
    return info_[next_++].As<Napi::BigInt>().Uint64Value(&lossless);
  }
  bool Flag() { return FlagOf(info_, next_++); }

  template <class T>
  T* Array(size_t length, const char* name) {
    return Remembered(next_, ArrayOf<T>(info_, next_, length, name));
  }

  // An array of any length, undefined meaning empty.
  template <class T>
  T* Array(size_t* length, const char* name) {
    *length = 0;
    return Remembered(next_, ArrayOf<T>(info_, next_, 0, name, length));
  }

  // An array of float32 or halves, by the size of an element.
  void* Elements(size_t size, size_t length, const char* name) {
    return Remembered(next_, LogitsOf(info_, next_, size, length, name));
  }

  RowFloat ReadRowFloat(double scalar, size_t rows, const char* name) {
    return {Array<float>(rows, name), static_cast<float>(scalar)};
  }

  RowInt ReadRowInt(double scalar, size_t rows, const char* name) {
    return {Array<int32_t>(rows, name), static_cast<int32_t>(scalar)};
  }

  // (data, type, rows, vocab, stride)
  Logits ReadLogits() {
    Logits logits;
    const size_t at = next_++;
    logits.type = static_cast<DType>(Size());
    logits.rows = Size();
    logits.vocab = Size();
    logits.stride = Size();
    const size_t length = MatrixLength(logits.rows, logits.stride, logits.vocab);
    logits.data = LogitsOf(info_, at, DTypeSize(logits.type), length, "logits");
    Remember(at, logits.data);
    return logits;
  }

  // Tokens and offsets; lib/ has checked that offsets ascend from 0.
  TokenLists ReadLists(size_t rows, const char* name) {
    TokenLists lists;
    lists.tokens = Array<int32_t>(&lists.length, name);
    size_t offsets = 0;
    lists.offsets = Array<int32_t>(&offsets, name);
    if (lists.offsets != nullptr && offsets <= rows) {
      throw Napi::RangeError::New(info_.Env(), std::string(name) + ": too few offsets");
    }
    if (lists.offsets != nullptr && static_cast<size_t>(lists.offsets[rows]) > lists.length) {
      throw Napi::RangeError::New(info_.Env(), std::string(name) + ": offsets reach past the tokens");
    }
    return lists;
  }

  Napi::Value Rest() { return info_[next_++]; }
  const std::vector<Napi::Value>& arrays() const { return arrays_; }

 private:
  // Goes on to the next argument.
  template <class T>
  T* Remembered(size_t index, T* data) {
    Remember(index, data);
    ++next_;
    return data;
  }
  void Remember(size_t index, const void* data) {
    if (data == nullptr) return;
    if (arrays_.empty()) arrays_.reserve(info_.Length());
    arrays_.push_back(info_[index]);
  }

  const Napi::CallbackInfo& info_;
  size_t next_ = 0;
  std::vector<Napi::Value> arrays_;
};

}  // namespace crossthink::addon

#endif  // CROSSTHINK_ADDON_ARGUMENTS_H_
