#include "kernels/sampling/sampling_cpu.h"
#include "kernels/sampling/sampling_cuda.h"
#include "runner.h"
#include "sampling_scratch.h"

// Sampling: device against the scalar CPU kernels, bit for bit.
namespace crossthink::gpu {
namespace {

using Scalar = simd::Scalar;

struct Settings {
  float temperature;
  int32_t top_k;
  float top_p;
};

constexpr Settings kSettings[] = {{1, 0, 1},           {0.8F, 0, 1},     {0, 0, 1},    {0.7F, 50, 1},
                                  {0.8F, 20, 0.9F},    {1.2F, 0, 0.95F}, {1, 0, 0.1F}, {1, 1, 1},
                                  {1, 0, 0.99999994F}, {1, 5000, 0.5F},  {0, 50, 0.9F}};

template <class E>
void CheckCase(DType type, const Shape& shape, Kind kind, const Settings& settings, std::mt19937* random,
               Tally* tally) {
  const size_t rows = shape.rows;
  const std::vector<typename E::T> x = RandomLogits<E>(shape, kind, random);
  std::vector<uint64_t> sequences(rows);
  std::vector<int32_t> positions(rows);
  for (size_t i = 0; i < rows; ++i) {
    sequences[i] = uint64_t{(*random)()} << 32 | (*random)();
    positions[i] = static_cast<int32_t>((*random)() % 4096);
  }
  std::vector<int32_t> tokens(rows);
  std::vector<float> logprob(rows), raw_logprob(rows);
  std::vector<uint8_t> status(rows);
  Sampling op;
  op.logits = {x.data(), type, rows, shape.vocab, shape.stride};
  op.temperature = {nullptr, settings.temperature};
  op.top_k = {nullptr, settings.top_k};
  op.top_p = {nullptr, settings.top_p};
  op.steps = kPlainSteps;
  op.step_count = sizeof(kPlainSteps);
  op.seed = 2026;
  op.sequences = sequences.data();
  op.positions = positions.data();
  op.tokens = tokens.data();
  op.logprob = logprob.data();
  op.raw_logprob = raw_logprob.data();
  op.status = status.data();
  HostScratch scratch(shape.vocab);
  SampleRows<Scalar, E>(op, 0, rows, &scratch.view);

  const DeviceArray<typename E::T> device_x(x);
  const DeviceArray<uint64_t> device_sequences(sequences);
  const DeviceArray<int32_t> device_positions(positions), device_tokens(rows);
  const DeviceArray<float> device_logprob(rows), device_raw(rows);
  const DeviceArray<uint8_t> device_status(rows);
  Sampling on_device = op;
  on_device.logits.data = device_x.get();
  on_device.sequences = device_sequences.get();
  on_device.positions = device_positions.get();
  on_device.tokens = device_tokens.get();
  on_device.logprob = device_logprob.get();
  on_device.raw_logprob = device_raw.get();
  on_device.status = device_status.get();
  const DeviceArray<char> workspace(cuda::SamplingWorkspace(on_device));
  char what[64];
  std::snprintf(what, sizeof(what), "sampling T=%g k=%d p=%.8g", static_cast<double>(settings.temperature),
                settings.top_k, static_cast<double>(settings.top_p));
  const std::string name = Name(what, type, shape, kind);
  ++tally->cases;
  Check(cuda::RunSampling(on_device, workspace.get(), nullptr), name.c_str());
  tally->Same(name + ", tokens", tokens, device_tokens.ToHost());
  tally->Same(name + ", log-prob", logprob, device_logprob.ToHost());
  tally->Same(name + ", raw log-prob", raw_logprob, device_raw.ToHost());
  tally->Same(name + ", status", status, device_status.ToHost());
}

template <class E>
void CheckType(DType type, bool large, Tally* tally) {
  std::vector<Shape> shapes = {{1, 1, 1}, {3, 5, 8}, {5, 2049, 2052}, {3, 5000, 5000}};
  if (large) {
    for (const Shape& shape : {Shape{1, 128512, 128512}, Shape{64, 50257, 50304}, Shape{3, 262144, 262144}}) {
      shapes.push_back(shape);
    }
  }
  std::mt19937 random(1955 + static_cast<unsigned>(type));
  for (const Shape& shape : shapes) {
    for (const Kind kind : kKinds) {
      if (!large && (kind == Kind::kPeaked || kind == Kind::kRising)) continue;
      for (const Settings& settings : kSettings) CheckCase<E>(type, shape, kind, settings, &random, tally);
    }
  }
}

}  // namespace

void CheckSampling(bool large, Tally* tally) {
  CheckType<Float32Elements<Scalar>>(DType::kFloat32, large, tally);
  CheckType<Bfloat16Elements<Scalar>>(DType::kBfloat16, large, tally);
  CheckType<Float16Elements<Scalar>>(DType::kFloat16, large, tally);
}

}  // namespace crossthink::gpu
