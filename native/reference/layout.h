#ifndef CROSSTHINK_REFERENCE_LAYOUT_H_
#define CROSSTHINK_REFERENCE_LAYOUT_H_

// Shapes of the reference policy: plain structs, because the units of the instruction sets share them and must neither
// instantiate library templates nor define shared inline functions (the linker could keep an AVX-512 copy for
// everybody).
#include <cstddef>
#include <cstdint>

#include "spec/annotate.h"

namespace crossthink::reference {

struct PolicyConfig {
  int vocab = 0;
  int width = 0;  // Of the residual stream; a multiple of 16.
  int layers = 0;
  int heads = 0;    // Divides width.
  int context = 0;  // Longest sequence.

  CT_INLINE int head_width() const { return width / heads; }
};

// Where each parameter lies in the one flat array. A linear layer is stored [inputs, outputs].
struct ParameterLayout {
  // Offsets inside one layer.
  size_t gain1, bias1, qkv, qkv_bias, project, project_bias, gain2, bias2, up, up_bias, down, down_bias;
  // Offsets in the whole array. shift1 and shift2 embed the previous token and the one before it.
  size_t token, position, shift1, shift2, layer0, layer_size, gain_final, bias_final, head, total;

  explicit ParameterLayout(const PolicyConfig& c) {
    const size_t d = static_cast<size_t>(c.width), v = static_cast<size_t>(c.vocab);
    size_t at = 0;
    const auto take = [&at](size_t n) {
      const size_t start = at;
      at += n;
      return start;
    };
    gain1 = take(d);
    bias1 = take(d);
    qkv = take(3 * d * d);
    qkv_bias = take(3 * d);
    project = take(d * d);
    project_bias = take(d);
    gain2 = take(d);
    bias2 = take(d);
    up = take(4 * d * d);
    up_bias = take(4 * d);
    down = take(4 * d * d);
    down_bias = take(d);
    layer_size = at;
    at = 0;
    token = take(v * d);
    position = take(static_cast<size_t>(c.context) * d);
    shift1 = take(v * d);
    shift2 = take(v * d);
    layer0 = take(static_cast<size_t>(c.layers) * layer_size);
    gain_final = take(d);
    bias_final = take(d);
    head = take(d * v);
    total = at;
  }

  CT_INLINE size_t layer(int l) const { return layer0 + static_cast<size_t>(l) * layer_size; }
};

// Sequences packed one after another, without padding.
struct PackedBatch {
  const int32_t* tokens = nullptr;  // [cu[sequences]]
  const int32_t* cu = nullptr;      // [sequences + 1], cumulative lengths
  const int32_t* rows = nullptr;    // [row_count], ascending: tokens whose next-token logits are wanted
  int sequences = 0;
  int row_count = 0;
};

// Rows of scores are padded to whole vectors.
constexpr int kLaneCount = 16;
CT_INLINE int RoundUpToLanes(int n) { return (n + kLaneCount - 1) / kLaneCount * kLaneCount; }

// What the forward pass keeps for the backward pass, n = tokens of the batch, d = width, per layer l.
struct Activations {
  float* stream;  // [2 * layers + 1][n, d]: the residual stream at each layer's entry, middle, and the end
  float* normed;  // [2 * layers + 1][n, d]
  float* mean;    // [2 * layers + 1][n]
  float* inverse_deviation;
  float* qkv;        // [layers][n, 3d]
  float* weights;    // [layers][attention_size]: attention weights, per sequence and head [T, RoundUpToLanes(T)]
  float* attended;   // [layers][n, d]
  float* hidden;     // [layers][n, 4d]: before the activation function
  float* activated;  // [layers][n, 4d]
  float* picked;     // [row_count, d]: the normed stream at the chosen rows
  const size_t* attention_start;  // [sequences]: where a sequence's weights begin
  size_t attention_size;
  size_t n;
};

// What the backward pass leaves for the weight gradients.
struct ActivationGradients {
  float* stream;  // as in Activations
  float* normed;
  float* qkv;
  float* hidden;
};

// Cache of keys and values: per layer and slot, keys [heads][head_width, capacity] (transposed, so that one query meets
// a whole vector of positions at once), values [capacity, width]. capacity = RoundUpToLanes(context).
struct KeyValueCache {
  float* keys;
  float* values;
  int slots;
  int capacity;
};

// One token for each of `count` slots.
struct DecodeStep {
  const int32_t* tokens;     // [count, 3]: the token, the one before it, the one before that (-1: none)
  const int32_t* slots;      // [count]
  const int32_t* positions;  // [count]
  const int32_t* outputs;    // [count]: row of `logits`, or -1 where none is wanted
  int count;
};

}  // namespace crossthink::reference

#endif  // CROSSTHINK_REFERENCE_LAYOUT_H_
