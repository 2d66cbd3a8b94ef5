#include "kernels/isa/losses.inc.h"
#include "simd/avx512.h"

namespace crossthink {

const LossKernels kAvx512LossKernels = MakeLossKernels<simd::Avx512>(Isa::kAvx512);

}  // namespace crossthink
