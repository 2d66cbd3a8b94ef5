#include "reference/policy.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "runtime/thread_pool.h"

namespace crossthink::reference {
namespace {

// Tokens per range of the forward and backward pass: enough rows for the matrix products, enough ranges for the
// threads.
constexpr int kRangeTokens = 192;
constexpr int kDecodeRows = 32;
constexpr size_t kBlock = 16384;  // Values per piece of optimiser work.

// Scratch memory of the calling thread.
float* Scratch(size_t n) {
  thread_local Buffer buffer;
  return buffer.Reserve(n);
}

// Hands out consecutive parts of one piece of memory.
class Carver {
 public:
  explicit Carver(float* memory) : at_(memory) {}
  float* Take(size_t n) {
    float* start = at_;
    at_ += (n + kLaneCount - 1) / kLaneCount * kLaneCount;
    return start;
  }

 private:
  float* at_;
};

// A well-mixed 64-bit value of a counter (splitmix64).
uint64_t Mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

}  // namespace

Policy::Policy(const PolicyConfig& config, Isa isa, unsigned max_threads)
    : config_(config), layout_(config), engine_(EngineFor(isa)), max_threads_(max_threads) {}

void Policy::Initialize(uint64_t seed, float* parameters) const {
  std::fill_n(parameters, layout_.total, 0.0f);
  const double d = config_.width;
  // Uniform values of the given standard deviation: only operations that round the same everywhere.
  const auto fill = [&](size_t offset, size_t n, double deviation) {
    const double range = deviation * std::sqrt(12.0);
    for (size_t i = offset; i < offset + n; i++) {
      const double uniform = static_cast<double>(Mix(Mix(seed) ^ i) >> 11) * 0x1p-53;
      parameters[i] = static_cast<float>((uniform - 0.5) * range);
    }
  };
  const size_t width = static_cast<size_t>(config_.width), table = static_cast<size_t>(config_.vocab) * width;
  const double scale = 1 / std::sqrt(d), residual = scale / std::sqrt(2.0 * config_.layers);
  fill(layout_.token, table, 0.05);
  fill(layout_.position, static_cast<size_t>(config_.context) * width, 0.05);
  fill(layout_.shift1, table, 0.03);
  fill(layout_.shift2, table, 0.02);
  fill(layout_.head, table, 0.5 * scale);
  std::fill_n(parameters + layout_.gain_final, width, 1.0f);
  for (int l = 0; l < config_.layers; l++) {
    const size_t base = layout_.layer(l);
    std::fill_n(parameters + base + layout_.gain1, width, 1.0f);
    std::fill_n(parameters + base + layout_.gain2, width, 1.0f);
    fill(base + layout_.qkv, 3 * width * width, scale);
    fill(base + layout_.project, width * width, residual);
    fill(base + layout_.up, 4 * width * width, scale);
    fill(base + layout_.down, 4 * width * width, 0.5 * residual);
  }
}

void Policy::PlanRanges() {
  ranges_.clear();
  attention_start_.resize(static_cast<size_t>(batch_.sequences));
  size_t attention = 0;
  for (int first = 0, row_first = 0; first < batch_.sequences;) {
    int last = first;
    while (last < batch_.sequences && batch_.cu[last] - batch_.cu[first] < kRangeTokens) {
      const int length = batch_.cu[last + 1] - batch_.cu[last];
      attention_start_[static_cast<size_t>(last)] = attention;
      attention += static_cast<size_t>(config_.heads) * static_cast<size_t>(length) * RoundUpToLanes(length);
      last++;
    }
    const int32_t* row = std::lower_bound(batch_.rows, batch_.rows + batch_.row_count, batch_.cu[last]);
    const int row_last = static_cast<int>(row - batch_.rows);
    ranges_.push_back({first, last, row_first, row_last});
    first = last;
    row_first = row_last;
  }
  activations_.attention_start = attention_start_.data();
  activations_.attention_size = attention;
  activations_.n = static_cast<size_t>(batch_.cu[batch_.sequences]);
}

void Policy::ReserveActivations() {
  const size_t n = activations_.n, size = n * static_cast<size_t>(config_.width);
  const size_t layers = static_cast<size_t>(config_.layers), stages = 2 * layers + 1;
  const size_t picked = static_cast<size_t>(batch_.row_count) * static_cast<size_t>(config_.width);
  const size_t total =
      2 * stages * (size + n) + layers * (12 * size + activations_.attention_size) + picked + 16 * kLaneCount;
  Carver carve(activation_memory_.Reserve(total));
  activations_.stream = carve.Take(stages * size);
  activations_.normed = carve.Take(stages * size);
  activations_.mean = carve.Take(stages * n);
  activations_.inverse_deviation = carve.Take(stages * n);
  activations_.qkv = carve.Take(layers * 3 * size);
  activations_.weights = carve.Take(layers * activations_.attention_size);
  activations_.attended = carve.Take(layers * size);
  activations_.hidden = carve.Take(layers * 4 * size);
  activations_.activated = carve.Take(layers * 4 * size);
  activations_.picked = carve.Take(picked);
}

void Policy::Forward(const PolicyState& state, const PackedBatch& batch, float* logits) {
  cu_.assign(batch.cu, batch.cu + batch.sequences + 1);
  tokens_.assign(batch.tokens, batch.tokens + cu_.back());
  rows_.assign(batch.rows, batch.rows + batch.row_count);
  batch_ = {tokens_.data(), cu_.data(), rows_.data(), batch.sequences, batch.row_count};
  PlanRanges();
  ReserveActivations();
  const size_t scratch = static_cast<size_t>(config_.width) * RoundUpToLanes(config_.context);
  ThreadPool::Instance().ParallelFor(
      ranges_.size(), 1,
      [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; i++) {
          const Range& r = ranges_[i];
          engine_.forward(config_, layout_, state.parameters, batch_, activations_, r.first, r.last, r.row_first,
                          r.row_last, Scratch(scratch), logits);
        }
      },
      max_threads_);
}

