#include "addon/addon.h"

#include "addon/async.h"
#include "runtime/cpu.h"

namespace {

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  if (const char* error = crossthink::IsaOverrideError()) {
    throw Napi::Error::New(env, error);
  }
  crossthink::addon::RegisterAsync(env);
  crossthink::addon::RegisterFrame(env, exports);
  crossthink::addon::RegisterCuda(env, exports);
  crossthink::addon::RegisterCudaOperations(env, exports);
  crossthink::addon::RegisterCudaLinear(env, exports);
  crossthink::addon::RegisterCudaLosses(env, exports);
  crossthink::addon::RegisterCudaSampling(env, exports);
  crossthink::addon::RegisterInfo(env, exports);
  crossthink::addon::RegisterReference(env, exports);
  crossthink::addon::RegisterKernelIsa(env, exports);
  crossthink::addon::RegisterGrpoStep(env, exports);
  crossthink::addon::RegisterLinear(env, exports);
  crossthink::addon::RegisterLogprob(env, exports);
  crossthink::addon::RegisterSampling(env, exports);
  crossthink::addon::RegisterAdvantage(env, exports);
  crossthink::addon::RegisterPolicyLoss(env, exports);
  crossthink::addon::RegisterRolloutCorrection(env, exports);
  crossthink::addon::RegisterTokenAdvantages(env, exports);
  crossthink::addon::RegisterText(env, exports);
  return exports;
}

NODE_API_MODULE(NODE_GYP_MODULE_NAME, Init)

}  // namespace
