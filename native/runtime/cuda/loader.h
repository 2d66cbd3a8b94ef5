#ifndef CROSSTHINK_RUNTIME_CUDA_LOADER_H_
#define CROSSTHINK_RUNTIME_CUDA_LOADER_H_

#include <string>

#include "runtime/cuda/api.h"

namespace crossthink::cuda {

// The CUDA module as this process found it. `api` is null and `reason` says why where there is none to use.
struct Module {
  const CrossthinkCudaApi* api = nullptr;
  int device_count = 0;
  std::string path;
  std::string reason;
};

// Opens libcrossthink_cuda.so beside this binary, or the file that CROSSTHINK_CUDA_MODULE names (empty: none), on the
// first call; never throws, never tries again.
const Module& LoadModule();

}  // namespace crossthink::cuda

#endif  // CROSSTHINK_RUNTIME_CUDA_LOADER_H_
