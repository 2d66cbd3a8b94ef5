#ifndef CROSSTHINK_ADDON_FRAME_H_
#define CROSSTHINK_ADDON_FRAME_H_

#include <napi.h>

#include <cstddef>
#include <cstdint>

namespace crossthink::addon {

// The arguments of a call, written by lib/kernels/host.ts into memory that both sides know: one number each. To ask
// Node-API takes 6 ns a number and 56 ns a typed array, 300 ns if JavaScript has just made that in its own heap.
struct Frame {
  static constexpr size_t kNumbers = 159;
  static constexpr size_t kWords = 512;

  // Of a number itself; of an array what Arguments::Array says.
  double numbers[kNumbers];
  double count;  // Numbers of this call: what stands behind them is of an earlier one.
  // Blocks, of short arrays that JavaScript has copied here and of new results that it copies from here: the number of
  // elements, then the elements.
  double words[kWords];
};

// Exports `frame`, a Frame as an ArrayBuffer. Before all functions that take arguments.
inline void RegisterFrame(Napi::Env env, Napi::Object exports) {
  const auto memory = Napi::ArrayBuffer::New(env, sizeof(Frame));
  exports["frame"] = memory;
  Napi::Persistent(memory).SuppressDestruct();  // For as long as the environment: functions point into it.
}

inline Frame* FrameOf(const Napi::Object& exports) {
  return static_cast<Frame*>(exports.Get("frame").As<Napi::ArrayBuffer>().Data());
}

}  // namespace crossthink::addon

#endif  // CROSSTHINK_ADDON_FRAME_H_
