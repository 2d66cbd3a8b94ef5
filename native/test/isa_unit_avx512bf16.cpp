#include "simd/avx512bf16.h"
#include "test/isa_units.inc.h"

namespace crossthink::test {

const IsaUnit kAvx512Bf16Unit = MakeUnit<simd::Avx512Bf16>("avx512bf16");

}  // namespace crossthink::test
