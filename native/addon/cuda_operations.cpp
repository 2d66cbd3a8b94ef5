#include <map>
#include <mutex>
#include <utility>

#include "addon/addon.h"
#include "runtime/cuda/loader.h"

// Operations on device tensors: (device, stream, pointers: BigUint64Array, numbers: Float64Array), both arrays in the
// order that the unpacking below and lib/kernels/device share. A pointer of 0 is null.
namespace crossthink::addon {
namespace {

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
class Arguments {
 public:
  explicit Arguments(const Napi::CallbackInfo& info)
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

  // Gives the operation its workspace and runs it.
  template <class Op>
  void Run(const Op& op, uint64_t (*CrossthinkCudaApi::*workspace)(const Op*),
           int32_t (*CrossthinkCudaApi::*run)(const Op*, const CrossthinkCudaCall*, CrossthinkCudaStatus*)) {
    const cuda::Module& module = cuda::LoadModule();
    if (module.api == nullptr) throw Napi::Error::New(env_, module.reason);
    CrossthinkCudaStatus status{};
    const CrossthinkCudaApi& api = *module.api;
    int32_t error =
        Workspaces::Instance().Get(api, call_.device, call_.stream, (api.*workspace)(&op), &call_.workspace, &status);
    if (error == 0) error = (api.*run)(&op, &call_, &status);
    if (error != 0) throw Napi::Error::New(env_, status.message);
  }

 private:
  Napi::Env env_;
  Napi::BigUint64Array pointers_;
  Napi::Float64Array numbers_;
  size_t next_pointer_ = 0;
  size_t next_number_ = 0;
  CrossthinkCudaCall call_{};
};

void ReleaseWorkspaces(const Napi::CallbackInfo& info) {
  const cuda::Module& module = cuda::LoadModule();
  if (module.api == nullptr) return;
  CrossthinkCudaStatus status{};
  if (Workspaces::Instance().ReleaseAll(*module.api, &status) != 0) {
    throw Napi::Error::New(info.Env(), status.message);
  }
}

void Forward(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  LogprobForward op;
  op.logits = arguments.ReadLogits();
  op.tokens = arguments.Pointer<const int32_t>();
  op.temperature = arguments.ReadRowFloat();
  op.status = arguments.Pointer<uint8_t>();
  op.logprob = arguments.Pointer<float>();
  op.logsumexp = arguments.Pointer<float>();
  op.state = arguments.Pointer<double>();
  op.entropy_out = arguments.Pointer<float>();
  op.entropy = op.entropy_out != nullptr;
  arguments.Run(op, &CrossthinkCudaApi::logprob_forward_workspace, &CrossthinkCudaApi::logprob_forward);
}

void Backward(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  LogprobBackward op;
  op.logits = arguments.ReadLogits();
  op.tokens = arguments.Pointer<const int32_t>();
  op.temperature = arguments.ReadRowFloat();
  op.state = arguments.Pointer<const double>();
  op.d_logprob = arguments.Pointer<const float>();
  op.d_entropy = arguments.Pointer<const float>();
  op.d_logits = arguments.Pointer<void>();
  op.d_type = static_cast<DType>(arguments.Size());
  op.d_stride = arguments.Size();
  arguments.Run(op, &CrossthinkCudaApi::logprob_backward_workspace, &CrossthinkCudaApi::logprob_backward);
}

void Sample(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  Sampling op;
  op.logits = arguments.ReadLogits();
  op.temperature = arguments.ReadRowFloat();
  op.top_k.values = arguments.Pointer<const int32_t>();
  op.top_k.scalar = static_cast<int32_t>(arguments.Number());
  op.top_p = arguments.ReadRowFloat();
  op.sequences = arguments.Pointer<const uint64_t>();
  op.positions = arguments.Pointer<const int32_t>();
  op.sample = static_cast<uint32_t>(arguments.Size());
  op.seed = arguments.Integer();
  op.status = arguments.Pointer<uint8_t>();
  op.tokens = arguments.Pointer<int32_t>();
  op.logprob = arguments.Pointer<float>();
  op.raw_logprob = arguments.Pointer<float>();
  arguments.Run(op, &CrossthinkCudaApi::sampling_workspace, &CrossthinkCudaApi::sampling);
}

void Advantages(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  GroupAdvantages op;
  op.rewards = arguments.Pointer<const float>();
  op.group_size = arguments.Size();
  op.offsets = arguments.Pointer<const int32_t>();
  op.groups = arguments.Size();
  op.estimator = static_cast<GroupEstimator>(arguments.Size());
  op.epsilon = static_cast<float>(arguments.Number());
  op.advantages = arguments.Pointer<float>();
  op.zero_variance = arguments.Pointer<uint8_t>();
  arguments.Run(op, &CrossthinkCudaApi::group_advantages_workspace, &CrossthinkCudaApi::group_advantages);
}

}  // namespace

void RegisterCudaOperations(Napi::Env env, Napi::Object exports) {
  exports["cudaReleaseWorkspaces"] = Napi::Function::New(env, ReleaseWorkspaces, "cudaReleaseWorkspaces");
  exports["cudaLogprobForward"] = Napi::Function::New(env, Forward, "cudaLogprobForward");
  exports["cudaGroupAdvantages"] = Napi::Function::New(env, Advantages, "cudaGroupAdvantages");
  exports["cudaSample"] = Napi::Function::New(env, Sample, "cudaSample");
  exports["cudaLogprobBackward"] = Napi::Function::New(env, Backward, "cudaLogprobBackward");
}

}  // namespace crossthink::addon
