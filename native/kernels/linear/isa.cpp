#include "simd/isa.h"

#include "kernels/kernel_table.h"
#include "kernels/linear/linear_cpu.h"

namespace crossthink {

template <>
const LinearKernels IsaKernels<kUnitIsa>::kLinear = MakeLinearKernels<UnitVector>();

}  // namespace crossthink