void Policy::TransposeWeights(const float* parameters) {
  float* out = transposed_.Reserve(layout_.total);
  struct Matrix {
    size_t offset, rows, columns;
  };
  const size_t d = static_cast<size_t>(config_.width);
  std::vector<Matrix> matrices{{layout_.head, d, static_cast<size_t>(config_.vocab)}};
  for (int l = 0; l < config_.layers; l++) {
    const size_t base = layout_.layer(l);
    matrices.push_back({base + layout_.qkv, d, 3 * d});
    matrices.push_back({base + layout_.project, d, d});
    matrices.push_back({base + layout_.up, d, 4 * d});
    matrices.push_back({base + layout_.down, 4 * d, d});
  }
  ThreadPool::Instance().ParallelFor(
      matrices.size(), 1,
      [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; i++) {
          const Matrix& m = matrices[i];
          TransposePadded(static_cast<int>(m.rows), static_cast<int>(m.columns), static_cast<int>(m.rows),
                          parameters + m.offset, m.columns, out + m.offset);
        }
      },
      max_threads_);
}

std::vector<GradientTask> Policy::PlanGradientTasks(const PolicyState& state, const float* d_logits) const {
  using Kind = GradientTask::Kind;
  const size_t d = static_cast<size_t>(config_.width), n = activations_.n, size = n * d;
  const size_t vocab = static_cast<size_t>(config_.vocab), picked = static_cast<size_t>(batch_.row_count);
  std::vector<GradientTask> tasks;
  // Matrices are cut into 32 inputs, vectors and tables into 32 columns.
  const auto cut = [&tasks](GradientTask task, size_t extent) {
    constexpr size_t kPart = 32;
    for (size_t first = 0; first < extent; first += kPart) {
      task.first = first;
      task.last = std::min(first + kPart, extent);
      tasks.push_back(task);
    }
  };
  const auto matrix = [&](size_t rows, const float* left, size_t left_width, const float* right, size_t right_width,
                          size_t offset) {
    cut({Kind::kMatrix, rows, left, left_width, right, right_width, 0, 0, state.gradient + offset, nullptr, nullptr},
        left_width);
  };
  const auto bias = [&](const float* right, size_t width, size_t offset) {
    cut({Kind::kBias, n, nullptr, 0, right, width, 0, 0, state.gradient + offset, nullptr, nullptr}, width);
  };
  const auto norm = [&](size_t stage, size_t offset) {
    cut({Kind::kNorm, n, activations_.stream + stage * size, d, gradients_.normed + stage * size, d, 0, 0,
         state.gradient + offset, activations_.mean + stage * n, activations_.inverse_deviation + stage * n},
        d);
  };
  for (size_t l = 0; l < static_cast<size_t>(config_.layers); l++) {
    const size_t base = layout_.layer(static_cast<int>(l));
    const float* d_out = gradients_.stream + (2 * l + 2) * size;
    const float* d_mid = gradients_.stream + (2 * l + 1) * size;
    const float* d_hidden = gradients_.hidden + l * 4 * size;
    const float* d_qkv = gradients_.qkv + l * 3 * size;
    matrix(n, activations_.activated + l * 4 * size, 4 * d, d_out, d, base + layout_.down);
    matrix(n, activations_.normed + (2 * l + 1) * size, d, d_hidden, 4 * d, base + layout_.up);
    matrix(n, activations_.attended + l * size, d, d_mid, d, base + layout_.project);
    matrix(n, activations_.normed + 2 * l * size, d, d_qkv, 3 * d, base + layout_.qkv);
    bias(d_out, d, base + layout_.down_bias);
    bias(d_hidden, 4 * d, base + layout_.up_bias);
    bias(d_mid, d, base + layout_.project_bias);
    bias(d_qkv, 3 * d, base + layout_.qkv_bias);
    norm(2 * l, base + layout_.gain1);
    norm(2 * l + 1, base + layout_.gain2);
  }
  matrix(picked, activations_.picked, d, d_logits, vocab, layout_.head);
  norm(2 * static_cast<size_t>(config_.layers), layout_.gain_final);
  cut({Kind::kEmbedding, n, nullptr, 0, gradients_.stream, d, 0, 0, nullptr, nullptr, nullptr}, d);
  return tasks;
}

