#ifndef CROSSTHINK_ADDON_CALLS_H_
#define CROSSTHINK_ADDON_CALLS_H_

#include <atomic>

#include "addon/arguments.h"
#include "addon/async.h"
#include "runtime/float_environment.h"

// The ways to run an operation whose arguments kRead takes: kRead(Arguments*) gives a copyable call with
// `bool Run(const std::atomic<int32_t>* cancel) const`, false where it was cancelled.
namespace crossthink::addon {

// (...arguments)
template <auto kRead>
Napi::Value RunCall(const Napi::CallbackInfo& info) {
  Arguments in(info);
  kRead(&in).Run(nullptr);
  return info.Env().Undefined();
}

// (...arguments): a JavaScript function without arguments that runs the call each time. It holds pointers into arrays,
// which lib/kernels/bound.ts keeps alive and looks at before each run.
template <auto kRead>
Napi::Value BindCall(const Napi::CallbackInfo& info) {
  Arguments in(info);
  return Napi::Function::New(info.Env(), [call = kRead(&in)](const Napi::CallbackInfo& run) {
    const FloatEnvironment environment;
    call.Run(nullptr);
    return run.Env().Undefined();
  });
}

// (cancel flag | undefined, ...arguments): a promise of whether it ran to its end.
template <auto kRead>
Napi::Value StartCall(const Napi::CallbackInfo& info) {
  Arguments in(info);
  const Napi::Value flag = in.Rest();
  const auto work = [call = kRead(&in)](const std::atomic<int32_t>& cancel) { return call.Run(&cancel); };
  return StartAsync(info.Env(), work, flag, in.arrays());
}

}  // namespace crossthink::addon

#endif  // CROSSTHINK_ADDON_CALLS_H_
