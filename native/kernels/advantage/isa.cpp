#include "simd/isa.h"

#include "kernels/advantage/advantage_cpu.h"
#include "kernels/kernel_table.h"

namespace crossthink {

template <>
const AdvantageKernel IsaKernels<kUnitIsa>::kAdvantage = MakeAdvantageKernel<UnitVector>();

}  // namespace crossthink