void Policy::Backward(const PolicyState& state, const float* d_logits) {
  const size_t d = static_cast<size_t>(config_.width), n = activations_.n, size = n * d;
  const size_t layers = static_cast<size_t>(config_.layers), stages = 2 * layers + 1;
  Carver carve(gradient_memory_.Reserve(2 * stages * size + layers * 7 * size + 4 * kLaneCount));
  gradients_.stream = carve.Take(stages * size);
  gradients_.normed = carve.Take(stages * size);
  gradients_.qkv = carve.Take(layers * 3 * size);
  gradients_.hidden = carve.Take(layers * 4 * size);
  TransposeWeights(state.parameters);
  ThreadPool& pool = ThreadPool::Instance();
  pool.ParallelFor(
      ranges_.size(), 1,
      [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; i++) {
          const Range& r = ranges_[i];
          const size_t padded = static_cast<size_t>(RoundUpToLanes(config_.context));
          const size_t attended = static_cast<size_t>(batch_.cu[r.last] - batch_.cu[r.first]) * d;
          const size_t picked = static_cast<size_t>(r.row_last - r.row_first) * d;
          Carver part(Scratch(attended + picked + padded * (d + padded) + 4 * kLaneCount));
          BackwardScratch scratch{part.Take(attended), part.Take(picked), part.Take(d * padded),
                                  part.Take(padded * padded)};
          engine_.backward_activations(config_, layout_, state.parameters, transposed_.data(), batch_, activations_,
                                       gradients_, r.first, r.last, r.row_first, r.row_last, scratch, d_logits);
        }
      },
      max_threads_);
  const std::vector<GradientTask> tasks = PlanGradientTasks(state, d_logits);
  pool.ParallelFor(
      tasks.size(), 1,
      [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; i++) engine_.run_gradient_task(tasks[i], layout_, batch_, state.gradient);
      },
      max_threads_);
}

