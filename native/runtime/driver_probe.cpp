#include "runtime/driver_probe.h"

#include <dlfcn.h>

namespace crossthink {
namespace {

DriverProbe Probe() {
  DriverProbe probe;
  void* handle = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    probe.reason = "NVIDIA driver (libcuda.so.1) not found";
    return probe;
  }
  using GetVersion = int (*)(int*);
  const auto get_version = reinterpret_cast<GetVersion>(dlsym(handle, "cuDriverGetVersion"));
  if (get_version == nullptr || get_version(&probe.version) != 0) {
    probe.reason = "libcuda.so.1 is present but does not answer cuDriverGetVersion";
  } else {
    probe.found = true;
  }
  dlclose(handle);
  return probe;
}

}  // namespace

const DriverProbe& ProbeDriver() {
  static const DriverProbe probe = Probe();
  return probe;
}

}  // namespace crossthink
