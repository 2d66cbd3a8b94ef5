#include "kernels/isa/losses.inc.h"
#include "simd/scalar.h"

namespace crossthink {

const LossKernels kScalarLossKernels = MakeLossKernels<simd::Scalar>(Isa::kScalar);

}  // namespace crossthink
