#ifndef CROSSTHINK_ADDON_ARRAYS_H_
#define CROSSTHINK_ADDON_ARRAYS_H_

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace crossthink::addon {

// Memory of a typed array argument of at least `length` elements; null where the argument is undefined. `found`, where
// given, is how many there are. lib/ has checked types and lengths with friendly messages: what is checked again here
// is what would otherwise touch memory out of bounds. One question to Node-API a typed array: calls have dozens.
template <class T>
T* ArrayOf(const Napi::CallbackInfo& info, size_t index, size_t length, const char* name, size_t* found = nullptr) {
  const Napi::Value value = info[index];
  void* data = nullptr;
  size_t elements = 0;
  napi_typedarray_type type;
  if (napi_get_typedarray_info(info.Env(), value, &type, &elements, &data, nullptr, nullptr) != napi_ok) {
    if (value.IsUndefined()) return nullptr;
    throw Napi::TypeError::New(info.Env(), std::string(name) + ": expected a typed array");
  }
  static constexpr size_t kSizes[] = {1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8};
  const size_t size = type <= napi_biguint64_array ? kSizes[type] : 2;  // Newer: Float16Array.
  if (size != sizeof(T) || elements < length) {
    throw Napi::RangeError::New(info.Env(), std::string(name) + ": too short, or of the wrong element size");
  }
  if (found != nullptr) *found = elements;
  return static_cast<T*>(data);
}

inline double NumberOf(const Napi::CallbackInfo& info, size_t index) { return info[index].As<Napi::Number>(); }
inline size_t SizeOf(const Napi::CallbackInfo& info, size_t index) {
  return static_cast<size_t>(NumberOf(info, index));
}
inline bool FlagOf(const Napi::CallbackInfo& info, size_t index) { return info[index].As<Napi::Boolean>(); }

}  // namespace crossthink::addon

#endif  // CROSSTHINK_ADDON_ARRAYS_H_
