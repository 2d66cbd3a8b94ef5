#ifndef CUDA_INTERPRETER_RUNTIME_STATE_H_
#define CUDA_INTERPRETER_RUNTIME_STATE_H_

#include <functional>

#include "interpreter/runtime_api.h"

namespace cuda_interpreter {

// cudaGetLastError's memory, one per host thread.
cudaError_t SetLastError(cudaError_t error);
// A failed kernel: every later call fails too, until ClearReports (on a device: until the process ends).
void SetStickyError(cudaError_t error);
cudaError_t StickyError();

// Work of a stream: a launch, copy or fill.
using Work = std::function<cudaError_t()>;

// True where `stream` is being captured; the work is then recorded instead of done.
bool Capture(cudaStream_t stream, Work work);
// True where any stream is being captured: calls that allocate or wait are errors then, as on a device.
bool Capturing();
void InvalidateCaptures();

size_t DynamicSharedLimit(const void* kernel);

}  // namespace cuda_interpreter

#endif  // CUDA_INTERPRETER_RUNTIME_STATE_H_
