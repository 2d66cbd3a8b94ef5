#include "simd/avx2.h"
#include "test/isa_units.inc.h"

namespace crossthink::test {

const IsaUnit kAvx2Unit = MakeUnit<simd::Avx2>("avx2");

}  // namespace crossthink::test
