#include "simd/scalar.h"
#include "test/isa_units.inc.h"

namespace crossthink::test {

const IsaUnit kScalarUnit = MakeUnit<simd::Scalar>("scalar");

}  // namespace crossthink::test
