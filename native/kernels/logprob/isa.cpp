#include "simd/isa.h"

#include "kernels/kernel_table.h"
#include "kernels/logprob/logprob_cpu.h"

namespace crossthink {

template <>
const LogprobKernels IsaKernels<kUnitIsa>::kLogprob = MakeLogprobKernels<UnitVector>();

}  // namespace crossthink
