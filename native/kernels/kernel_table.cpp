#include "kernels/kernel_table.h"

#include <atomic>

namespace crossthink {
namespace {

template <Isa isa>
const KernelTable kTable = {isa,
                            IsaKernels<isa>::kLogprob,
                            IsaKernels<isa>::kSampling,
                            IsaKernels<isa>::kAdvantage,
                            IsaKernels<isa>::kPolicyLoss,
                            IsaKernels<isa>::kCorrection,
                            IsaKernels<isa>::kLinear,
                            IsaKernels<isa>::kMinHash};

const KernelTable& Table(Isa isa) {
  switch (isa) {
#if defined(__x86_64__)
    case Isa::kAvx2:
      return kTable<Isa::kAvx2>;
    case Isa::kAvx512:
      return kTable<Isa::kAvx512>;
    case Isa::kAvx512Bf16:
      return kTable<Isa::kAvx512Bf16>;
#elif defined(__aarch64__)
    case Isa::kNeon:
      return kTable<Isa::kNeon>;
#endif
    default:
      return kTable<Isa::kScalar>;
  }
}

std::atomic<const KernelTable*>& Active() {
  static std::atomic<const KernelTable*> active{&Table(ActiveIsa())};
  return active;
}

}  // namespace

const KernelTable& ActiveKernels() { return *Active().load(std::memory_order_acquire); }

void UseKernels(Isa isa) { Active().store(&Table(isa), std::memory_order_release); }

}  // namespace crossthink
