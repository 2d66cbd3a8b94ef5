#ifndef CROSSTHINK_ADDON_LOSS_PARAMETERS_H_
#define CROSSTHINK_ADDON_LOSS_PARAMETERS_H_

#include <cstddef>
#include <cstdint>

#include "kernels/policy_loss/policy_loss.h"

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

}  // namespace crossthink::addon

#endif  // CROSSTHINK_ADDON_LOSS_PARAMETERS_H_
