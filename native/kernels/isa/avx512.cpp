#include "simd/avx512.h"

#include "kernels/isa/kernels.inc.h"

namespace crossthink {

const KernelTable kAvx512Kernels = MakeKernels<simd::Avx512>(Isa::kAvx512);

}  // namespace crossthink
