#include "kernels/advantage/token_advantages.h"

#include <algorithm>
#include <vector>

#include "kernels/advantage/token_formulas.h"
#include "kernels/sequences_per_task.h"
#include "runtime/thread_pool.h"

namespace crossthink {
namespace {

void GaeSequence(const Gae& op, size_t s) {
  const auto begin = static_cast<size_t>(op.offsets[s]);
  const double decay = GaeDecay(op, s);
  double next_value = 0;
  double advantage = 0;
  for (auto t = static_cast<size_t>(op.offsets[s + 1]); t-- > begin;) {
    op.advantages[t] = 0;
    if (op.returns != nullptr) op.returns[t] = 0;
    if (!IsValid(op.mask, t)) continue;
    const double value = GaeValue(op, t);
    advantage = GaeDelta(op, t, value, next_value) + decay * advantage;
    next_value = value;
    op.advantages[t] = RoundedAdvantage(advantage);
    if (op.returns != nullptr) op.returns[t] = RoundedAdvantage(advantage + value);
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
    if (IsValid(op.mask, t)) path.tokens.push_back(t);
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
    variance += PathVariance(op, path.tokens[i]);
    path.variance[i] = variance;
  }
  return path;
}

void OptimalBaselineGroup(const OptimalTokenBaseline& op, size_t group) {
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
      const double baseline = i < second ? TokenBaseline(numerator[i], denominator[i]) : 0.0;
      op.advantages[path.tokens[i]] = RoundedAdvantage(path.to_go[i] - baseline);
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
  double total = 0;
  double sum = 0;
  for (size_t i = 0; i < op.count; ++i) {
    total += WhitenWeight(op, i);
    sum += WhitenValue(op, i);
  }
  const double mean = sum / total;
  double square = 0;
  for (size_t i = 0; i < op.count; ++i) square += WhitenSquare(op, i, mean);
  const double std = WhitenStd(op, square, total);
  for (size_t i = 0; i < op.count; ++i) op.out[i] = Whitened(op, i, mean, std);
}

void RunOptimalTokenBaseline(const OptimalTokenBaseline& op, unsigned threads) {
  const auto body = [&](size_t begin, size_t end) {
    for (size_t g = begin; g < end; ++g) OptimalBaselineGroup(op, g);
  };
  ThreadPool::Instance().ParallelFor(op.groups, 1, body, threads);
}

}  // namespace crossthink
