// The k most probable tokens of every row, and the log-probs of given tokens. Bytes moved: for top-k the rows again,
// once for every 8 bits of the keys on which they differ (about six times, a row of ordinary size from the second-level
// cache); for given tokens their logits. One block a row selects the k-th key and then ranks the k that reach it.
#include "kernels/logprob/elements.cuh"
#include "kernels/logprob/logprob_cuda.h"
#include "kernels/logprob/row.h"
#include "kernels/sampling/select.cuh"
#include "spec/order.h"

namespace crossthink::cuda {
namespace {

constexpr unsigned kBlock = kSelectThreads;

// What log-probs of a row need of its state.
struct RowLogprobs {
  double reference;
  double log2_sum;
  float c;
  bool sound;

  __device__ __forceinline__ RowLogprobs(const LogprobForward& op, size_t row) {
    const double* state = op.state + row * kStateSize;
    reference = state[0];
    sound = state[1] > 0;
    log2_sum = sound ? spec::Log2Double(state[1]) : 0.0;
    c = Log2Factor(op.temperature.At(row));
  }
  __device__ __forceinline__ float operator()(float x) const {
    return sound ? LogprobOf(Log2Offset(x, c, reference), log2_sum) : spec::QuietNan();
  }
};

template <class S>
__global__ __launch_bounds__(kBlock) void LogprobTop(LogprobForward op) {
  __shared__ SelectShared shared;
  __shared__ unsigned held;
  auto* keys = static_cast<uint64_t*>(DynamicShared());
  const size_t row = blockIdx.x;
  const RowElements<S> x(op, row);
  const RowLogprobs logprob(op, row);
  if (threadIdx.x == 0) held = 0;
  if (logprob.sound) {
    const auto for_each = [&](const auto& visit) {
      for (size_t j = threadIdx.x; j < x.size(); j += kBlock) {
        const float v = x[j];
        if (v > -spec::Infinity()) visit(spec::OrderKey(v, static_cast<uint32_t>(j)), uint64_t{1});
      }
    };
    // The upper bits of the complement of an element's number are ones.
    uint64_t numbers = 1;
    while (numbers < x.size()) numbers *= 2;
    const uint64_t ones = 0xffffffffU & ~(numbers - 1);
    const Selected last = SelectKey(&shared, 64, ones, op.top_k, for_each);
    const uint64_t least = last.found ? last.key : 0;
    for_each([&](uint64_t key, uint64_t) {
      if (key >= least) keys[atomicAdd(&held, 1U)] = key;
    });
  }
  __syncthreads();
  const unsigned found = held;
  for (unsigned i = threadIdx.x; i < op.top_k; i += kBlock) {
    unsigned rank = i;  // Places past the last key stay empty.
    int32_t token = -1;
    float result = spec::QuietNan();
    if (i < found) {
      const uint64_t key = keys[i];
      rank = 0;
      for (unsigned k = 0; k < found; ++k) rank += keys[k] > key ? 1U : 0U;
      token = op.vocab_offset + static_cast<int32_t>(x.span().Column(spec::KeyToken(key)));
      result = logprob(x[spec::KeyToken(key)]);
    }
    op.top_tokens[row * op.top_k + rank] = token;
    op.top_logprobs[row * op.top_k + rank] = result;
  }
}

template <class S>
__global__ __launch_bounds__(kBlock) void LogprobListed(LogprobForward op) {
  const size_t i = size_t{blockIdx.x} * kBlock + threadIdx.x;
  if (i >= op.logits.rows * op.listed) return;
  const size_t row = i / op.listed;
  const RowElements<S> x(op, row);
  const size_t element = ElementOf(op, x.span(), op.listed_tokens[i]);
  op.listed_logprobs[i] = element != kNoElement ? RowLogprobs(op, row)(x[element]) : spec::QuietNan();
}

template <class S>
cudaError_t Run(const LogprobForward& op, cudaStream_t stream) {
  if (op.top_k != 0) {
    const size_t shared = op.top_k * sizeof(uint64_t);
    const cudaError_t error = Launch(LogprobTop<S>, op.logits.rows, kBlock, shared, stream, op);
    if (error != cudaSuccess) return error;
  }
  if (op.listed == 0) return cudaSuccess;
  return Launch(LogprobListed<S>, CeilDivide(op.logits.rows * op.listed, kBlock), kBlock, 0, stream, op);
}

}  // namespace

cudaError_t RunLogprobTop(const LogprobForward& op, cudaStream_t stream) {
  switch (op.logits.type) {
    case DType::kFloat32:
      return Run<Float32Storage>(op, stream);
    case DType::kBfloat16:
      return Run<Bfloat16Storage>(op, stream);
    case DType::kFloat16:
      return Run<Float16Storage>(op, stream);
  }
  return cudaErrorInvalidValue;
}

}  // namespace crossthink::cuda
