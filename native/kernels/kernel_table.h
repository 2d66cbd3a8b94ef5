#ifndef CROSSTHINK_KERNELS_KERNEL_TABLE_H_
#define CROSSTHINK_KERNELS_KERNEL_TABLE_H_

#include "runtime/cpu.h"

namespace crossthink {

struct AdvantageKernel;
struct CorrectionKernel;
struct LinearKernels;
struct LogprobKernels;
struct MinHashKernel;
struct PolicyLossKernel;
struct SamplingKernels;

// What one instruction set provides. Each family defines its member in its isa.cpp, which is compiled once for every
// instruction set.
template <Isa isa>
struct IsaKernels {
  static const LogprobKernels kLogprob;
  static const SamplingKernels kSampling;
  static const AdvantageKernel kAdvantage;
  static const PolicyLossKernel kPolicyLoss;
  static const CorrectionKernel kCorrection;
  static const LinearKernels kLinear;
  static const MinHashKernel kMinHash;
};

struct KernelTable {
  Isa isa;
  const LogprobKernels& logprob;
  const SamplingKernels& sampling;
  const AdvantageKernel& advantage;
  const PolicyLossKernel& policy_loss;
  const CorrectionKernel& correction;
  const LinearKernels& linear;
  const MinHashKernel& minhash;
};

// The table of the instruction set in use.
const KernelTable& ActiveKernels();

// Tests only: makes every later call of this process use `isa`, which must be supported.
void UseKernels(Isa isa);

}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_KERNEL_TABLE_H_
