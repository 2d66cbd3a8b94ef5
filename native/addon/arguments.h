#ifndef CROSSTHINK_ADDON_ARGUMENTS_H_
#define CROSSTHINK_ADDON_ARGUMENTS_H_

#include <cstddef>
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
  bool Flag() { return FlagOf(info_, next_++); }

  template <class T>
  T* Array(size_t length, const char* name) {
    Remember();
    return ArrayOf<T>(info_, next_++, length, name);
  }

  // An array of float32 or halves, by the size of an element.
  void* Elements(size_t size, size_t length, const char* name) {
    Remember();
    return LogitsOf(info_, next_++, size, length, name);
  }

  RowFloat ReadRowFloat(double scalar, size_t rows, const char* name) {
    return {Array<float>(rows, name), static_cast<float>(scalar)};
  }

  Napi::Value Rest() { return info_[next_++]; }
  const std::vector<Napi::Value>& arrays() const { return arrays_; }

 private:
  void Remember() {
    if (!info_[next_].IsUndefined()) arrays_.push_back(info_[next_]);
  }

  const Napi::CallbackInfo& info_;
  size_t next_ = 0;
  std::vector<Napi::Value> arrays_;
};

}  // namespace crossthink::addon

#endif  // CROSSTHINK_ADDON_ARGUMENTS_H_
