#include "kernels/policy_loss/policy_loss_cuda.h"
#include "kernels/policy_loss/rollout_correction_cpu.h"
#include "kernels/policy_loss/selection.h"
#include "packed.h"
#include "runner.h"

// Rollout correction and selections: device against the scalar CPU kernels, bit for bit.
namespace crossthink::gpu {
namespace {

void CheckCorrection(size_t index, const Packed& p, const DevicePacked& d, const std::string& name, Tally* tally) {
  constexpr RejectRule kRules[] = {{RejectLevel::kToken, RejectForm::kK3, 0, 0.05F},
                                   {RejectLevel::kSequenceMean, RejectForm::kRatio, 0.9F, 1.1F},
                                   {RejectLevel::kSequenceMax, RejectForm::kK2, 0, 0.1F}};
  const size_t tokens = p.tokens();
  std::vector<float> weights(tokens);
  std::vector<uint8_t> mask(tokens);
  std::vector<double> sums(kCorrectionSums);
  RolloutCorrection op;
  op.tokens = tokens;
  op.sequences = p.offsets.size() - 1;
  op.offsets = p.offsets.data();
  op.logprobs = p.logprobs.data();
  op.rollout_logprobs = p.rollout.data();
  op.mask = p.mask.data();
  op.weights = static_cast<WeightLevel>(index % 3);
  op.high = 1.2F;
  op.zero_outside = index % 2 == 1;
  op.normalize = index % 4 != 0;
  op.rule_count = index % 4;
  for (size_t k = 0; k < op.rule_count; ++k) op.rules[k] = kRules[k];
  op.weights_out = weights.data();
  op.mask_out = mask.data();
  RunRolloutCorrection(op, MakeCorrectionKernel<simd::Scalar>(), 1, sums.data());
  const DeviceArray<float> device_weights(tokens);
  const DeviceArray<uint8_t> device_mask(tokens);
  const DeviceArray<double> device_sums(kCorrectionSums);
  const DeviceArray<char> workspace(cuda::RolloutCorrectionWorkspace(op));
  op.offsets = d.offsets.get();
  op.logprobs = d.logprobs.get();
  op.rollout_logprobs = d.rollout.get();
  op.mask = d.mask.get();
  op.weights_out = device_weights.get();
  op.mask_out = device_mask.get();
  op.result = device_sums.get();
  ++tally->cases;
  Check(cuda::RunRolloutCorrection(op, workspace.get(), nullptr), name.c_str());
  tally->Same("rollout weights, " + name, weights, device_weights.ToHost());
  tally->Same("rollout mask, " + name, mask, device_mask.ToHost());
  tally->Same("rollout sums, " + name, sums, device_sums.ToHost());
}

void CheckCovariance(bool largest, const Packed& p, const DevicePacked& d, const std::string& name, Tally* tally) {
  std::vector<uint8_t> selected(p.tokens());
  CovarianceSelection op;
  op.tokens = p.tokens();
  op.sequences = p.offsets.size() - 1;
  op.offsets = p.offsets.data();
  op.logprobs = p.logprobs.data();
  op.old_logprobs = p.old.data();
  op.advantages = p.advantages.data();
  op.mask = p.mask.data();
  op.largest = largest;
  op.ratio = 0.1;
  op.low = 0.1;
  op.high = 2;
  op.seed = 77;
  op.selected = selected.data();
  RunCovarianceSelection(op);
  const DeviceArray<uint8_t> device_selected(p.tokens());
  const DeviceArray<char> workspace(cuda::CovarianceSelectionWorkspace(op));
  op.offsets = d.offsets.get();
  op.logprobs = d.logprobs.get();
  op.old_logprobs = d.old.get();
  op.advantages = d.advantages.get();
  op.mask = d.mask.get();
  op.selected = device_selected.get();
  ++tally->cases;
  Check(cuda::RunCovarianceSelection(op, workspace.get(), nullptr), name.c_str());
  tally->Same("covariance selection, " + name, selected, device_selected.ToHost());
}

void CheckEntropy(const Packed& p, const DevicePacked& d, const std::string& name, Tally* tally) {
  std::vector<uint8_t> selected(p.tokens());
  EntropySelection op = {p.tokens(), p.entropies.data(), p.mask.data(), 0.2, selected.data()};
  RunEntropySelection(op);
  const DeviceArray<uint8_t> device_selected(p.tokens());
  op = {p.tokens(), d.entropies.get(), d.mask.get(), 0.2, device_selected.get()};
  ++tally->cases;
  Check(cuda::RunEntropySelection(op, nullptr, nullptr), name.c_str());
  tally->Same("entropy selection, " + name, selected, device_selected.ToHost());
}

void CheckSecondMoment(const Packed& p, const DevicePacked& d, const std::string& name, Tally* tally) {
  std::vector<uint8_t> mask(p.tokens());
  SecondMomentMask op = {p.tokens(), p.logprobs.data(), p.rollout.data(), p.mask.data(), 0.01, mask.data()};
  RunSecondMomentMask(op);
  const DeviceArray<uint8_t> device_mask(p.tokens());
  const DeviceArray<char> workspace(cuda::SecondMomentMaskWorkspace(op));
  op = {p.tokens(), d.logprobs.get(), d.rollout.get(), d.mask.get(), 0.01, device_mask.get()};
  ++tally->cases;
  Check(cuda::RunSecondMomentMask(op, workspace.get(), nullptr), name.c_str());
  tally->Same("second-moment mask, " + name, mask, device_mask.ToHost());
}

}  // namespace

void CheckCorrections(bool large, Tally* tally) {
  std::mt19937 random(29);
  for (const size_t longest : {3, 60, 1500, 20000}) {
    if (longest > 1500 && !large) continue;
    const Packed p = RandomPacked(longest == 3 ? 300 : 7, longest, &random);
    const DevicePacked d(p);
    const std::string name = "sequences up to " + std::to_string(longest);
    for (size_t index = 0; index < 6; ++index) CheckCorrection(index, p, d, name, tally);
    CheckCovariance(false, p, d, name, tally);
    CheckCovariance(true, p, d, name, tally);
    CheckEntropy(p, d, name, tally);
    CheckSecondMoment(p, d, name, tally);
  }
}

}  // namespace crossthink::gpu
