#ifndef CROSSTHINK_SIMD_ISA_H_
#define CROSSTHINK_SIMD_ISA_H_

#include "runtime/cpu.h"

// The instruction set that CMake compiles this unit for (crossthink_add_isa): its name and its vectors.
#if defined(CROSSTHINK_ISA_NEON)
#include "simd/neon.h"
#elif defined(CROSSTHINK_ISA_AVX2)
#include "simd/avx2.h"
#elif defined(CROSSTHINK_ISA_AVX512)
#include "simd/avx512.h"
#elif defined(CROSSTHINK_ISA_AVX512BF16)
#include "simd/avx512bf16.h"
#else
#include "simd/scalar.h"
#endif

namespace crossthink {
namespace {

#if defined(CROSSTHINK_ISA_NEON)
constexpr Isa kUnitIsa = Isa::kNeon;
using UnitVector = simd::Neon;
#elif defined(CROSSTHINK_ISA_AVX2)
constexpr Isa kUnitIsa = Isa::kAvx2;
using UnitVector = simd::Avx2;
#elif defined(CROSSTHINK_ISA_AVX512)
constexpr Isa kUnitIsa = Isa::kAvx512;
using UnitVector = simd::Avx512;
#elif defined(CROSSTHINK_ISA_AVX512BF16)
constexpr Isa kUnitIsa = Isa::kAvx512Bf16;
using UnitVector = simd::Avx512Bf16;
#else
constexpr Isa kUnitIsa = Isa::kScalar;
using UnitVector = simd::Scalar;
#endif

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_SIMD_ISA_H_
