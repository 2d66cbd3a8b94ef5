#include <algorithm>
#include <cmath>

#include "kernels/linear/linear_cuda.h"
#include "kernels/logprob/logprob_cpu.h"
#include "runner.h"

// Linear heads, where cuBLAS can be opened. Its products are compared with float64 within the rounding of float32;
// what follows a product, with the scalar CPU kernels on the same logits, bit for bit.
namespace crossthink::gpu {
namespace {

using Scalar = simd::Scalar;
using cuda::Blas;
using cuda::kBlasWorkspace;

constexpr size_t kDepth = 70;

template <class E>
struct Head {
  using T = typename E::T;
  size_t rows, vocab;
  std::vector<T> hidden, weight;
  std::vector<float> bias;
  std::vector<int32_t> tokens;

  Head(size_t rows_, size_t vocab_, std::mt19937* random) : rows(rows_), vocab(vocab_) {
    std::normal_distribution<float> normal(0, 0.5F);
    const auto fill = [&](std::vector<T>* x, size_t n) {
      x->resize(n);
      for (T& v : *x) E::Write(&v, normal(*random));
    };
    fill(&hidden, rows * kDepth);
    fill(&weight, vocab * kDepth);
    for (size_t j = 0; j < vocab; ++j) bias.push_back(normal(*random));
    for (size_t i = 0; i < rows; ++i) tokens.push_back(static_cast<int32_t>((*random)() % vocab));
  }
  static double At(const std::vector<T>& x, size_t i) { return static_cast<double>(E::Read(&x[i])); }
};

// Counts numbers that are further from the expected ones than `error` times the largest of these.
void Near(const std::string& what, const std::vector<double>& expected, const std::vector<float>& actual, double error,
          Tally* tally) {
  double largest = 0;
  for (const double x : expected) largest = std::max(largest, std::abs(x));
  tally->compared += expected.size();
  for (size_t i = 0; i < expected.size(); ++i) {
    if (std::abs(static_cast<double>(actual[i]) - expected[i]) <= error * largest) continue;
    ++tally->failures;
    std::printf("not ok  %s: element %zu of %zu is %.9g on the device, %.9g in float64\n", what.c_str(), i,
                expected.size(), static_cast<double>(actual[i]), expected[i]);
    return;
  }
}

template <class E>
void CheckCase(DType type, size_t rows, size_t vocab, std::mt19937* random, Tally* tally) {
  using T = typename E::T;
  const Head<E> head(rows, vocab, random);
  const DeviceArray<T> hidden(head.hidden), weight(head.weight);
  const DeviceArray<float> bias(head.bias), logits(rows * vocab);
  const DeviceArray<int32_t> tokens(head.tokens);
  const DeviceArray<char> blas_memory(kBlasWorkspace);
  Blas blas(0, nullptr, blas_memory.get());
  if (!blas.IsOpen()) {
    ++tally->failures;
    std::printf("not ok  cuBLAS does not start\n");
    return;
  }
  LinearProduct product;
  product.type = type;
  product.rows = rows;
  product.vocab = vocab;
  product.depth = kDepth;
  product.hidden = hidden.get();
  product.hidden_stride = kDepth;
  product.weight = weight.get();
  product.weight_stride = kDepth;
  product.bias = bias.get();
  const std::string name = Name("linear head", type, {rows, vocab, vocab}, Kind::kNormal);
  ++tally->cases;
  Check(cuda::RunLinearLogits({product, logits.get()}, 0, nullptr, nullptr, &blas), name.c_str());
  const std::vector<float> z = logits.ToHost();
  std::vector<double> exact(rows * vocab);
  for (size_t i = 0; i < exact.size(); ++i) {
    for (size_t k = 0; k < kDepth; ++k) {
      exact[i] += Head<E>::At(head.hidden, i / vocab * kDepth + k) * Head<E>::At(head.weight, i % vocab * kDepth + k);
    }
    exact[i] += static_cast<double>(head.bias[i % vocab]);
  }
  Near(name + ", logits", exact, z, 1e-5, tally);

  // In one chunk the product is the same: so are the bits of everything else.
  std::vector<float> logprob(rows), entropy(rows), d_logprob(rows), d_entropy(rows);
  std::vector<double> state(rows * kStateSize);
  std::vector<uint8_t> status(rows);
  for (size_t i = 0; i < rows; ++i) d_logprob[i] = i % 3 == 2 ? 0 : 1, d_entropy[i] = i % 3 == 2 ? 0 : 0.25F;
  LogprobForward forward;
  forward.logits = {z.data(), DType::kFloat32, rows, vocab, vocab};
  forward.tokens = head.tokens.data();
  forward.temperature = {nullptr, 0.8F};
  forward.entropy = true;
  forward.logprob = logprob.data();
  forward.entropy_out = entropy.data();
  forward.state = state.data();
  forward.status = status.data();
  std::vector<spec::TilePartial> tiles(spec::TileCount(vocab));
  LogprobScratch scratch = {tiles.data(), nullptr, nullptr};
  LogprobRows<Scalar, Float32Elements<Scalar>, Weighted::kYes>(forward, 0, rows, &scratch);
  const DeviceArray<float> device_logprob(rows), device_entropy(rows);
  const DeviceArray<double> device_state(rows * kStateSize);
  const DeviceArray<uint8_t> device_status(rows);
  LinearForward on_device = {product, forward};
  on_device.logprob.tokens = tokens.get();
  on_device.logprob.logprob = device_logprob.get();
  on_device.logprob.entropy_out = device_entropy.get();
  on_device.logprob.state = device_state.get();
  on_device.logprob.status = device_status.get();
  const size_t whole = rows * vocab * 2 * sizeof(float) + rows * kDepth * sizeof(float);
  const DeviceArray<char> memory(cuda::LinearForwardWorkspace(on_device, whole));
  Check(cuda::RunLinearForward(on_device, whole, memory.get(), nullptr, &blas), name.c_str());
  tally->Same(name + ", log-prob", logprob, device_logprob.ToHost());
  tally->Same(name + ", entropy", entropy, device_entropy.ToHost());
  tally->Same(name + ", state", state, device_state.ToHost());
  tally->Same(name + ", status", status, device_status.ToHost());

  // Gradients of two chunks, against float64 products of the CPU's gradient to the logits.
  LogprobBackward backward;
  static_cast<LogprobInput&>(backward) = forward;
  std::vector<float> gradient = z;
  backward.state = state.data();
  backward.d_logprob = d_logprob.data();
  backward.d_entropy = d_entropy.data();
  backward.d_logits = gradient.data();
  backward.d_stride = vocab;
  LogprobGradientRows<Scalar, Float32Elements<Scalar>, Float32Elements<Scalar>, true, false>(backward, 0, rows,
                                                                                             &scratch);
  std::vector<double> d_hidden(rows * kDepth), d_weight(vocab * kDepth), d_bias(vocab);
  for (size_t i = 0; i < gradient.size(); ++i) {
    const auto d = static_cast<double>(gradient[i]);
    for (size_t k = 0; k < kDepth; ++k) {
      d_hidden[i / vocab * kDepth + k] += d * Head<E>::At(head.weight, i % vocab * kDepth + k);
      d_weight[i % vocab * kDepth + k] += d * Head<E>::At(head.hidden, i / vocab * kDepth + k);
    }
    d_bias[i % vocab] += d;
  }
  const DeviceArray<float> device_d_logprob(d_logprob), device_d_entropy(d_entropy), out_hidden(rows * kDepth),
      out_weight(vocab * kDepth), out_bias(vocab);
  LinearBackward device_back = {product, backward, out_hidden.get(), out_weight.get(), out_bias.get(), false};
  device_back.logprob.tokens = tokens.get();
  device_back.logprob.state = device_state.get();
  device_back.logprob.d_logprob = device_d_logprob.get();
  device_back.logprob.d_entropy = device_d_entropy.get();
  const DeviceArray<char> back_memory(cuda::LinearBackwardWorkspace(device_back, whole / 2));
  Check(cuda::RunLinearBackward(device_back, whole / 2, back_memory.get(), nullptr, &blas), name.c_str());
  const double error = type == DType::kFloat32 ? 2e-5 : 6e-3;  // bfloat16: the gradient to the logits is rounded.
  Near(name + ", d_hidden", d_hidden, out_hidden.ToHost(), error, tally);
  Near(name + ", d_weight", d_weight, out_weight.ToHost(), error, tally);
  Near(name + ", d_bias", d_bias, out_bias.ToHost(), error, tally);
}

}  // namespace

void CheckLinearHeads(bool large, Tally* tally) {
  cuda::CrossthinkCudaStatus why{};
  if (Blas::Available(&why) != 0) {
    std::printf("linear heads not run: %s\n", why.message);
    return;
  }
  std::mt19937 random(23);
  for (const size_t vocab : {size_t{40}, size_t{2100}, size_t{32000}}) {
    if (vocab > 10000 && !large) continue;
    CheckCase<Float32Elements<Scalar>>(DType::kFloat32, 7, vocab, &random, tally);
    CheckCase<Bfloat16Elements<Scalar>>(DType::kBfloat16, 7, vocab, &random, tally);
  }
}

}  // namespace crossthink::gpu
