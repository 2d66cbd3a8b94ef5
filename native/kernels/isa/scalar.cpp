#include "simd/scalar.h"

#include "kernels/isa/kernels.inc.h"

namespace crossthink {

const KernelTable kScalarKernels = MakeKernels<simd::Scalar>(Isa::kScalar);

}  // namespace crossthink
