#include "addon/addon.h"
#include "kernels/kernel_table.h"

namespace crossthink::addon {
namespace {

// For tests: useKernels(name) makes every later call of this process run that instruction set.
Napi::Value UseKernelsOf(const Napi::CallbackInfo& info) {
  const std::string name = info[0].As<Napi::String>();
  for (const Isa isa : SupportedIsas()) {
    if (IsaName(isa) != name) continue;
    UseKernels(isa);
    return info.Env().Undefined();
  }
  throw Napi::RangeError::New(info.Env(), "useKernels: this processor does not run " + name);
}

// For tests: withHostileFloats(body) calls it with subnormals flushed and rounding up, as a library linked with
// -ffast-math might leave them, and returns whether that mode was still set afterwards.
Napi::Value WithHostileFloats(const Napi::CallbackInfo& info) {
  const auto body = info[0].As<Napi::Function>();
  const uint64_t before = FloatEnvironment::Mode();
  FloatEnvironment::SetMode(FloatEnvironment::kHostileMode);
  bool kept = false;
  try {
    body.Call({});
    const uint64_t mode = FloatEnvironment::Mode();
    kept = (mode & FloatEnvironment::kHostileMode) == FloatEnvironment::kHostileMode;
  } catch (...) {
    FloatEnvironment::SetMode(before);
    throw;
  }
  FloatEnvironment::SetMode(before);
  return Napi::Boolean::New(info.Env(), kept);
}

}  // namespace

void RegisterKernelIsa(Napi::Env env, Napi::Object exports) {
  Export<UseKernelsOf>(env, exports, "useKernels");
  Export<WithHostileFloats>(env, exports, "withHostileFloats");
}

}  // namespace crossthink::addon
