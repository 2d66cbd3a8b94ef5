#include "kernels/linear/linear_cuda.h"

#include <algorithm>

#include "kernels/logprob/logprob_cuda.h"
#include "runtime/cuda/workspace.h"

namespace crossthink::cuda {
namespace {

template <class T>
void Advance(T** pointer, size_t by) {
  if (*pointer != nullptr) *pointer += by;
}

const void* RowOf(const void* rows, DType type, size_t row, size_t stride) {
  return static_cast<const uint8_t*>(rows) + row * stride * DTypeSize(type);
}

// Rows [begin, begin + count) of a product.
LinearProduct RowsOf(LinearProduct product, size_t begin, size_t count) {
  product.hidden = RowOf(product.hidden, product.type, begin, product.hidden_stride);
  product.rows = count;
  return product;
}

// The same of what both directions take, over logits without gaps.
void TakeRows(LogprobInput* op, float* logits, size_t vocab, size_t begin, size_t count) {
  op->logits.data = logits;
  op->logits.type = DType::kFloat32;
  op->logits.rows = count;
  op->logits.vocab = vocab;
  op->logits.stride = vocab;
  Advance(&op->tokens, begin);
  Advance(&op->temperature.values, begin);
}

// logits [rows, vocab] = hidden weight^T + bias
cudaError_t Multiply(const LinearProduct& x, float* logits, cudaStream_t stream, Blas* blas) {
  Gemm gemm;
  gemm.type = x.type;
  gemm.m = x.rows;
  gemm.n = x.vocab;
  gemm.k = x.depth;
  gemm.a = x.hidden;
  gemm.a_stride = x.hidden_stride;
  gemm.b = x.weight;
  gemm.b_stride = x.weight_stride;
  gemm.b_transposed = true;
  gemm.c = logits;
  gemm.c_stride = x.vocab;
  const cudaError_t error = blas->Run(gemm);
  return error == cudaSuccess && x.bias != nullptr ? AddBias(logits, x.rows, x.vocab, x.bias, stream) : error;
}

size_t ChunkRows(size_t rows, size_t bytes, size_t bytes_per_row) {
  return std::clamp(bytes / bytes_per_row, size_t{1}, std::max(rows, size_t{1}));
}

// Runs step(begin, count) for chunks of rows until one fails.
template <class Step>
cudaError_t ForEachChunk(size_t rows, size_t chunk, Step step) {
  cudaError_t error = cudaSuccess;
  for (size_t begin = 0; begin < rows && error == cudaSuccess; begin += chunk) {
    error = step(begin, std::min(chunk, rows - begin));
  }
  return error;
}

LogprobForward ForwardChunk(const LinearForward& op, float* logits, size_t begin, size_t count) {
  LogprobForward part = op.logprob;
  TakeRows(&part, logits, op.product.vocab, begin, count);
  Advance(&part.logprob, begin);
  Advance(&part.entropy_out, begin);
  Advance(&part.sum_squares, begin);
  Advance(&part.logsumexp, begin);
  Advance(&part.state, begin * kStateSize);
  Advance(&part.status, begin);
  return part;
}

struct ForwardMemory {
  size_t chunk;
  float* logits;
  uint8_t* rows;
  size_t bytes;

  ForwardMemory(const LinearForward& op, size_t limit, void* workspace) {
    const size_t vocab = op.product.vocab;
    chunk = ChunkRows(op.product.rows, limit, vocab * sizeof(float));
    WorkspaceCutter cutter(workspace);
    logits = cutter.Take<float>(chunk * vocab);
    rows = cutter.Take<uint8_t>(LogprobForwardWorkspace(ForwardChunk(op, logits, 0, chunk)));
    bytes = cutter.bytes();
  }
};

LogprobBackward BackwardChunk(const LinearBackward& op, float* logits, size_t begin, size_t count) {
  LogprobBackward part = op.logprob;
  TakeRows(&part, logits, op.product.vocab, begin, count);
  Advance(&part.state, begin * kStateSize);
  Advance(&part.d_logprob, begin);
  Advance(&part.d_entropy, begin);
  part.d_logits = logits;  // In place.
  part.d_type = DType::kFloat32;
  part.d_stride = op.product.vocab;
  return part;
}

struct BackwardMemory {
  size_t chunk;
  float* d;           // [chunk, vocab]: logits, then their gradient,
  uint16_t* rounded;  // and the same in bfloat16, where the operands are.
  uint8_t* hidden;    // [chunk, depth]: the rows that take part.
  uint8_t* rows;
  size_t bytes;

