#include <string>

#include "addon/addon.h"
#include "runtime/cpu.h"
#include "runtime/driver_probe.h"
#include "runtime/thread_pool.h"
#include "spec/annotate.h"

namespace crossthink::addon {
namespace {

Napi::Value Info(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto isas = Napi::Array::New(env);
  uint32_t i = 0;
  for (Isa isa : SupportedIsas()) isas[i++] = Napi::String::New(env, std::string(IsaName(isa)));
  const DriverProbe& probe = ProbeDriver();
  auto driver = Napi::Object::New(env);
  driver["found"] = Napi::Boolean::New(env, probe.found);
  driver["version"] = Napi::Number::New(env, probe.version);
  driver["reason"] = Napi::String::New(env, probe.reason);
  auto result = Napi::Object::New(env);
  result["isa"] = Napi::String::New(env, std::string(IsaName(ActiveIsa())));
  result["isas"] = isas;
  result["threads"] = Napi::Number::New(env, ThreadPool::Instance().size());
  result["numericSpec"] = Napi::Number::New(env, spec::kNumericSpec);
  result["driver"] = driver;
  return result;
}

}  // namespace

void RegisterInfo(Napi::Env env, Napi::Object exports) { Export<Info>(env, exports, "info"); }

}  // namespace crossthink::addon
