#ifndef CROSSTHINK_ADDON_CALLS_H_
#define CROSSTHINK_ADDON_CALLS_H_

#include <atomic>
#include <cstddef>
#include <exception>
#include <vector>

#include "addon/arguments.h"
#include "addon/async.h"
#include "addon/offsets.h"
#include "runtime/float_environment.h"

// The ways to run an operation whose arguments kRead takes: kRead(Arguments*) gives what can be copied and called with
// a CancelFlag*, null or not, and returns false where that was set before the end.
namespace crossthink::addon {

using CancelFlag = const std::atomic<int32_t>;

// (...arguments)
template <auto kRead>
Napi::Value RunCall(const Napi::CallbackInfo& info) {
  Arguments in(info);
  const auto call = kRead(&in);
  try {
    call(nullptr);
  } catch (const std::exception& error) {  // It did not find its memory.
    throw Napi::Error::New(info.Env(), error.what());
  }
  return info.Env().Undefined();
}

// (...arguments): a JavaScript function without arguments that runs the call each time. It holds pointers into arrays,
// which lib/kernels/bound.ts keeps alive and looks at before each run.
template <auto kRead>
Napi::Value BindCall(const Napi::CallbackInfo& info) {
  Arguments in(info);
  return Napi::Function::New(info.Env(), [call = kRead(&in)](const Napi::CallbackInfo& run) {
    const FloatEnvironment environment;
    call(nullptr);
    return run.Env().Undefined();
  });
}

// (cancel flag | undefined, ...arguments): a promise of whether it ran to its end.
template <auto kRead>
Napi::Value StartCall(const Napi::CallbackInfo& info) {
  Arguments in(info);
  const Napi::Value flag = in.Any();
  const auto work = [call = kRead(&in)](CancelFlag& cancel) { return call(&cancel); };
  return StartAsync(info.Env(), work, flag, in.Arrays());
}

// What an operation over packed sequences begins with: (tokens, sequences, offsets).
template <class Operation>
void ReadSequences(Arguments* in, Operation* op) {
  op->tokens = in->Size();
  op->sequences = in->Size();
  op->offsets = in->Array<int32_t>(op->sequences + 1, "cuSeqlens");
}

// Runs an operation if its `count` + 1 offsets are in order; gives the first that is not, or -1.
template <class Run>
Napi::Value RunChecked(const Napi::CallbackInfo& info, const int32_t* offsets, size_t count, size_t total,
                       const Run& run) {
  const ptrdiff_t bad = BadOffset(offsets, count, total);
  if (bad < 0) run();
  return Napi::Number::New(info.Env(), static_cast<double>(bad));
}

}  // namespace crossthink::addon

#endif  // CROSSTHINK_ADDON_CALLS_H_
