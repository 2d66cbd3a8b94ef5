#ifndef CROSSTHINK_ADDON_BOUND_H_
#define CROSSTHINK_ADDON_BOUND_H_

#include <napi.h>

#include <utility>

#include "runtime/float_environment.h"

namespace crossthink::addon {

// A JavaScript function without arguments that runs `work` each time: a call whose arguments were read once. `work`
// holds pointers into arrays, which lib/kernels/bound.ts keeps alive and looks at before each run.
template <class Work>
Napi::Value BindCall(Napi::Env env, Work work) {
  return Napi::Function::New(env, [work = std::move(work)](const Napi::CallbackInfo& info) {
    const FloatEnvironment environment;
    work();
    return info.Env().Undefined();
  });
}

}  // namespace crossthink::addon

#endif  // CROSSTHINK_ADDON_BOUND_H_
