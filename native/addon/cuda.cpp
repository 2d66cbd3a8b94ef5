#include <cstring>
#include <stdexcept>
#include <string>

#include "addon/addon.h"
#include "addon/async.h"
#include "runtime/cuda/loader.h"

// Devices, device memory and streams. lib/native checks arguments and owns lifetimes; a failing CUDA call throws its
// message, which lib/native turns into a CrossThinkError.
namespace crossthink::addon {
namespace {

using cuda::CrossthinkAddress;
using cuda::CrossthinkCudaApi;
using cuda::CrossthinkCudaStatus;

// The module's table; throws where there is none (lib/native has said so before).
const CrossthinkCudaApi& Api(Napi::Env env) {
  const cuda::Module& module = cuda::LoadModule();
  if (module.api == nullptr) throw Napi::Error::New(env, module.reason);
  return *module.api;
}

int32_t Int(const Napi::CallbackInfo& info, size_t i) { return info[i].As<Napi::Number>().Int32Value(); }
uint64_t Size(const Napi::CallbackInfo& info, size_t i) {
  return static_cast<uint64_t>(info[i].As<Napi::Number>().Int64Value());
}
CrossthinkAddress Address(const Napi::CallbackInfo& info, size_t i) {
  bool lossless = false;
  return info[i].As<Napi::BigInt>().Uint64Value(&lossless);
}
CrossthinkAddress HostAddress(const Napi::TypedArray& array) {
  return reinterpret_cast<uintptr_t>(static_cast<uint8_t*>(array.ArrayBuffer().Data()) + array.ByteOffset());
}

// Runs call(api, status) and throws its message where it fails.
template <class Call>
void Checked(Napi::Env env, Call call) {
  CrossthinkCudaStatus status{};
  if (call(Api(env), &status) != 0) throw Napi::Error::New(env, status.message);
}

Napi::Object DeviceObject(Napi::Env env, const CrossthinkCudaApi& api, int32_t device) {
  auto object = Napi::Object::New(env);
  cuda::CrossthinkCudaDevice properties{};
  CrossthinkCudaStatus status{};
  if (api.device_info(device, &properties, &status) != 0) throw Napi::Error::New(env, status.message);
  object["name"] = Napi::String::New(env, properties.name);
  object["computeCapability"] =
      Napi::String::New(env, std::to_string(properties.major) + "." + std::to_string(properties.minor));
  object["multiprocessors"] = Napi::Number::New(env, properties.multiprocessors);
  object["memoryBytes"] = Napi::Number::New(env, static_cast<double>(properties.memory_bytes));
  return object;
}

// cudaInfo(): what there is, or why there is nothing. Never throws for want of a GPU.
Napi::Value Info(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const cuda::Module& module = cuda::LoadModule();
  auto object = Napi::Object::New(env);
  object["available"] = Napi::Boolean::New(env, module.api != nullptr);
  object["reason"] = Napi::String::New(env, module.reason);
  object["interpreted"] = Napi::Boolean::New(env, module.api != nullptr && module.api->interpreted != 0);
  object["runtimeVersion"] = Napi::Number::New(env, module.api != nullptr ? module.api->runtime_version : 0);
  auto devices = Napi::Array::New(env);
  for (int32_t i = 0; module.api != nullptr && i < module.device_count; ++i) {
    devices[static_cast<uint32_t>(i)] = DeviceObject(env, *module.api, i);
  }
  object["devices"] = devices;
  return object;
}

// (device, bytes): address
Napi::Value Allocate(const Napi::CallbackInfo& info) {
  CrossthinkAddress address = 0;
  Checked(info.Env(), [&](const CrossthinkCudaApi& api, CrossthinkCudaStatus* status) {
    return api.allocate(Int(info, 0), Size(info, 1), &address, status);
  });
  return Napi::BigInt::New(info.Env(), address);
}

// (device, address)
void Release(const Napi::CallbackInfo& info) {
  Checked(info.Env(), [&](const CrossthinkCudaApi& api, CrossthinkCudaStatus* status) {
    return api.release(Int(info, 0), Address(info, 1), status);
  });
}

// (device, address, array, stream)
void CopyToDevice(const Napi::CallbackInfo& info) {
  const auto array = info[2].As<Napi::TypedArray>();
  Checked(info.Env(), [&](const CrossthinkCudaApi& api, CrossthinkCudaStatus* status) {
    return api.copy(Int(info, 0), Address(info, 1), HostAddress(array), array.ByteLength(),
                    cuda::kCrossthinkCopyToDevice, Address(info, 3), status);
  });
}

// (device, address, array, stream): waits for the stream, so that the array is filled on return.
void CopyToHost(const Napi::CallbackInfo& info) {
  const auto array = info[2].As<Napi::TypedArray>();
  Checked(info.Env(), [&](const CrossthinkCudaApi& api, CrossthinkCudaStatus* status) {
    const int32_t error = api.copy(Int(info, 0), HostAddress(array), Address(info, 1), array.ByteLength(),
                                   cuda::kCrossthinkCopyToHost, Address(info, 3), status);
    return error != 0 ? error : api.stream_synchronize(Int(info, 0), Address(info, 3), status);
  });
}

// The same copies, and the wait for a stream, on the worker pool: promises. The arrays must stay as they are until
// then.
template <class Call>
Napi::Value OnPool(const Napi::CallbackInfo& info, const std::vector<Napi::Value>& arrays, Call call) {
  const CrossthinkCudaApi* api = &Api(info.Env());
  const auto work = [api, call](const std::atomic<int32_t>&) {
    CrossthinkCudaStatus status{};
    if (call(*api, &status) != 0) throw std::runtime_error(status.message);
    return true;
  };
  return StartAsync(info.Env(), work, info.Env().Undefined(), arrays);
}

// (device, address, array, stream): resolves when the copy is done.
template <cuda::CrossthinkCudaCopy kDirection>
Napi::Value CopyAsync(const Napi::CallbackInfo& info) {
  const auto array = info[2].As<Napi::TypedArray>();
  const CrossthinkAddress host = HostAddress(array);
  const CrossthinkAddress address = Address(info, 1);
  const CrossthinkAddress stream = Address(info, 3);
  constexpr bool kToHost = kDirection == cuda::kCrossthinkCopyToHost;
  return OnPool(info, {array},
                [=, device = Int(info, 0), bytes = array.ByteLength()](const CrossthinkCudaApi& api,
                                                                       CrossthinkCudaStatus* status) {
                  const int32_t error = api.copy(device, kToHost ? host : address, kToHost ? address : host, bytes,
                                                 kDirection, stream, status);
                  return error != 0 ? error : api.stream_synchronize(device, stream, status);
                });
}

// (device, stream)
Napi::Value StreamSynchronizeAsync(const Napi::CallbackInfo& info) {
  return OnPool(
      info, {},
      [device = Int(info, 0), stream = Address(info, 1)](const CrossthinkCudaApi& api, CrossthinkCudaStatus* status) {
        return api.stream_synchronize(device, stream, status);
      });
}

// (device, to, from, bytes, stream)
void CopyOnDevice(const Napi::CallbackInfo& info) {
  Checked(info.Env(), [&](const CrossthinkCudaApi& api, CrossthinkCudaStatus* status) {
    return api.copy(Int(info, 0), Address(info, 1), Address(info, 2), Size(info, 3), cuda::kCrossthinkCopyOnDevice,
                    Address(info, 4), status);
  });
}

// (device, address, byte, bytes, stream)
void Fill(const Napi::CallbackInfo& info) {
  Checked(info.Env(), [&](const CrossthinkCudaApi& api, CrossthinkCudaStatus* status) {
    return api.fill(Int(info, 0), Address(info, 1), Int(info, 2), Size(info, 3), Address(info, 4), status);
  });
}

// (address): device
Napi::Value PointerDevice(const Napi::CallbackInfo& info) {
  int32_t device = 0;
  Checked(info.Env(), [&](const CrossthinkCudaApi& api, CrossthinkCudaStatus* status) {
    return api.pointer_device(Address(info, 0), &device, status);
  });
  return Napi::Number::New(info.Env(), device);
}

// (device, address, handle): fills 64 bytes
void IpcExport(const Napi::CallbackInfo& info) {
  auto handle = info[2].As<Napi::Uint8Array>();
  if (handle.ByteLength() != cuda::kCrossthinkCudaIpcBytes) throw Napi::Error::New(info.Env(), "handle of 64 bytes");
  Checked(info.Env(), [&](const CrossthinkCudaApi& api, CrossthinkCudaStatus* status) {
    return api.ipc_export(Int(info, 0), Address(info, 1), handle.Data(), status);
  });
}

// (device, handle): address
Napi::Value IpcOpen(const Napi::CallbackInfo& info) {
  const auto handle = info[1].As<Napi::Uint8Array>();
  if (handle.ByteLength() != cuda::kCrossthinkCudaIpcBytes) throw Napi::Error::New(info.Env(), "handle of 64 bytes");
  CrossthinkAddress address = 0;
  Checked(info.Env(), [&](const CrossthinkCudaApi& api, CrossthinkCudaStatus* status) {
    return api.ipc_open(Int(info, 0), handle.Data(), &address, status);
  });
  return Napi::BigInt::New(info.Env(), address);
}

// (device, address)
void IpcClose(const Napi::CallbackInfo& info) {
  Checked(info.Env(), [&](const CrossthinkCudaApi& api, CrossthinkCudaStatus* status) {
    return api.ipc_close(Int(info, 0), Address(info, 1), status);
  });
}

// (device): stream
Napi::Value StreamCreate(const Napi::CallbackInfo& info) {
  CrossthinkAddress stream = 0;
  Checked(info.Env(), [&](const CrossthinkCudaApi& api, CrossthinkCudaStatus* status) {
    return api.stream_create(Int(info, 0), &stream, status);
  });
  return Napi::BigInt::New(info.Env(), stream);
}

// (device, stream)
void StreamDestroy(const Napi::CallbackInfo& info) {
  Checked(info.Env(), [&](const CrossthinkCudaApi& api, CrossthinkCudaStatus* status) {
    return api.stream_destroy(Int(info, 0), Address(info, 1), status);
  });
}

// (device, stream)
void StreamSynchronize(const Napi::CallbackInfo& info) {
  Checked(info.Env(), [&](const CrossthinkCudaApi& api, CrossthinkCudaStatus* status) {
    return api.stream_synchronize(Int(info, 0), Address(info, 1), status);
  });
}

}  // namespace

void RegisterCuda(Napi::Env env, Napi::Object exports) {
  Export<Info>(env, exports, "cudaInfo");
  Export<Allocate>(env, exports, "cudaAllocate");
  Export<Release>(env, exports, "cudaRelease");
  Export<CopyToDevice>(env, exports, "cudaCopyToDevice");
  Export<CopyToHost>(env, exports, "cudaCopyToHost");
  Export<CopyAsync<cuda::kCrossthinkCopyToDevice>>(env, exports, "cudaCopyToDeviceAsync");
  Export<CopyAsync<cuda::kCrossthinkCopyToHost>>(env, exports, "cudaCopyToHostAsync");
  Export<CopyOnDevice>(env, exports, "cudaCopyOnDevice");
  Export<Fill>(env, exports, "cudaFill");
  Export<PointerDevice>(env, exports, "cudaPointerDevice");
  Export<IpcExport>(env, exports, "cudaIpcExport");
  Export<IpcOpen>(env, exports, "cudaIpcOpen");
  Export<IpcClose>(env, exports, "cudaIpcClose");
  Export<StreamCreate>(env, exports, "cudaStreamCreate");
  Export<StreamDestroy>(env, exports, "cudaStreamDestroy");
  Export<StreamSynchronize>(env, exports, "cudaStreamSynchronize");
  Export<StreamSynchronizeAsync>(env, exports, "cudaStreamSynchronizeAsync");
}

}  // namespace crossthink::addon
