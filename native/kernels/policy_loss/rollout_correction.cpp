#include "kernels/policy_loss/rollout_correction.h"

#include <vector>

#include "kernels/policy_loss/mismatch.h"
#include "kernels/sequences_per_task.h"
#include "runtime/thread_pool.h"

namespace crossthink {

void RunRolloutCorrection(const RolloutCorrection& op, const CorrectionKernel& kernel, unsigned threads, double* sums) {
  std::vector<double> rows(op.sequences * kCorrectionSums);
  ThreadPool::Instance().ParallelFor(
      op.sequences, SequencesPerTask(op.offsets, op.sequences),
      [&](size_t begin, size_t end) { kernel.sequences(op, rows.data(), begin, end); }, threads);
  for (size_t k = 0; k < kCorrectionSums; ++k) sums[k] = 0;
  for (size_t i = 0; i < rows.size(); ++i) sums[i % kCorrectionSums] += rows[i];
  if (!op.normalize) return;
  const float mean = WeightMean(op, sums);
  for (size_t t = 0; t < op.tokens; ++t) op.weights_out[t] /= mean;
}

}  // namespace crossthink
