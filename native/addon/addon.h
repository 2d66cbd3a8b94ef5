#ifndef CROSSTHINK_ADDON_ADDON_H_
#define CROSSTHINK_ADDON_ADDON_H_

// One small file per operation, no arithmetic here. Shape checks with friendly messages live in lib/: this side checks
// only what would otherwise read or write out of bounds. Output arrays and errors are made in TypeScript, because what
// native code makes is of another realm under Jest.
#include <napi.h>

#include "addon/frame.h"
#include "runtime/float_environment.h"

namespace crossthink::addon {

// Exports a function of the addon, which runs in the floating-point mode of the specification. Its Arguments come from
// the frame of these exports.
template <auto kFunction>
void Export(Napi::Env env, Napi::Object exports, const char* name) {
  const auto guarded = [](const Napi::CallbackInfo& info) {
    const FloatEnvironment environment;
    return kFunction(info);
  };
  exports[name] = Napi::Function::New(env, guarded, name, FrameOf(exports));
}

void RegisterCuda(Napi::Env env, Napi::Object exports);
void RegisterCudaOperations(Napi::Env env, Napi::Object exports);
void RegisterCudaLinear(Napi::Env env, Napi::Object exports);
void RegisterCudaLosses(Napi::Env env, Napi::Object exports);
void RegisterCudaSampling(Napi::Env env, Napi::Object exports);
void RegisterInfo(Napi::Env env, Napi::Object exports);
void RegisterReference(Napi::Env env, Napi::Object exports);
void RegisterKernelIsa(Napi::Env env, Napi::Object exports);
void RegisterGrpoStep(Napi::Env env, Napi::Object exports);
void RegisterLinear(Napi::Env env, Napi::Object exports);
void RegisterLogprob(Napi::Env env, Napi::Object exports);
void RegisterSampling(Napi::Env env, Napi::Object exports);
void RegisterAdvantage(Napi::Env env, Napi::Object exports);
void RegisterPolicyLoss(Napi::Env env, Napi::Object exports);
void RegisterRolloutCorrection(Napi::Env env, Napi::Object exports);
void RegisterTokenAdvantages(Napi::Env env, Napi::Object exports);
void RegisterText(Napi::Env env, Napi::Object exports);

}  // namespace crossthink::addon

#endif  // CROSSTHINK_ADDON_ADDON_H_
