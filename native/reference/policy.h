#ifndef CROSSTHINK_REFERENCE_POLICY_H_
#define CROSSTHINK_REFERENCE_POLICY_H_

#include <memory>
#include <new>
#include <vector>

#include "reference/engine.h"
#include "reference/layout.h"

namespace crossthink::reference {

// Float storage on cache-line boundaries that only grows and is not cleared.
class Buffer {
 public:
  float* Reserve(size_t n) {
    if (n > size_) {
      data_.reset(static_cast<float*>(::operator new(n * sizeof(float), kAlignment)));
      size_ = n;
    }
    return data_.get();
  }
  float* data() const { return data_.get(); }

 private:
  static constexpr std::align_val_t kAlignment{64};
  struct Free {
    void operator()(float* p) const { ::operator delete(p, kAlignment); }
  };
  std::unique_ptr<float, Free> data_;
  size_t size_ = 0;
};

// Parameters, their gradient and the two moments of the optimiser: memory of the caller, layout.total floats each.
struct PolicyState {
  float* parameters;
  float* gradient;
  float* first_moment;
  float* second_moment;
};

struct OptimizerStep {
  double learning_rate, beta1, beta2, epsilon, weight_decay;
  double clip_norm;  // 0: no clipping.
  int step;          // 1 for the first.
};

// A small causal transformer with hand-written backward pass. Not safe for concurrent use of one object. Every result
// has the same bits for any number of threads and any instruction set.
class Policy {
 public:
  // max_threads 0: all of the pool.
  Policy(const PolicyConfig& config, Isa isa, unsigned max_threads);

  const PolicyConfig& config() const { return config_; }
  const ParameterLayout& layout() const { return layout_; }

  void Initialize(uint64_t seed, float* parameters) const;

  // logits[row_count, vocab] of the chosen rows; keeps what Backward needs (a copy of the batch included).
  void Forward(const PolicyState& state, const PackedBatch& batch, float* logits);

  // Adds the gradient of sum(d_logits * logits) of the last Forward to state.gradient.
  void Backward(const PolicyState& state, const float* d_logits);
  bool has_forward() const { return batch_.sequences > 0; }
  int forward_rows() const { return batch_.row_count; }

  // Clips, steps and clears the gradient; returns its norm before clipping. A gradient that is not finite changes
  // nothing but is cleared.
  double Step(const PolicyState& state, const OptimizerStep& step);

  void ResetCache(int slots);
  int cache_slots() const { return cache_.slots; }
  // Copies the first `length` positions of a slot to others, which so share a prompt.
  void ForkSlot(int from, const int32_t* to, int count, int length);
  void Decode(const PolicyState& state, const DecodeStep& step, float* logits);

 private:
  struct Range {
    int first, last, row_first, row_last;
  };

  void PlanRanges();
  void ReserveActivations();
  void TransposeWeights(const float* parameters);
  std::vector<GradientTask> PlanGradientTasks(const PolicyState& state, const float* d_logits) const;

  const PolicyConfig config_;
  const ParameterLayout layout_;
  const Engine& engine_;
  const unsigned max_threads_;

  std::vector<int32_t> tokens_, cu_, rows_;
  PackedBatch batch_;
  std::vector<Range> ranges_;
  std::vector<size_t> attention_start_;
  Activations activations_{};
  ActivationGradients gradients_{};
  Buffer activation_memory_, gradient_memory_, transposed_;

  KeyValueCache cache_{};
  Buffer keys_, values_;
};

}  // namespace crossthink::reference

#endif  // CROSSTHINK_REFERENCE_POLICY_H_
