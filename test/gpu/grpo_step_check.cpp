#include "kernels/grpo/grpo_step_cuda.h"
#include "kernels/logprob/logprob_cpu.h"
#include "packed.h"
#include "runner.h"

// The GRPO step in one call: device against the scalar CPU kernels one after another, bit for bit.
namespace crossthink::gpu {
namespace {

using Scalar = simd::Scalar;

template <class E>
void CheckCase(DType type, size_t vocab, bool entropy, std::mt19937* random, Tally* tally) {
  using T = typename E::T;
  const Packed p = RandomPacked(6, 12, random);
  const size_t rows = p.tokens();
  const Shape shape = {rows, vocab, vocab + 8};
  const std::vector<T> x = RandomLogits<E>(shape, Kind::kNormal, random);
  std::vector<int32_t> tokens(rows);
  for (int32_t& token : tokens) token = static_cast<int32_t>((*random)() % vocab);

  std::vector<float> logprob(rows), entropies(rows), d_logprob(rows), d_entropy(rows);
  std::vector<double> state(rows * kStateSize);
  std::vector<uint8_t> status(rows);
  std::vector<T> gradient = x;
  GrpoStep op;
  op.forward.logits = {gradient.data(), type, rows, vocab, shape.stride};
  op.forward.tokens = tokens.data();
  op.forward.temperature = {nullptr, 0.9F};
  op.forward.logprob = logprob.data();
  op.forward.entropy_out = entropy ? entropies.data() : nullptr;
  op.forward.state = state.data();
  op.forward.status = status.data();
  op.loss.sequences = p.offsets.size() - 1;
  op.loss.offsets = p.offsets.data();
  op.loss.old_logprobs = p.old.data();
  op.loss.ref_logprobs = p.reference.data();
  op.loss.advantages = p.advantages.data();
  op.loss.mask = p.mask.data();
  const float infinity = INFINITY;
  op.loss.params = {0.8F, 1.28F, infinity, infinity, infinity,           1, 1, 20,
                    1,    0.04F, infinity, infinity, entropy ? 0.01F : 0};
  op.loss.off_policy_limit = static_cast<double>(infinity);
  op.loss.d_logprobs = d_logprob.data();
  op.loss.d_entropies = entropy ? d_entropy.data() : nullptr;
  op.backward.d_logits = gradient.data();
  op.backward.d_type = type;
  op.backward.d_stride = shape.stride;
  LinkParts(&op);
  std::vector<spec::TilePartial> tiles(spec::TileCount(vocab));
  LogprobScratch scratch = {tiles.data(), nullptr, nullptr};
  if (entropy) {
    LogprobRows<Scalar, E, Weighted::kYes>(op.forward, 0, rows, &scratch);
  } else {
    LogprobRows<Scalar, E, Weighted::kNo>(op.forward, 0, rows, &scratch);
  }
  const PolicyLossResult expected = ScalarPolicyLoss(op.loss);
  if (entropy) {
    LogprobGradientRows<Scalar, E, E, true, false>(op.backward, 0, rows, &scratch);
  } else {
    LogprobGradientRows<Scalar, E, E, false, false>(op.backward, 0, rows, &scratch);
  }

  const DevicePacked d(p);
  const DeviceArray<T> device_x(x);
  const DeviceArray<int32_t> device_tokens(tokens);
  const DeviceArray<float> device_logprob(rows), device_entropies(rows);
  const DeviceArray<uint8_t> device_status(rows);
  const DeviceArray<double> result(1 + kLossSums);
  GrpoStep on_device = op;
  on_device.forward.logits.data = device_x.get();
  on_device.forward.tokens = device_tokens.get();
  on_device.forward.logprob = device_logprob.get();
  on_device.forward.entropy_out = entropy ? device_entropies.get() : nullptr;
  on_device.forward.status = device_status.get();
  on_device.loss.offsets = d.offsets.get();
  on_device.loss.old_logprobs = d.old.get();
  on_device.loss.ref_logprobs = d.reference.get();
  on_device.loss.advantages = d.advantages.get();
  on_device.loss.mask = d.mask.get();
  on_device.loss.result = reinterpret_cast<PolicyLossResult*>(result.get());
  on_device.backward.d_logits = device_x.get();
  const DeviceArray<char> workspace(cuda::GrpoStepWorkspace(on_device));
  const std::string name = Name(entropy ? "GRPO step with entropy" : "GRPO step", type, shape, Kind::kNormal);
  ++tally->cases;
  Check(cuda::RunGrpoStep(on_device, workspace.get(), nullptr), name.c_str());
  std::vector<double> numbers = {expected.loss};
  numbers.insert(numbers.end(), expected.sums, expected.sums + kLossSums);
  tally->Same(name + ", loss and sums", numbers, result.ToHost());
  tally->Same(name + ", log-probs", logprob, device_logprob.ToHost());
  if (entropy) tally->Same(name + ", entropies", entropies, device_entropies.ToHost());
  tally->Same(name + ", status", status, device_status.ToHost());
  tally->Same(name + ", gradient", gradient, device_x.ToHost());
}

template <class E>
void CheckType(DType type, bool large, Tally* tally) {
  std::mt19937 random(41 + static_cast<unsigned>(type));
  for (const size_t vocab : {size_t{3}, size_t{2500}, size_t{128256}}) {
    if (vocab > 10000 && !large) continue;
    for (const bool entropy : {false, true}) CheckCase<E>(type, vocab, entropy, &random, tally);
  }
}

}  // namespace

void CheckGrpoSteps(bool large, Tally* tally) {
  CheckType<Float32Elements<Scalar>>(DType::kFloat32, large, tally);
  CheckType<Bfloat16Elements<Scalar>>(DType::kBfloat16, large, tally);
  CheckType<Float16Elements<Scalar>>(DType::kFloat16, large, tally);
}

}  // namespace crossthink::gpu
