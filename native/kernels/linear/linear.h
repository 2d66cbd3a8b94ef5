#ifndef CROSSTHINK_KERNELS_LINEAR_LINEAR_H_
#define CROSSTHINK_KERNELS_LINEAR_LINEAR_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "kernels/logprob/logprob.h"
#include "spec/tile.h"

// The head of a language model and the log-probs of its logits, logits = hidden x weight^T + bias, without ever storing
// all of them. The product is specified to the bit (docs/linear.md): a logit is the same on every instruction set, and
// depends on its own row of `hidden` and `weight` alone.
namespace crossthink {

// hidden [rows, depth] and weight [vocab, depth], row-major, both of the same type: float32 or bfloat16.
struct LinearProduct {
  DType type = DType::kFloat32;
  size_t rows = 0;
  size_t vocab = 0;
  size_t depth = 0;
  const void* hidden = nullptr;
  size_t hidden_stride = 0;
  const int32_t* gather = nullptr;  // [rows]: which rows of `hidden` these are; null: all of them, in order.
  const void* weight = nullptr;
  size_t weight_stride = 0;
  const float* bias = nullptr;  // [vocab], added to the finished product; null: none.
};

// The logits themselves: the small shapes of decoding, and what tests compare with.
struct LinearLogits {
  LinearProduct product;
  float* logits = nullptr;  // [rows, vocab], without gaps.
};

// Log-prob of one token per row: LogprobForward over the product. Of `logits` only the shape is read; kept sets, top_k
// and listed tokens are not supported.
struct LinearForward {
  LinearProduct product;
  LogprobForward logprob;
};

// d_hidden = D weight, d_weight = D^T hidden, d_bias = column sums of D, where D is the gradient of LogprobBackward
// (of whose `logits` only the shape is read, and not `d_logits`) to the logits. Any of the three may be null. Rows
// without a gradient take no part: what they hold cannot reach the others.
struct LinearBackward {
  LinearProduct product;
  LogprobBackward logprob;
  float* d_hidden = nullptr;  // [rows, depth], without gaps.
  float* d_weight = nullptr;  // [vocab, depth], without gaps.
  float* d_bias = nullptr;    // [vocab]
  bool accumulate = false;    // Add to what is there.
};

// D for some rows and columns, as the products of the backward pass read it.
struct GradientChunk {
  size_t begin;    // First row of the (gathered) product,
  size_t rows;     // and their number.
  size_t first;    // First vocabulary entry,
  size_t columns;  // and their number.
  float* d;        // [rows, stride]
  size_t stride;
};

constexpr size_t kLinearTypes = 2;  // DType::kFloat32, DType::kBfloat16.

// Products of up to this many rows read the weights once, at the speed of memory: lanes hold vocabulary entries.
// Beyond, lanes hold tokens.
constexpr size_t kDecodeRows = 8;

// Rows of the hidden states in the order in which the product reads them.
struct PackedRows {
  void* data = nullptr;
  size_t rows = 0;
};

// What a thread works in. Sizes: LinearKernels::sizes.
struct LinearScratch {
  float* product = nullptr;  // A slab of the product, tokens in lanes.
  void* weight = nullptr;    // Rows of the weights, where they cannot be read in place.
  float* logits = nullptr;   // [rows of a block, kLogitsStride]
};
// A row of a tile of logits. Not a power of two: rows would share a cache set.
constexpr size_t kLogitsStride = spec::kTile + 16;

// Bytes, for blocks of `rows` rows.
struct LinearSizes {
  size_t packed;
  size_t product;
  size_t weight;
};

// What a tile of a row had to say about a row without a distribution.
enum class TileFault : uint8_t { kNone, kNan, kPositiveInfinity };

// Partial results, tile by tile, of rows of an operation from row `base` on.
struct LinearPartials {
  size_t base;
  spec::TilePartial* tiles;  // [rows, tiles]
  TileFault* faults;         // [rows, tiles]
  float* targets;            // [rows]: the target's logit.
};

// What one instruction set provides. Indices: DType, unless said otherwise.
struct LinearKernels {
  LinearSizes (*sizes[kLinearTypes])(size_t rows, size_t depth);
  // Packs rows [begin, begin + packed.rows) of the hidden states.
  void (*pack[kLinearTypes])(const LinearProduct& op, size_t begin, const PackedRows& packed);
  // The logits of the packed rows and `columns` vocabulary entries from `first` on, row i at out + i * stride. Columns
  // up to the next multiple of 16 are overwritten.
  void (*logits[kLinearTypes])(const LinearProduct& op, const PackedRows& packed, size_t first, size_t columns,
                               const LinearScratch& scratch, float* out, size_t stride);
  // Sums one tile of the logits of rows [begin, begin + rows) of the partials; caps them in place.
  // [0: sums only, 1: with entropy, 2: with sum of squares too]
  void (*sum_tile[3])(const LogprobForward& op, float* logits, size_t begin, size_t rows, size_t tile,
                      const LinearPartials& partials);
  // Joins the tiles of the partials of `rows` rows and writes their results.
  void (*finish)(const LogprobForward& op, size_t rows, const LinearPartials& partials);

  // Turns logits into D, in place. [entropy]
  void (*gradient[2])(const LogprobBackward& op, const LinearProduct& product, const GradientChunk& chunk);
  // Bytes of `panels` below, and the columns of the hidden size that one call should get.
  size_t panel_bytes;
  size_t panel_columns;
  // Columns [column, column + columns) of the hidden size: rows of the product at out + i * depth, added where `add`.
  void (*d_hidden[kLinearTypes])(const LinearProduct& op, const GradientChunk& chunk, size_t column, size_t columns,
                                 float* panels, float* out, bool add);
  void (*d_weight[kLinearTypes])(const LinearProduct& op, const GradientChunk& chunk, size_t column, size_t columns,
                                 float* panels, float* out, bool add);
  void (*d_bias)(const GradientChunk& chunk, float* out, bool add);
  // Runs as many steps of chains as the registers hold, `rounds` times, and returns the multiply-adds done: the ceiling
  // that bench/linear.ts compares with.
  double (*peak[kLinearTypes])(size_t rounds);
};

// Rows of D that one chain of d_weight and d_bias runs over; entries of the vocabulary for d_hidden:
// Float32Chain::kBlock.
constexpr size_t kGradientRows = 256;

constexpr size_t kDefaultLinearWorkspace = size_t{64} << 20;

// Run on the shared pool, on at most `threads` threads (0: all). `workspace` bounds the bytes of intermediate results
// where that is possible with at least one block of rows (docs/linear.md). False where `cancel`, which may be null,
// stopped them.
bool RunLinearLogits(const LinearLogits& op, unsigned threads, const std::atomic<int32_t>* cancel);
bool RunLinearForward(const LinearForward& op, size_t workspace, unsigned threads, const std::atomic<int32_t>* cancel);
bool RunLinearBackward(const LinearBackward& op, size_t workspace, unsigned threads,
                       const std::atomic<int32_t>* cancel);

}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_LINEAR_LINEAR_H_