double Policy::Step(const PolicyState& state, const OptimizerStep& step) {
  const size_t total = layout_.total, blocks = (total + kBlock - 1) / kBlock;
  ThreadPool& pool = ThreadPool::Instance();
  std::vector<double> squares(blocks, 0.0);
  pool.ParallelFor(
      blocks, 1,
      [&](size_t begin, size_t end) {
        for (size_t b = begin; b < end; b++) {
          double sum = 0;
          for (size_t i = b * kBlock; i < std::min((b + 1) * kBlock, total); i++)
            sum += static_cast<double>(state.gradient[i]) * state.gradient[i];
          squares[b] = sum;
        }
      },
      max_threads_);
  double norm = 0;
  for (double square : squares) norm += square;
  norm = std::sqrt(norm);
  if (!std::isfinite(norm)) {
    std::fill_n(state.gradient, total, 0.0f);
    return norm;
  }
  // Powers by repeated multiplication: the library's pow may differ from machine to machine.
  double power1 = 1, power2 = 1;
  for (int i = 0; i < step.step; i++) {
    power1 *= step.beta1;
    power2 *= step.beta2;
  }
  AdamW o{};
  o.learning_rate = static_cast<float>(step.learning_rate);
  o.beta1 = static_cast<float>(step.beta1);
  o.beta2 = static_cast<float>(step.beta2);
  o.epsilon = static_cast<float>(step.epsilon);
  o.weight_decay = static_cast<float>(step.weight_decay);
  o.gradient_scale = step.clip_norm > 0 && norm > step.clip_norm ? static_cast<float>(step.clip_norm / norm) : 1.0f;
  o.correction1 = static_cast<float>(1 / (1 - power1));
  o.correction2 = static_cast<float>(1 / (1 - power2));
  pool.ParallelFor(
      total, kBlock,
      [&](size_t begin, size_t end) {
        engine_.adamw_step(end - begin, o, state.parameters + begin, state.gradient + begin, state.first_moment + begin,
                           state.second_moment + begin);
      },
      max_threads_);
  return norm;
}

void Policy::ResetCache(int slots) {
  cache_.slots = slots;
  cache_.capacity = RoundUpToLanes(config_.context);
  const size_t size = static_cast<size_t>(config_.layers) * static_cast<size_t>(slots) *
                      static_cast<size_t>(cache_.capacity) * static_cast<size_t>(config_.width);
  cache_.keys = keys_.Reserve(size);
  cache_.values = values_.Reserve(size);
  // Keys are read by whole vectors, beyond the last position too: what lies there must be finite.
  std::fill_n(cache_.keys, size, 0.0f);
}

void Policy::ForkSlot(int from, const int32_t* to, int count, int length) {
  const size_t capacity = static_cast<size_t>(cache_.capacity), width = static_cast<size_t>(config_.width);
  const size_t size = capacity * width, used = static_cast<size_t>(length);
  for (int l = 0; l < config_.layers; l++) {
    const size_t layer = static_cast<size_t>(l) * static_cast<size_t>(cache_.slots) * size;
    const size_t source = layer + static_cast<size_t>(from) * size;
    for (int i = 0; i < count; i++) {
      const size_t target = layer + static_cast<size_t>(to[i]) * size;
      if (target == source) continue;
      for (size_t j = 0; j < width; j++)
        std::copy_n(cache_.keys + source + j * capacity, used, cache_.keys + target + j * capacity);
      std::copy_n(cache_.values + source, used * width, cache_.values + target);
    }
  }
}

void Policy::Decode(const PolicyState& state, const DecodeStep& step, float* logits) {
  const size_t d = static_cast<size_t>(config_.width), rows = kDecodeRows, vocab = static_cast<size_t>(config_.vocab);
  const size_t need = rows * (16 * d + 2 + vocab) + static_cast<size_t>(cache_.capacity) + 8 * kLaneCount;
  ThreadPool::Instance().ParallelFor(
      static_cast<size_t>(step.count), rows,
      [&](size_t begin, size_t end) {
        Carver carve(Scratch(need));
        const DecodeScratch scratch{carve.Take(rows * 3 * d),
                                    carve.Take(rows * d),
                                    carve.Take(rows * 2),
                                    carve.Take(rows * 3 * d),
                                    carve.Take(rows * d),
                                    carve.Take(rows * 8 * d),
                                    carve.Take(static_cast<size_t>(cache_.capacity)),
                                    carve.Take(rows * vocab)};
        engine_.decode(config_, layout_, state.parameters, step, cache_, static_cast<int>(begin), static_cast<int>(end),
                       scratch, logits);
      },
      max_threads_);
}

}  // namespace crossthink::reference
