#ifndef CROSSTHINK_RUNTIME_CUDA_OPERATIONS_H_
#define CROSSTHINK_RUNTIME_CUDA_OPERATIONS_H_

#include "runtime/cuda/api.h"

namespace crossthink::cuda {

// Enters the operations into the module's table.
void AddOperations(CrossthinkCudaApi* api);

}  // namespace crossthink::cuda

#endif  // CROSSTHINK_RUNTIME_CUDA_OPERATIONS_H_
