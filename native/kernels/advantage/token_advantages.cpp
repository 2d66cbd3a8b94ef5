#include "kernels/advantage/token_advantages.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/policy_loss/token_terms.h"
#include "kernels/sequences_per_task.h"
#include "runtime/thread_pool.h"
#include "simd/scalar.h"
#include "spec/bits.h"

namespace crossthink {
namespace {

bool Valid(const uint8_t* mask, size_t i) { return mask == nullptr || mask[i] != 0; }

float Rounded(double x) { return spec::CanonicalNan(static_cast<float>(x)); }

void GaeSequence(const Gae& op, size_t s) {
  const auto begin = static_cast<size_t>(op.offsets[s]);
  const double lambda = op.lambdas != nullptr ? static_cast<double>(op.lambdas[s]) : op.lambda;
  double next_value = 0;
  double advantage = 0;
  for (auto t = static_cast<size_t>(op.offsets[s + 1]); t-- > begin;) {
    op.advantages[t] = 0;
    if (op.returns != nullptr) op.returns[t] = 0;
    if (!Valid(op.mask, t)) continue;
    const double value = op.values != nullptr ? static_cast<double>(op.values[t]) : 0.0;
    const double delta = static_cast<double>(op.rewards[t]) + op.gamma * next_value - value;
    advantage = delta + op.gamma * lambda * advantage;
    next_value = value;
    op.advantages[t] = Rounded(advantage);
    if (op.returns != nullptr) op.returns[t] = Rounded(advantage + value);
  }
}

// Rewards to go and cumulative path variance of one response, at its valid tokens.
struct Path {
  std::vector<size_t> tokens;
  std::vector<double> to_go;
  std::vector<double> variance;
};

Path PathOf(const OptimalTokenBaseline& op, size_t s) {
  Path path;
  const auto end = static_cast<size_t>(op.offsets[s + 1]);
  for (auto t = static_cast<size_t>(op.offsets[s]); t < end; ++t) {
    if (Valid(op.mask, t)) path.tokens.push_back(t);
  }
  path.to_go.resize(path.tokens.size());
  path.variance.resize(path.tokens.size());
  double to_go = 0;
  for (size_t i = path.tokens.size(); i-- > 0;) {
    to_go += static_cast<double>(op.rewards[path.tokens[i]]);
    path.to_go[i] = to_go;
  }
  double variance = 0;
  for (size_t i = 0; i < path.tokens.size(); ++i) {
    const size_t t = path.tokens[i];
    const auto pi = static_cast<double>(Ratio<simd::Scalar>(op.logprobs[t]));
    const double weight = op.weights != nullptr ? static_cast<double>(op.weights[t]) : 1.0;
    variance += (1.0 - 2.0 * pi + static_cast<double>(op.sum_squares[t])) * (weight * weight);
    path.variance[i] = variance;
  }
  return path;
}

void OptimalBaselineGroup(const OptimalTokenBaseline& op, size_t group) {
  constexpr double kEpsilon = 1e-8;  // verl's.
  std::vector<Path> paths;
  size_t longest = 0;
  size_t second = 0;
  for (int32_t s = op.group_offsets[group]; s < op.group_offsets[group + 1]; ++s) {
    std::fill(op.advantages + op.offsets[s], op.advantages + op.offsets[s + 1], 0.0F);
    paths.push_back(PathOf(op, static_cast<size_t>(s)));
    const size_t length = paths.back().tokens.size();
    second = std::max(second, std::min(longest, length));
    longest = std::max(longest, length);
  }
  // Beyond the second longest response there is nobody to compare with: no baseline.
  std::vector<double> numerator(second);
  std::vector<double> denominator(second);
  for (const Path& path : paths) {
    for (size_t i = 0; i < std::min(second, path.tokens.size()); ++i) {
      numerator[i] += path.to_go[i] * path.variance[i];
      denominator[i] += path.variance[i];
    }
  }
  for (const Path& path : paths) {
    for (size_t i = 0; i < path.tokens.size(); ++i) {
      const double baseline = i < second ? numerator[i] / (denominator[i] + kEpsilon) : 0.0;
      op.advantages[path.tokens[i]] = Rounded(path.to_go[i] - baseline);
    }
  }
}

}  // namespace

void RunGae(const Gae& op, unsigned threads) {
  const auto body = [&](size_t begin, size_t end) {
    for (size_t s = begin; s < end; ++s) GaeSequence(op, s);
  };
  ThreadPool::Instance().ParallelFor(op.sequences, SequencesPerTask(op.offsets, op.sequences), body, threads);
}

void RunWhiten(const Whiten& op) {
  const auto weight = [&](size_t i) { return op.weights != nullptr ? static_cast<double>(op.weights[i]) : 1.0; };
  double total = 0;
  double sum = 0;
  for (size_t i = 0; i < op.count; ++i) {
    if (!Valid(op.mask, i)) continue;
    total += weight(i);
    sum += weight(i) * static_cast<double>(op.values[i]);
  }
  const double mean = sum / total;
  double square = 0;
  for (size_t i = 0; i < op.count; ++i) {
    if (!Valid(op.mask, i)) continue;
    const double d = static_cast<double>(op.values[i]) - mean;
    square += weight(i) * (d * d);
  }
  const double variance = square / std::max(op.bessel ? total - 1 : total, 1.0);
  double std = 0;
  switch (op.epsilon_at) {
    case Whiten::Epsilon::kVariance:
      std = std::sqrt(variance + op.epsilon);
      break;
    case Whiten::Epsilon::kStd:
      std = std::sqrt(variance) + op.epsilon;
      break;
    case Whiten::Epsilon::kFloor:
      std = std::sqrt(std::max(variance, op.epsilon));
      break;
  }
  for (size_t i = 0; i < op.count; ++i) {
    const double d = (static_cast<double>(op.values[i]) - mean) / std;
    op.out[i] = Valid(op.mask, i) ? Rounded(op.keep_mean ? d + mean : d) : 0.0F;
  }
}

void RunOptimalTokenBaseline(const OptimalTokenBaseline& op, unsigned threads) {
  const auto body = [&](size_t begin, size_t end) {
    for (size_t g = begin; g < end; ++g) OptimalBaselineGroup(op, g);
  };
  ThreadPool::Instance().ParallelFor(op.groups, 1, body, threads);
}

}  // namespace crossthink
