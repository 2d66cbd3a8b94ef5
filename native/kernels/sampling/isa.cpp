#include "simd/isa.h"

#include "kernels/kernel_table.h"
#include "kernels/sampling/sampling_cpu.h"

namespace crossthink {

template <>
const SamplingKernels IsaKernels<kUnitIsa>::kSampling = MakeSamplingKernels<UnitVector>();

}  // namespace crossthink
