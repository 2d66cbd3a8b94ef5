#include "simd/avx512.h"
#include "test/isa_units.inc.h"

namespace crossthink::test {

const IsaUnit kAvx512Unit = MakeUnit<simd::Avx512>("avx512");

}  // namespace crossthink::test
