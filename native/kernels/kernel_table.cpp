#include "kernels/kernel_table.h"

#include <atomic>

namespace crossthink {
namespace {

const KernelTable& Table(Isa isa) {
  switch (isa) {
#if defined(__x86_64__)
    case Isa::kAvx2:
      return kAvx2Kernels;
    case Isa::kAvx512:
      return kAvx512Kernels;
    case Isa::kAvx512Bf16:
      return kAvx512Bf16Kernels;
#endif
    default:
      return kScalarKernels;
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
