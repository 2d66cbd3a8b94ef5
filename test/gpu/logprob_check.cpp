#include "kernels/logprob/logprob_cpu.h"
#include "kernels/logprob/logprob_cuda.h"
#include "runner.h"

// Log-probs and their gradient: device against the scalar CPU kernels, bit for bit.
namespace crossthink::gpu {
namespace {

using Scalar = simd::Scalar;

struct Inputs {
  std::vector<int32_t> tokens;
  std::vector<float> temperatures, d_logprob, d_entropy;
  std::vector<int32_t> kept, kept_offsets = {0};  // Every third column of each second row; empty lists: all.
};

constexpr size_t kTop = 5;

Inputs RandomInputs(const Shape& shape, Kind kind, std::mt19937* random) {
  std::normal_distribution<float> normal;
  Inputs in;
  for (size_t i = 0; i < shape.rows; ++i) {
    const bool outside = kind == Kind::kBad && i % 4 == 3;
    in.tokens.push_back(outside ? -1 : static_cast<int32_t>((*random)() % shape.vocab));
    in.temperatures.push_back(0.5F + static_cast<float>((*random)() % 100) / 50.0F);
    in.d_logprob.push_back(normal(*random));
    in.d_entropy.push_back(normal(*random));
    for (size_t j = 0; i % 2 == 1 && j < shape.vocab; j += 3) in.kept.push_back(static_cast<int32_t>(j));
    in.kept_offsets.push_back(static_cast<int32_t>(in.kept.size()));
  }
  return in;
}

// kOptions: softcap, ignore index, kept sets, sum of squares, top-k and given tokens, all at once.
template <class E, bool kEntropy, bool kOptions>
void CheckCase(DType type, const Shape& shape, Kind kind, std::mt19937* random, Tally* tally) {
  using T = typename E::T;
  const std::vector<T> x = RandomLogits<E>(shape, kind, random);
  const Inputs in = RandomInputs(shape, kind, random);
  const char* const what = kOptions ? "log-prob with options" : kEntropy ? "log-prob and entropy" : "log-prob";
  const std::string name = Name(what, type, shape, kind);
  const size_t rows = shape.rows;
  ++tally->cases;

  std::vector<float> logprob(rows), entropy(rows), logsumexp(rows);
  std::vector<double> state(rows * kStateSize);
  std::vector<uint8_t> status(rows);
  LogprobForward op;
  op.logits = {x.data(), type, rows, shape.vocab, shape.stride};
  op.tokens = in.tokens.data();
  op.temperature = {in.temperatures.data(), 0};
  op.entropy = kEntropy;
  op.logprob = logprob.data();
  op.entropy_out = kEntropy ? entropy.data() : nullptr;
  op.logsumexp = logsumexp.data();
  op.state = state.data();
  op.status = status.data();
  std::vector<float> squares(rows), top_logprobs(rows * kTop), listed_logprobs(rows);
  std::vector<int32_t> top_tokens(rows * kTop);
  if (kOptions) {
    op.softcap = 8;
    op.has_ignore = true;
    op.ignore_index = -1;
    op.kept = {in.kept.data(), in.kept_offsets.data(), in.kept.size()};
    op.sum_squares = squares.data();
    op.top_k = kTop;
    op.top_tokens = top_tokens.data();
    op.top_logprobs = top_logprobs.data();
    op.listed = 1;
    op.listed_tokens = in.tokens.data();
    op.listed_logprobs = listed_logprobs.data();
  }
  std::vector<spec::TilePartial> tiles(spec::TileCount(shape.vocab));
  std::vector<float> copy(shape.vocab + 16);
  uint64_t keys[kTop];
  LogprobScratch scratch = {tiles.data(), copy.data(), keys};
  constexpr auto kSums = kOptions ? Weighted::kSquares : kEntropy ? Weighted::kYes : Weighted::kNo;
  LogprobRows<Scalar, E, kSums>(op, 0, rows, &scratch);

  const DeviceArray<T> device_x(x);
  const DeviceArray<int32_t> tokens(in.tokens);
  const DeviceArray<float> temperatures(in.temperatures);
  const DeviceArray<float> device_logprob(rows), device_entropy(rows), device_logsumexp(rows);
  const DeviceArray<double> device_state(rows * kStateSize);
  const DeviceArray<uint8_t> device_status(rows);
  LogprobForward on_device = op;
  on_device.logits.data = device_x.get();
  on_device.tokens = tokens.get();
  on_device.temperature.values = temperatures.get();
  on_device.logprob = device_logprob.get();
  on_device.entropy_out = kEntropy ? device_entropy.get() : nullptr;
  on_device.logsumexp = device_logsumexp.get();
  on_device.state = device_state.get();
  on_device.status = device_status.get();
  const DeviceArray<int32_t> kept(in.kept), kept_offsets(in.kept_offsets), device_top_tokens(rows * kTop);
  const DeviceArray<float> device_squares(rows), device_top_logprobs(rows * kTop), device_listed(rows);
  if (kOptions) {
    on_device.kept = {kept.get(), kept_offsets.get(), in.kept.size()};
    on_device.sum_squares = device_squares.get();
    on_device.top_tokens = device_top_tokens.get();
    on_device.top_logprobs = device_top_logprobs.get();
    on_device.listed_tokens = tokens.get();
    on_device.listed_logprobs = device_listed.get();
  }
  const DeviceArray<char> workspace(cuda::LogprobForwardWorkspace(on_device));
  Check(cuda::RunLogprobForward(on_device, workspace.get(), nullptr), name.c_str());
  tally->Same(name + ", log-prob", logprob, device_logprob.ToHost());
  if (kEntropy) tally->Same(name + ", entropy", entropy, device_entropy.ToHost());
  tally->Same(name + ", log-sum-exp", logsumexp, device_logsumexp.ToHost());
  tally->Same(name + ", state", state, device_state.ToHost());
  tally->Same(name + ", status", status, device_status.ToHost());
  if (kOptions) {
    tally->Same(name + ", sum of squares", squares, device_squares.ToHost());
    tally->Same(name + ", top tokens", top_tokens, device_top_tokens.ToHost());
    tally->Same(name + ", top log-probs", top_logprobs, device_top_logprobs.ToHost());
    tally->Same(name + ", given tokens", listed_logprobs, device_listed.ToHost());
  }

  // The gradient in place, so padding between rows must survive.
  std::vector<T> gradient = x;
  LogprobBackward back;
  static_cast<LogprobInput&>(back) = op;
  back.state = state.data();
  back.d_logprob = in.d_logprob.data();
  back.d_entropy = kEntropy ? in.d_entropy.data() : nullptr;
  back.d_logits = gradient.data();
  back.d_type = type;
  back.d_stride = shape.stride;
  LogprobGradientRows<Scalar, E, E, kEntropy, false>(back, 0, rows, &scratch);
  const DeviceArray<float> d_logprob(in.d_logprob), d_entropy(in.d_entropy);
  LogprobBackward device_back = back;
  static_cast<LogprobInput&>(device_back) = on_device;
  device_back.state = device_state.get();
  device_back.d_logprob = d_logprob.get();
  device_back.d_entropy = kEntropy ? d_entropy.get() : nullptr;
  device_back.d_logits = device_x.get();
  const DeviceArray<char> factors(cuda::LogprobBackwardWorkspace(device_back));
  Check(cuda::RunLogprobBackward(device_back, factors.get(), nullptr), name.c_str());
  tally->Same(name + ", gradient", gradient, device_x.ToHost());
}

template <class E>
void CheckType(DType type, bool large, Tally* tally) {
  std::vector<Shape> shapes = {{1, 1, 1},       {3, 5, 8},     {2, 2048, 2048},
                               {5, 2049, 2052}, {9, 777, 777}, {2, 17000, 17001}};
  if (large) {
    for (const Shape& shape : {Shape{1, 128256, 128256}, Shape{700, 50257, 50304}, Shape{33, 262144, 262144}}) {
      shapes.push_back(shape);
    }
  }
  std::mt19937 random(2026 + static_cast<unsigned>(type));
  for (const Shape& shape : shapes) {
    for (const Kind kind : kKinds) {
      if (!large && (kind == Kind::kPeaked || kind == Kind::kTies)) continue;
      CheckCase<E, true, false>(type, shape, kind, &random, tally);
      CheckCase<E, false, false>(type, shape, kind, &random, tally);
      CheckCase<E, true, true>(type, shape, kind, &random, tally);
    }
  }
}

// Shards of a vocabulary, some without mass, some bad, joined.
void CheckMerge(size_t shards, size_t rows, std::mt19937* random, Tally* tally) {
  std::normal_distribution<double> normal;
  std::vector<double> states(shards * rows * kStateSize), state(rows * kStateSize);
  for (size_t i = 0; i < shards * rows; ++i) {
    double* s = states.data() + i * kStateSize;
    const unsigned kind = (*random)() % 8;
    const double t = (*random)() % 2 == 0 ? normal(*random) : -INFINITY;
    const double numbers[kStateSize] = {std::floor(4 * normal(*random)), 1 + std::abs(normal(*random)), normal(*random),
                                        std::abs(normal(*random)), t};
    const double empty[kStateSize] = {-INFINITY, 0, 0, 0, kind == 1 ? NAN : -INFINITY};
    for (size_t k = 0; k < kStateSize; ++k) s[k] = kind == 0 ? NAN : kind < 3 ? empty[k] : numbers[k];
  }
  std::vector<float> logprob(rows), entropy(rows), squares(rows), logsumexp(rows);
  std::vector<uint8_t> status(rows);
  const LogprobMerge op = {states.data(),  shards,           rows,         logprob.data(), entropy.data(),
                           squares.data(), logsumexp.data(), state.data(), status.data()};
  for (size_t i = 0; i < rows; ++i) MergeRow(op, i);
  const DeviceArray<double> device_states(states), device_state(rows * kStateSize);
  const DeviceArray<float> device_logprob(rows), device_entropy(rows), device_squares(rows), device_sum(rows);
  const DeviceArray<uint8_t> device_status(rows);
  const LogprobMerge on_device = {device_states.get(),
                                  shards,
                                  rows,
                                  device_logprob.get(),
                                  device_entropy.get(),
                                  device_squares.get(),
                                  device_sum.get(),
                                  device_state.get(),
                                  device_status.get()};
  const std::string name = "merge of " + std::to_string(shards) + " shards";
  ++tally->cases;
  Check(cuda::RunLogprobMerge(on_device, nullptr, nullptr), name.c_str());
  tally->Same(name + ", log-prob", logprob, device_logprob.ToHost());
  tally->Same(name + ", entropy", entropy, device_entropy.ToHost());
  tally->Same(name + ", sum of squares", squares, device_squares.ToHost());
  tally->Same(name + ", log-sum-exp", logsumexp, device_sum.ToHost());
  tally->Same(name + ", state", state, device_state.ToHost());
  tally->Same(name + ", status", status, device_status.ToHost());
}

}  // namespace

void CheckLogprobs(bool large, Tally* tally) {
  CheckType<Float32Elements<Scalar>>(DType::kFloat32, large, tally);
  CheckType<Bfloat16Elements<Scalar>>(DType::kBfloat16, large, tally);
  CheckType<Float16Elements<Scalar>>(DType::kFloat16, large, tally);
  std::mt19937 random(8);
  for (const size_t shards : {1, 2, 5}) CheckMerge(shards, 300, &random, tally);
}

}  // namespace crossthink::gpu
