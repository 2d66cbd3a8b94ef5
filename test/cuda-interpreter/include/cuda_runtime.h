#ifndef CUDA_INTERPRETER_CUDA_RUNTIME_H_
#define CUDA_INTERPRETER_CUDA_RUNTIME_H_

// Stands in for NVIDIA's <cuda_runtime.h> when a .cu file is compiled by the host compiler against the interpreter. It
// holds what the kernels of this project use and nothing else: a name that is missing is a compile error, never a
// silent difference. Put this folder on the include path (-I) only for such builds.

#include "interpreter/atomics.h"      // IWYU pragma: export
#include "interpreter/intrinsics.h"   // IWYU pragma: export
#include "interpreter/keywords.h"     // IWYU pragma: export
#include "interpreter/launch.h"       // IWYU pragma: export
#include "interpreter/runtime_api.h"  // IWYU pragma: export
#include "interpreter/types.h"        // IWYU pragma: export
#include "interpreter/warp.h"         // IWYU pragma: export

#endif  // CUDA_INTERPRETER_CUDA_RUNTIME_H_
