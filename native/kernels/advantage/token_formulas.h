#ifndef CROSSTHINK_KERNELS_ADVANTAGE_TOKEN_FORMULAS_H_
#define CROSSTHINK_KERNELS_ADVANTAGE_TOKEN_FORMULAS_H_

#include <cmath>

#include "kernels/advantage/token_advantages.h"
#include "kernels/policy_loss/token_terms.h"
#include "simd/scalar.h"
#include "spec/annotate.h"
#include "spec/bits.h"

// The float64 steps of token_advantages.h, on the CPU and on a CUDA thread. docs/losses.md, "Token advantages".
namespace crossthink {
namespace {

CT_HD CT_INLINE bool IsValid(const uint8_t* mask, size_t i) { return mask == nullptr || mask[i] != 0; }

CT_HD CT_INLINE float RoundedAdvantage(double x) { return spec::CanonicalNan(static_cast<float>(x)); }

// gamma lambda of a sequence.
CT_HD CT_INLINE double GaeDecay(const Gae& op, size_t sequence) {
  return op.gamma * (op.lambdas != nullptr ? static_cast<double>(op.lambdas[sequence]) : op.lambda);
}

CT_HD CT_INLINE double GaeValue(const Gae& op, size_t t) {
  return op.values != nullptr ? static_cast<double>(op.values[t]) : 0.0;
}

CT_HD CT_INLINE double GaeDelta(const Gae& op, size_t t, double value, double next_value) {
  return static_cast<double>(op.rewards[t]) + op.gamma * next_value - value;
}

// What a value adds to the sums of a whitening; 0 where it is masked.
CT_HD CT_INLINE double WhitenWeight(const Whiten& op, size_t i) {
  if (!IsValid(op.mask, i)) return 0;
  return op.weights != nullptr ? static_cast<double>(op.weights[i]) : 1.0;
}

CT_HD CT_INLINE double WhitenValue(const Whiten& op, size_t i) {
  return IsValid(op.mask, i) ? WhitenWeight(op, i) * static_cast<double>(op.values[i]) : 0.0;
}

CT_HD CT_INLINE double WhitenSquare(const Whiten& op, size_t i, double mean) {
  if (!IsValid(op.mask, i)) return 0;
  const double d = static_cast<double>(op.values[i]) - mean;
  return WhitenWeight(op, i) * (d * d);
}

CT_HD CT_INLINE double WhitenStd(const Whiten& op, double square, double total) {
  const double n = op.bessel ? total - 1 : total;
  const double variance = square / (n < 1.0 ? 1.0 : n);
  switch (op.epsilon_at) {
    case Whiten::Epsilon::kStd:
      return sqrt(variance) + op.epsilon;
    case Whiten::Epsilon::kFloor:
      return sqrt(variance < op.epsilon ? op.epsilon : variance);
    default:
      return sqrt(variance + op.epsilon);
  }
}

CT_HD CT_INLINE float Whitened(const Whiten& op, size_t i, double mean, double std) {
  if (!IsValid(op.mask, i)) return 0;
  const double d = (static_cast<double>(op.values[i]) - mean) / std;
  return RoundedAdvantage(op.keep_mean ? d + mean : d);
}

// What a token adds to the path variance.
CT_HD CT_INLINE double PathVariance(const OptimalTokenBaseline& op, size_t t) {
  const auto pi = static_cast<double>(Ratio<simd::Scalar>(op.logprobs[t]));
  const double weight = op.weights != nullptr ? static_cast<double>(op.weights[t]) : 1.0;
  return (1.0 - 2.0 * pi + static_cast<double>(op.sum_squares[t])) * (weight * weight);
}

// B_t from its numerator and denominator over the group.
CT_HD CT_INLINE double TokenBaseline(double numerator, double denominator) {
  constexpr double kEpsilon = 1e-8;  // verl's.
  return numerator / (denominator + kEpsilon);
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_ADVANTAGE_TOKEN_FORMULAS_H_
