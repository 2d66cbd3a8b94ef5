#include "runtime/cuda/loader.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "runtime/driver_probe.h"

namespace crossthink::cuda {
namespace {

constexpr const char* kFileName = "libcrossthink_cuda.so";

std::string BesideThisBinary() {
  Dl_info info;
  if (dladdr(reinterpret_cast<const void*>(&LoadModule), &info) == 0) return kFileName;
  const std::string_view self = info.dli_fname;
  return std::string(self.substr(0, self.rfind('/') + 1)) + kFileName;
}

std::string LastError() {
  const char* error = dlerror();
  return error != nullptr ? error : "dlopen failed";
}

// Null where the file is no module of this version; `reason` then says why.
const CrossthinkCudaApi* Open(const std::string& path, std::string* reason) {
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    *reason = LastError();
    return nullptr;
  }
  const auto entry = reinterpret_cast<decltype(&crossthink_cuda_api)>(dlsym(handle, "crossthink_cuda_api"));
  const CrossthinkCudaApi* api = entry != nullptr ? entry() : nullptr;
  if (api == nullptr || api->abi_version != kAbiVersion || api->struct_bytes != sizeof(CrossthinkCudaApi)) {
    *reason = path + " belongs to another version of crossthink: build again";
    return nullptr;
  }
  return api;
}

Module Load() {
  Module module;
  const char* forced = std::getenv("CROSSTHINK_CUDA_MODULE");
  module.path = forced != nullptr ? forced : BesideThisBinary();
  if (module.path.empty()) {
    module.reason = "switched off by CROSSTHINK_CUDA_MODULE=";
    return module;
  }
  if (access(module.path.c_str(), R_OK) != 0) {
    // Without a module the driver still says what this machine could do.
    const DriverProbe& driver = ProbeDriver();
    const std::string missing = "no CUDA module (" + module.path + ") in this build";
    module.reason = driver.found ? missing + "; build it with: npm run build:cuda"
                                 : driver.reason + "; version " + kMinimumDriver + " or newer is needed; " + missing;
    return module;
  }
  const CrossthinkCudaApi* api = Open(module.path, &module.reason);
  if (api == nullptr) return module;
  CrossthinkCudaStatus status{};
  if (api->device_count(&module.device_count, &status) != 0) {
    module.reason = status.message;
    return module;
  }
  if (module.device_count == 0) {
    module.reason = "the NVIDIA driver runs, but finds no device (CUDA_VISIBLE_DEVICES?)";
    return module;
  }
  module.api = api;
  return module;
}

}  // namespace

const Module& LoadModule() {
  static const Module module = Load();
  return module;
}

}  // namespace crossthink::cuda
