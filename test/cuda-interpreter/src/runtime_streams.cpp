#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <vector>

#include "interpreter/control.h"
#include "runtime_state.h"

// Streams, events and graphs of the runtime API. A captured stream records its work; a graph replays it. Whatever a
// capture forbids on a device (allocating, freeing, waiting) fails here too, so that a test proves an operation
// safe for CUDA graphs.

struct CUstream_st {
  bool capturing = false;
  bool invalidated = false;
  std::vector<cuda_interpreter::Work> captured;
};
struct CUevent_st {
  std::chrono::steady_clock::time_point time;
};
struct CUgraph_st {
  std::vector<cuda_interpreter::Work> work;
};
struct CUgraphExec_st {
  std::vector<cuda_interpreter::Work> work;
};

namespace cuda_interpreter {
namespace {

std::set<cudaStream_t>& Streams() {
  static std::set<cudaStream_t> streams;
  return streams;
}

bool Known(cudaStream_t stream) { return stream == nullptr || Streams().contains(stream); }

cudaError_t Wait() {
  if (!Capturing()) return StickyError();
  InvalidateCaptures();
  return SetLastError(cudaErrorStreamCaptureUnsupported);
}

}  // namespace

bool Capturing() {
  return std::any_of(Streams().begin(), Streams().end(), [](cudaStream_t stream) { return stream->capturing; });
}

void InvalidateCaptures() {
  for (cudaStream_t stream : Streams()) stream->invalidated |= stream->capturing;
}

bool Capture(cudaStream_t stream, Work work) {
  if (stream == nullptr || !stream->capturing) return false;
  stream->captured.push_back(std::move(work));
  return true;
}

}  // namespace cuda_interpreter

using namespace cuda_interpreter;

extern "C" {

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = new CUstream_st;
  Streams().insert(*stream);
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  if (Streams().erase(stream) == 0) return SetLastError(cudaErrorInvalidResourceHandle);
  delete stream;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  return Known(stream) ? Wait() : SetLastError(cudaErrorInvalidResourceHandle);
}
cudaError_t cudaDeviceSynchronize() { return Wait(); }

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  if (stream == nullptr || !Known(stream)) return SetLastError(cudaErrorInvalidResourceHandle);
  stream->capturing = true;
  stream->invalidated = false;
  stream->captured.clear();
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  *graph = nullptr;
  if (stream == nullptr || !Known(stream) || !stream->capturing) return SetLastError(cudaErrorInvalidResourceHandle);
  stream->capturing = false;
  if (stream->invalidated) return SetLastError(cudaErrorStreamCaptureUnsupported);
  *graph = new CUgraph_st{std::move(stream->captured)};
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
  *executable = new CUgraphExec_st{graph->work};
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t) {
  for (const Work& work : executable->work) SetStickyError(work());
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  delete executable;
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  *event = new CUevent_st;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t) {
  event->time = std::chrono::steady_clock::now();
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t) { return Wait(); }
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end) {
  *milliseconds = std::chrono::duration<float, std::milli>(end->time - begin->time).count();
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}

}  // extern "C"
