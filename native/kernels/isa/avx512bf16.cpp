#include "simd/avx512bf16.h"

#include "kernels/isa/kernels.inc.h"

namespace crossthink {

const KernelTable kAvx512Bf16Kernels = MakeKernels<simd::Avx512Bf16>(Isa::kAvx512Bf16);

}  // namespace crossthink
