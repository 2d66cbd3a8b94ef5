#ifndef CROSSTHINK_ADDON_CUDA_ARGUMENTS_H_
#define CROSSTHINK_ADDON_CUDA_ARGUMENTS_H_

#include <napi.h>

#include <map>
#include <mutex>
#include <utility>

#include "runtime/cuda/loader.h"

// What every operation on device memory takes: (device, stream, pointers: BigUint64Array, numbers: Float64Array), both
// arrays in the order that the unpacking in native/addon/cuda_*.cpp and lib/kernels/device share. A pointer of 0 is
// null.
namespace crossthink::addon {

using cuda::CrossthinkAddress;
using cuda::CrossthinkCudaApi;
using cuda::CrossthinkCudaCall;
using cuda::CrossthinkCudaStatus;

// Working memory per device and stream, grown as needed and kept: operations of one stream run one after another, so
// they can share it. Only a call that needs more than any before it allocates.
class Workspaces {
 public:
  static Workspaces& Instance() {
    static auto* workspaces = new Workspaces;  // Outlives every environment.
    return *workspaces;
  }

  // Null with status 0 for 0 bytes.
  int32_t Get(const CrossthinkCudaApi& api, int32_t device, CrossthinkAddress stream, uint64_t bytes,
              CrossthinkAddress* address, CrossthinkCudaStatus* status) {
    const std::lock_guard<std::mutex> lock(mutex_);
    Block& block = blocks_[{device, stream}];
    if (block.bytes < bytes) {
      if (block.address != 0) {
        // What the stream still runs may use the old block.
        int32_t error = api.stream_synchronize(device, stream, status);
        if (error == 0) error = api.release(device, block.address, status);
        if (error != 0) return error;
        block = {};
      }
      if (const int32_t error = api.allocate(device, bytes, &block.address, status); error != 0) return error;
      block.bytes = bytes;
    }
    *address = block.address;
    return 0;
  }

  int32_t ReleaseAll(const CrossthinkCudaApi& api, CrossthinkCudaStatus* status) {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& [key, block] : blocks_) {
      if (block.address == 0) continue;
      if (const int32_t error = api.release(key.first, block.address, status); error != 0) return error;
    }
    blocks_.clear();
    return 0;
  }

 private:
  struct Block {
    CrossthinkAddress address = 0;
    uint64_t bytes = 0;
  };
  std::mutex mutex_;
  std::map<std::pair<int32_t, CrossthinkAddress>, Block> blocks_;
};

// Reads the two argument arrays in order.
class CudaArguments {
 public:
  explicit CudaArguments(const Napi::CallbackInfo& info)
      : env_(info.Env()), pointers_(info[2].As<Napi::BigUint64Array>()), numbers_(info[3].As<Napi::Float64Array>()) {
    bool lossless = false;
    call_ = {info[0].As<Napi::Number>().Int32Value(), info[1].As<Napi::BigInt>().Uint64Value(&lossless), 0};
  }

  template <class T>
  T* Pointer() {
    return reinterpret_cast<T*>(static_cast<uintptr_t>(Integer()));
  }
  // A 64-bit integer that is no pointer travels with the pointers.
  uint64_t Integer() {
    if (next_pointer_ >= pointers_.ElementLength()) throw Napi::Error::New(env_, "too few pointers");
    return pointers_[next_pointer_++];
  }
  double Number() {
    if (next_number_ >= numbers_.ElementLength()) throw Napi::Error::New(env_, "too few numbers");
    return numbers_[next_number_++];
  }
  size_t Size() { return static_cast<size_t>(Number()); }
  bool Flag() { return Number() != 0; }
  // The next `count` numbers.
  const double* Numbers(size_t count) {
    if (next_number_ + count > numbers_.ElementLength()) throw Napi::Error::New(env_, "too few numbers");
    next_number_ += count;
    return numbers_.Data() + next_number_ - count;
  }

  Logits ReadLogits() {
    Logits logits;
    logits.data = Pointer<const void>();
    logits.type = static_cast<DType>(Size());
    logits.rows = Size();
    logits.vocab = Size();
    logits.stride = Size();
    return logits;
  }
  RowFloat ReadRowFloat() {
    RowFloat parameter;
    parameter.values = Pointer<const float>();
    parameter.scalar = static_cast<float>(Number());
    return parameter;
  }

  // Runs an operation without a workspace.
  template <class Op>
  void Run(const Op& op,
           int32_t (*CrossthinkCudaApi::*run)(const Op*, const CrossthinkCudaCall*, CrossthinkCudaStatus*)) {
    CrossthinkCudaStatus status{};
    if ((Api().*run)(&op, &call_, &status) != 0) throw Napi::Error::New(env_, status.message);
  }

  // Gives the operation its workspace and runs it.
  template <class Op>
  void Run(const Op& op, uint64_t (*CrossthinkCudaApi::*workspace)(const Op*),
           int32_t (*CrossthinkCudaApi::*run)(const Op*, const CrossthinkCudaCall*, CrossthinkCudaStatus*)) {
    CrossthinkCudaStatus status{};
    const CrossthinkCudaApi& api = Api();
    int32_t error =
        Workspaces::Instance().Get(api, call_.device, call_.stream, (api.*workspace)(&op), &call_.workspace, &status);
    if (error == 0) error = (api.*run)(&op, &call_, &status);
    if (error != 0) throw Napi::Error::New(env_, status.message);
  }

 private:
  const CrossthinkCudaApi& Api() const {
    const cuda::Module& module = cuda::LoadModule();
    if (module.api == nullptr) throw Napi::Error::New(env_, module.reason);
    return *module.api;
  }

  Napi::Env env_;
  Napi::BigUint64Array pointers_;
  Napi::Float64Array numbers_;
  size_t next_pointer_ = 0;
  size_t next_number_ = 0;
  CrossthinkCudaCall call_{};
};

}  // namespace crossthink::addon

#endif  // CROSSTHINK_ADDON_CUDA_ARGUMENTS_H_
