#include "kernels/isa/losses.inc.h"
#include "simd/avx2.h"

namespace crossthink {

const LossKernels kAvx2LossKernels = MakeLossKernels<simd::Avx2>(Isa::kAvx2);

}  // namespace crossthink
