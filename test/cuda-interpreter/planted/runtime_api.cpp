#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "interpreter/control.h"
#include "planted.h"

// The runtime API on host memory: what must work, and what must be refused.
namespace planted {
namespace {

int failures = 0;

void Expect(bool right, const char* what) {
  std::printf("%s  %s\n", right ? "ok    " : "not ok", what);
  failures += right ? 0 : 1;
}

__global__ void AddOne(int* value) {
  if (threadIdx.x == 0) *value += 1;
}

void Copies() {
  int host = 7;
  auto* device = DeviceArray<int>(1);
  Expect(cudaMemcpy(device, &host, sizeof(int), cudaMemcpyHostToDevice) == cudaSuccess, "copy to the device");
  Expect(cudaMemcpy(&host, &host, sizeof(int), cudaMemcpyHostToDevice) == cudaErrorInvalidValue,
         "a host pointer given as device memory is refused");
  Expect(cudaMemcpy(device, device, sizeof(int), cudaMemcpyDeviceToHost) == cudaErrorInvalidValue,
         "a device pointer given as host memory is refused");
  Expect(cudaMemcpy(device, &host, 8, cudaMemcpyHostToDevice) == cudaErrorInvalidValue,
         "a copy past the end of an allocation is refused");
  cudaFree(device);
  Expect(cudaMemcpy(&host, device, sizeof(int), cudaMemcpyDeviceToHost) == cudaErrorInvalidValue,
         "a copy from freed memory is refused");
  Expect(cudaFree(device) == cudaErrorInvalidValue, "a second cudaFree is refused");
  cudaGetLastError();
}

void Launches() {
  cudaLaunchConfig_t config;
  config.blockDim = 2048;
  Expect(cudaLaunchKernelEx(&config, AddOne, static_cast<int*>(nullptr)) == cudaErrorInvalidConfiguration,
         "a block of 2048 threads is refused");
  config.blockDim = 32;
  config.dynamicSmemBytes = 64 << 10;
  Expect(cudaLaunchKernelEx(&config, AddOne, static_cast<int*>(nullptr)) == cudaErrorInvalidValue,
         "64 KiB of shared memory is refused");
  cudaFuncSetAttribute(AddOne, cudaFuncAttributeMaxDynamicSharedMemorySize, 64 << 10);
  Expect(cudaLaunchKernelEx(&config, AddOne, DeviceArray<int>(1)) == cudaSuccess,
         "64 KiB of shared memory works after cudaFuncSetAttribute");
  cudaGetLastError();
}

void Graphs() {
  auto* device = DeviceArray<int>(1);
  cudaStream_t stream = nullptr;
  cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
  cudaGraph_t graph = nullptr;
  cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal);
  cudaLaunchConfig_t config;
  config.blockDim = 32;
  config.stream = stream;
  cudaLaunchKernelEx(&config, AddOne, device);
  Expect(cudaStreamEndCapture(stream, &graph) == cudaSuccess, "a launch is captured");
  cudaGraphExec_t executable = nullptr;
  cudaGraphInstantiate(&executable, graph, 0);
  for (int i = 0; i < 3; ++i) cudaGraphLaunch(executable, stream);
  int host = 0;
  cudaMemcpy(&host, device, sizeof(int), cudaMemcpyDeviceToHost);
  Expect(host == 3, "a graph replays it");
  cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal);
  void* other = nullptr;
  Expect(cudaMalloc(&other, 4) == cudaErrorStreamCaptureUnsupported, "allocation during a capture is refused");
  Expect(cudaStreamEndCapture(stream, &graph) == cudaErrorStreamCaptureUnsupported, "and spoils the capture");
  cudaGraphExecDestroy(executable);
  cudaStreamDestroy(stream);
  cudaGetLastError();
}

// A child process maps the parent's allocation and adds one to it.
void Ipc() {
  auto* device = DeviceArray<int>(1);
  cudaIpcMemHandle_t handle;
  Expect(cudaIpcGetMemHandle(&handle, device) == cudaSuccess, "an IPC handle is made");
  void* opened = nullptr;
  Expect(cudaIpcOpenMemHandle(&opened, handle, 0) != cudaSuccess, "its own process may not open it");
  cudaGetLastError();
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    const bool right = cudaIpcOpenMemHandle(&opened, handle, cudaIpcMemLazyEnablePeerAccess) == cudaSuccess;
    if (right) Start(1, 32, 0, AddOne, static_cast<int*>(opened));
    _exit(right && cudaIpcCloseMemHandle(opened) == cudaSuccess && cudaGetLastError() == cudaSuccess ? 0 : 1);
  }
  int status = 1;
  waitpid(child, &status, 0);
  int host = 0;
  cudaMemcpy(&host, device, sizeof(int), cudaMemcpyDeviceToHost);
  Expect(status == 0 && host == 1, "another process opens it and writes through it");
}

}  // namespace

int RuntimeApiFailures() {
  Copies();
  Launches();
  Graphs();
  Ipc();
  return failures;
}

}  // namespace planted