  BackwardMemory(const LinearBackward& op, size_t limit, void* workspace) {
    const LinearProduct& x = op.product;
    const size_t element = DTypeSize(x.type);
    const bool halves = x.type != DType::kFloat32;
    chunk = ChunkRows(x.rows, limit, x.vocab * (sizeof(float) + (halves ? element : 0)) + x.depth * element);
    WorkspaceCutter cutter(workspace);
    d = cutter.Take<float>(chunk * x.vocab);
    rounded = halves ? cutter.Take<uint16_t>(chunk * x.vocab) : nullptr;
    hidden = cutter.Take<uint8_t>(chunk * x.depth * element);
    rows = cutter.Take<uint8_t>(LogprobBackwardWorkspace(BackwardChunk(op, d, 0, chunk)));
    bytes = cutter.bytes();
  }
};

// d_hidden = D weight for the rows of a chunk, d_weight += D^T hidden.
cudaError_t MultiplyGradient(const LinearBackward& op, const BackwardMemory& memory, size_t begin, size_t count,
                             Blas* blas) {
  const LinearProduct& x = op.product;
  Gemm gemm;
  gemm.type = x.type;
  gemm.a = memory.rounded != nullptr ? static_cast<const void*>(memory.rounded) : memory.d;
  gemm.a_stride = x.vocab;
  gemm.n = x.depth;
  gemm.c_stride = x.depth;
  cudaError_t error = cudaSuccess;
  if (op.d_hidden != nullptr) {
    gemm.m = count;
    gemm.k = x.vocab;
    gemm.b = x.weight;
    gemm.b_stride = x.weight_stride;
    gemm.c = op.d_hidden + begin * x.depth;
    gemm.beta = op.accumulate ? 1.0F : 0.0F;
    error = blas->Run(gemm);
  }
  if (error != cudaSuccess || op.d_weight == nullptr) return error;
  gemm.m = x.vocab;
  gemm.k = count;
  gemm.a_transposed = true;
  gemm.b = memory.hidden;
  gemm.b_stride = x.depth;
  gemm.c = op.d_weight;
  gemm.beta = op.accumulate || begin > 0 ? 1.0F : 0.0F;
  return blas->Run(gemm);
}

// Without rows there is no product to write the zeros.
cudaError_t ClearGradients(const LinearBackward& op, cudaStream_t stream) {
  cudaError_t error = cudaSuccess;
  const auto clear = [&](float* array, size_t count) {
    if (array != nullptr && error == cudaSuccess) {
      error = cudaMemsetAsync(array, 0, count * sizeof(float), stream);
    }
  };
  clear(op.d_weight, op.product.vocab * op.product.depth);
  clear(op.d_bias, op.product.vocab);
  return error;
}

}  // namespace

size_t LinearLogitsWorkspace(const LinearLogits&, size_t) { return 0; }

cudaError_t RunLinearLogits(const LinearLogits& op, size_t, void*, cudaStream_t stream, Blas* blas) {
  return op.product.rows == 0 ? cudaSuccess : Multiply(op.product, op.logits, stream, blas);
}

size_t LinearForwardWorkspace(const LinearForward& op, size_t bytes) { return ForwardMemory(op, bytes, nullptr).bytes; }

cudaError_t RunLinearForward(const LinearForward& op, size_t bytes, void* workspace, cudaStream_t stream, Blas* blas) {
  const ForwardMemory memory(op, bytes, workspace);
  return ForEachChunk(op.product.rows, memory.chunk, [&](size_t begin, size_t count) {
    const cudaError_t error = Multiply(RowsOf(op.product, begin, count), memory.logits, stream, blas);
    if (error != cudaSuccess) return error;
    return RunLogprobForward(ForwardChunk(op, memory.logits, begin, count), memory.rows, stream);
  });
}

size_t LinearBackwardWorkspace(const LinearBackward& op, size_t bytes) {
  return BackwardMemory(op, bytes, nullptr).bytes;
}

cudaError_t RunLinearBackward(const LinearBackward& op, size_t bytes, void* workspace, cudaStream_t stream,
                              Blas* blas) {
  const LinearProduct& x = op.product;
  if (x.rows == 0) return op.accumulate ? cudaSuccess : ClearGradients(op, stream);
  const BackwardMemory memory(op, bytes, workspace);
  return ForEachChunk(x.rows, memory.chunk, [&](size_t begin, size_t count) {
    const LinearProduct rows = RowsOf(x, begin, count);
    const LogprobBackward part = BackwardChunk(op, memory.d, begin, count);
    cudaError_t error = Multiply(rows, memory.d, stream, blas);
    if (error == cudaSuccess) error = RunLogprobBackward(part, memory.rows, stream);
    if (error == cudaSuccess) error = PackLiveRows(rows, part, memory.hidden, stream);
    if (error == cudaSuccess && op.d_bias != nullptr) {
      error = SumColumns(memory.d, count, x.vocab, op.d_bias, op.accumulate || begin > 0, stream);
    }
    if (error == cudaSuccess && memory.rounded != nullptr) {
      error = RoundToBfloat16(memory.d, count * x.vocab, memory.rounded, stream);
    }
    return error == cudaSuccess ? MultiplyGradient(op, memory, begin, count, blas) : error;
  });
}

}  // namespace crossthink::cuda
