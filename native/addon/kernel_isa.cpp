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

}  // namespace

void RegisterKernelIsa(Napi::Env env, Napi::Object exports) {
  exports["useKernels"] = Napi::Function::New(env, UseKernelsOf, "useKernels");
}

}  // namespace crossthink::addon
