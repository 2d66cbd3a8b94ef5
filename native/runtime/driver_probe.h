#ifndef CROSSTHINK_RUNTIME_DRIVER_PROBE_H_
#define CROSSTHINK_RUNTIME_DRIVER_PROBE_H_

#include <string>

namespace crossthink {

// What an NVIDIA driver on this machine says of itself. Nothing is linked: libcuda.so.1 is opened, asked and closed.
struct DriverProbe {
  bool found = false;
  int version = 0;     // CUDA version the driver supports, e.g. 12040.
  std::string reason;  // Why there is no usable driver; empty where `found`.
};

const DriverProbe& ProbeDriver();

}  // namespace crossthink

#endif  // CROSSTHINK_RUNTIME_DRIVER_PROBE_H_
