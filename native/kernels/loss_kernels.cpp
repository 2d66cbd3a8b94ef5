#include "kernels/loss_kernels.h"

#include <atomic>

namespace crossthink {
namespace {

const LossKernels& Table(Isa isa) {
  switch (isa) {
#if defined(__x86_64__)
    case Isa::kAvx2:
      return kAvx2LossKernels;
    case Isa::kAvx512:
    case Isa::kAvx512Bf16:
      return kAvx512LossKernels;
#endif
    default:
      return kScalarLossKernels;
  }
}

std::atomic<const LossKernels*>& Active() {
  static std::atomic<const LossKernels*> active{&Table(ActiveIsa())};
  return active;
}

}  // namespace

const LossKernels& ActiveLossKernels() { return *Active().load(std::memory_order_acquire); }

void UseLossKernels(Isa isa) { Active().store(&Table(isa), std::memory_order_release); }

}  // namespace crossthink
