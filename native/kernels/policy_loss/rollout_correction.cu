// Rollout correction: weights and masks. Bytes moved per token: 9 read twice (log-probs, rollout log-probs, mask; the
// second time from the second-level cache where they fit), because a sequence is judged before its tokens are; 5
// written; 8 more where weights are normalised over the batch.
//
// Five launches, six with the normalisation: tiles are measured (one warp a tile of 1024 tokens), sequences judged (one
// thread each), tokens corrected (one warp a tile), partial sums added per sequence, and over the sequences in order.
#include "kernels/ordered_sum.cuh"
#include "kernels/policy_loss/mismatch.h"
#include "kernels/policy_loss/policy_loss_cuda.h"
#include "kernels/token_tiles.cuh"
#include "runtime/cuda/workspace.h"

namespace crossthink::cuda {
namespace {

using V = simd::Scalar;

constexpr unsigned kBlock = 256;
constexpr unsigned kBlockWarps = kBlock / kWarp;

struct MeasuredTile {
  float sum, square, k3, abs, k2_max, k3_max;
  uint32_t valid;
};

struct Verdict {
  float ratio;
  bool rejected;
};

struct CorrectedTile {
  float weight, square, bounded;
  uint32_t outside, rejected;
};

// One call's arrays in the workspace.
struct Memory {
  MeasuredTile* measured;
  Verdict* verdicts;
  CorrectedTile* corrected;
  double* sums;  // A row of kCorrectionSums per sequence.
  size_t bytes;

