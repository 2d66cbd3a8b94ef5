#include "simd/isa.h"

#include "kernels/kernel_table.h"
#include "kernels/sampling/sampling_cpu.h"
#include "kernels/sampling/speculative_cpu.h"

namespace crossthink {

template <>
const SamplingKernels IsaKernels<kUnitIsa>::kSampling = {
    {SampleRows<UnitVector, Float32Elements<UnitVector>>, SampleRows<UnitVector, Bfloat16Elements<UnitVector>>,
     SampleRows<UnitVector, Float16Elements<UnitVector>>},
    {SweepPieces<UnitVector, Float32Elements<UnitVector>>, SweepPieces<UnitVector, Bfloat16Elements<UnitVector>>,
     SweepPieces<UnitVector, Float16Elements<UnitVector>>},
    {SpeculateRows<UnitVector, Float32Elements<UnitVector>>, SpeculateRows<UnitVector, Bfloat16Elements<UnitVector>>,
     SpeculateRows<UnitVector, Float16Elements<UnitVector>>}};

}  // namespace crossthink
