#ifndef CROSSTHINK_ADDON_LOSS_PARAMETERS_H_
#define CROSSTHINK_ADDON_LOSS_PARAMETERS_H_

#include <cstddef>
#include <cstdint>

#include "addon/arguments.h"
#include "addon/offsets.h"
#include "kernels/policy_loss/policy_loss.h"
#include "kernels/policy_loss/rollout_correction.h"
#include "kernels/policy_loss/selection.h"

namespace crossthink::addon {

constexpr size_t kLossParameters = 27;

// The order of lib/kernels/lossSettings.ts.
inline void ReadLossParameters(const double* p, PolicyLoss* op) {
  const auto next = [&] { return static_cast<float>(*p++); };
  const auto index = [&] { return static_cast<uint8_t>(*p++); };
  op->loss = static_cast<Loss>(index());
  op->sequence_ratio = index() != 0;
  op->params.ratio_low = next();
  op->params.ratio_high = next();
  op->params.dual_clip = next();
  op->params.delta = next();
  op->params.log_ratio_limit = next();
  op->params.tau_positive = next();
  op->params.tau_negative = next();
  op->params.cap = next();
  op->params.coefficient = next();
  for (float& x : op->vespo) x = next();
  op->off_policy_limit = *p++;
  op->params.kl_coef = next();
  op->kl_form = static_cast<KlForm>(index());
  op->kl_squared_gradient = index() != 0;
  op->kl_correction = static_cast<KlCorrection>(index());
  op->params.kl_input_limit = next();
  op->params.kl_output_limit = next();
  op->params.entropy_coef = next();
  op->aggregation = static_cast<Aggregation>(index());
  op->denominator = *p++;
  op->horizon = *p++;
  op->count_empty = index() != 0;
}

// What would be read out of bounds, but for the offsets of the sequences.
inline void CheckLoss(const Arguments& in, const PolicyLoss& op) {
  const bool prompts_bad = op.prompts != nullptr && BadOffset(op.prompts, op.prompt_count, op.sequences) >= 0;
  if (static_cast<size_t>(op.loss) >= kLosses || prompts_bad) in.Fail("policy loss: parameters out of range");
}

// The loss, then the LossSum entries.
inline void WriteResults(const PolicyLossResult& result, double* results) {
  results[0] = result.loss;
  for (size_t k = 0; k < kLossSums; ++k) results[1 + k] = result.sums[k];
}

constexpr size_t kCorrectionParameters = 7;
constexpr size_t kRuleNumbers = 4;

// The order of lib/kernels/rolloutCorrection.ts.
inline void ReadCorrectionParameters(const double* p, const double* rules, size_t rule_count, RolloutCorrection* op) {
  op->weights = static_cast<WeightLevel>(static_cast<uint8_t>(p[0]));
  op->low = static_cast<float>(p[1]);
  op->high = static_cast<float>(p[2]);
  op->zero_outside = p[3] != 0;
  op->reject_weight = p[4] != 0;
  op->normalize = p[5] != 0;
  op->weight_mean = p[6];
  op->rule_count = rule_count;
  for (size_t k = 0; k < rule_count; ++k, rules += kRuleNumbers) {
    op->rules[k] = {static_cast<RejectLevel>(static_cast<uint8_t>(rules[0])),
                    static_cast<RejectForm>(static_cast<uint8_t>(rules[1])), static_cast<float>(rules[2]),
                    static_cast<float>(rules[3])};
  }
}

constexpr size_t kCovarianceParameters = 7;

// The order of lib/kernels/selection.ts.
inline void ReadCovarianceParameters(const double* p, CovarianceSelection* op) {
  op->largest = p[0] != 0;
  op->ratio = p[1];
  op->low = p[2];
  op->high = p[3];
  op->ratio_low = static_cast<float>(p[4]);
  op->ratio_high = static_cast<float>(p[5]);
  op->first_sequence = static_cast<uint64_t>(p[6]);
}

}  // namespace crossthink::addon

#endif  // CROSSTHINK_ADDON_LOSS_PARAMETERS_H_