  Memory(const RolloutCorrection& op, size_t tiles, void* workspace) {
    WorkspaceCutter cut(workspace);
    measured = cut.Take<MeasuredTile>(tiles);
    verdicts = cut.Take<Verdict>(op.sequences);
    corrected = cut.Take<CorrectedTile>(tiles);
    sums = cut.Take<double>(op.sequences * kCorrectionSums);
    bytes = cut.bytes();
  }
};

__host__ __device__ __forceinline__ PackedSequences Packed(const RolloutCorrection& op) {
  return {op.offsets, op.sequences, op.tokens};
}

// Of numbers that are no NaN.
__device__ __forceinline__ float JoinMax(float x) {
#pragma unroll
  for (int distance = static_cast<int>(kWarp) / 2; distance > 0; distance /= 2) {
    x = V::Max(x, __shfl_xor_sync(kFullWarp, x, distance));
  }
  return x;
}

__global__ __launch_bounds__(kBlock) void CorrectionMeasure(RolloutCorrection op, size_t tiles,
                                                            MeasuredTile* measured) {
  const size_t number = size_t{blockIdx.x} * kBlockWarps + WarpIndex();
  if (number >= tiles) return;
  const TokenTile tile = FindTile(Packed(op), number);
  float sum = 0, square = 0, k3_sum = 0, abs = 0, k2_max = 0, k3_max = 0;
  uint32_t valid = 0;
  for (size_t i = tile.begin + LaneIndex(); i < tile.end; i += kWarp) {
    if (!LoadMask<V>(op.mask, i, 1, true)) continue;
    const float x = LoadMismatch<V>(op, i, 1);
    const float k2 = K2<V>(x);
    const float k3 = spec::Expm1MinusX<V>(x);
    ++valid;
    sum += x;
    square += k2;
    k3_sum += k3;
    abs += V::Abs(x);
    k2_max = V::Max(k2_max, k2);
    k3_max = V::Max(k3_max, k3);
  }
  const MeasuredTile result = {JoinTokenLanes(sum), JoinTokenLanes(square), JoinTokenLanes(k3_sum), JoinTokenLanes(abs),
                               JoinMax(k2_max),     JoinMax(k3_max),        JoinCounts(valid)};
  if (LaneIndex() == 0) measured[number] = result;
}

__global__ __launch_bounds__(kBlock) void CorrectionJudge(RolloutCorrection op, const MeasuredTile* measured,
                                                          Verdict* verdicts, double* sums) {
  const size_t q = size_t{blockIdx.x} * kBlock + threadIdx.x;
  if (q >= op.sequences) return;
  const PackedSequences packed = Packed(op);
  MismatchStatistics s;
  const MeasuredTile* tile = measured + packed.FirstTile(q);
  for (size_t left = packed.Tiles(q); left > 0; --left, ++tile) {
    s.valid += tile->valid;
    s.sum += static_cast<double>(tile->sum);
    s.square_sum += static_cast<double>(tile->square);
    s.k3_sum += static_cast<double>(tile->k3);
    s.abs_sum += static_cast<double>(tile->abs);
    s.k2_max = V::Max(s.k2_max, tile->k2_max);
    s.k3_max = V::Max(s.k3_max, tile->k3_max);
  }
  verdicts[q] = {SequenceRatio(s.sum), RejectsSequence(op, s)};
  double* out = sums + q * kCorrectionSums;
  out[kCorrectedTokens] = static_cast<double>(s.valid);
  out[kMismatchSum] = s.sum;
  out[kMismatchK3Sum] = s.k3_sum;
  out[kMismatchAbsSum] = s.abs_sum;
  out[kNormalizerSum] = 0;  // CorrectionSequenceSums adds to it where it counts tokens.
  out[kNormalizerCount] = 0;
  if (op.normalize) FinishNormalizer(op, s, out);
}

__global__ __launch_bounds__(kBlock) void CorrectionTokens(RolloutCorrection op, size_t tiles, const Verdict* verdicts,
                                                           CorrectedTile* corrected) {
  const size_t number = size_t{blockIdx.x} * kBlockWarps + WarpIndex();
  if (number >= tiles) return;
  const TokenTile tile = FindTile(Packed(op), number);
  const Verdict verdict = verdicts[tile.sequence];
  float sum = 0, square = 0, bounded = 0;
  uint32_t outside = 0, rejected = 0;
  for (size_t i = tile.begin + LaneIndex(); i < tile.end; i += kWarp) {
    const CorrectedToken<V> t = CorrectToken<V>(op, i, 1, verdict.ratio, verdict.rejected);
    op.weights_out[i] = t.weight;
    op.mask_out[i] = t.kept ? 1 : 0;
    if (!t.valid) continue;
    sum += t.weight;
    square += t.weight * t.weight;
    bounded += t.bounded;
    outside += t.outside ? 1 : 0;
    rejected += t.rejected ? 1 : 0;
  }
  const CorrectedTile result = {JoinTokenLanes(sum), JoinTokenLanes(square), JoinTokenLanes(bounded),
                                JoinCounts(outside), JoinCounts(rejected)};
  if (LaneIndex() == 0) corrected[number] = result;
}

__global__ __launch_bounds__(kBlock) void CorrectionSequenceSums(RolloutCorrection op, const CorrectedTile* corrected,
                                                                 double* sums) {
  const size_t q = size_t{blockIdx.x} * kBlock + threadIdx.x;
  if (q >= op.sequences) return;
  const PackedSequences packed = Packed(op);
  double weight = 0, square = 0, bounded = 0;
  uint64_t outside = 0, rejected = 0;
  const CorrectedTile* tile = corrected + packed.FirstTile(q);
  for (size_t left = packed.Tiles(q); left > 0; --left, ++tile) {
    weight += static_cast<double>(tile->weight);
    square += static_cast<double>(tile->square);
    bounded += static_cast<double>(tile->bounded);
    outside += tile->outside;
    rejected += tile->rejected;
  }
  double* out = sums + q * kCorrectionSums;
  out[kWeightSum] = weight;
  out[kWeightSquareSum] = square;
  out[kOutside] = static_cast<double>(outside);
  out[kRejected] = static_cast<double>(rejected);
  if (op.normalize && op.weights != WeightLevel::kSequence) out[kNormalizerSum] = bounded;
}

__global__ __launch_bounds__(kSumRows) void CorrectionTotalSums(RolloutCorrection op, const double* sums) {
  const double sum = SumInOrder<kCorrectionSums>(op.sequences, [&](size_t q, double* numbers) {
    for (size_t k = 0; k < kCorrectionSums; ++k) numbers[k] = sums[q * kCorrectionSums + k];
  });
  if (threadIdx.x < kCorrectionSums) op.result[threadIdx.x] = sum;
}

__global__ __launch_bounds__(kBlock) void CorrectionNormalize(RolloutCorrection op) {
  const size_t t = size_t{blockIdx.x} * kBlock + threadIdx.x;
  if (t < op.tokens) op.weights_out[t] = V::Div(op.weights_out[t], WeightMean(op, op.result));
}

// The launches over tiles and sequences; there is at least one sequence.
cudaError_t RunSequences(const RolloutCorrection& op, const Memory& memory, cudaStream_t stream) {
  const size_t tiles = Packed(op).TileNumbers();
  const size_t tile_blocks = CeilDivide(tiles, kBlockWarps);
  const size_t sequence_blocks = CeilDivide(op.sequences, kBlock);
  cudaError_t error = Launch(CorrectionMeasure, tile_blocks, kBlock, 0, stream, op, tiles, memory.measured);
  if (error != cudaSuccess) return error;
  error =
      Launch(CorrectionJudge, sequence_blocks, kBlock, 0, stream, op, memory.measured, memory.verdicts, memory.sums);
  if (error != cudaSuccess) return error;
  error = Launch(CorrectionTokens, tile_blocks, kBlock, 0, stream, op, tiles, memory.verdicts, memory.corrected);
  if (error != cudaSuccess) return error;
  return Launch(CorrectionSequenceSums, sequence_blocks, kBlock, 0, stream, op, memory.corrected, memory.sums);
}

}  // namespace

size_t RolloutCorrectionWorkspace(const RolloutCorrection& op) {
  return Memory(op, Packed(op).TileNumbers(), nullptr).bytes;
}

cudaError_t RunRolloutCorrection(const RolloutCorrection& op, void* workspace, cudaStream_t stream) {
  const Memory memory(op, Packed(op).TileNumbers(), workspace);
  cudaError_t error = op.sequences == 0 ? cudaSuccess : RunSequences(op, memory, stream);
  if (error != cudaSuccess) return error;
  error = Launch(CorrectionTotalSums, 1, kSumRows, 0, stream, op, memory.sums);
  if (error != cudaSuccess || !op.normalize || op.tokens == 0) return error;
  return Launch(CorrectionNormalize, CeilDivide(op.tokens, kBlock), kBlock, 0, stream, op);
}

}  // namespace crossthink::cuda
