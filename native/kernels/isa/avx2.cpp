#include "simd/avx2.h"

#include "kernels/isa/kernels.inc.h"

namespace crossthink {

const KernelTable kAvx2Kernels = MakeKernels<simd::Avx2>(Isa::kAvx2);

}  // namespace crossthink
