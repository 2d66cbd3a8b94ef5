#include "simd/neon.h"
#include "test/isa_units.inc.h"

namespace crossthink::test {

const IsaUnit kNeonUnit = MakeUnit<simd::Neon>("neon");

}  // namespace crossthink::test
