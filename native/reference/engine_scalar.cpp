#include "reference/engine.h"
#include "reference/lanes.h"
#include "simd/scalar.h"

namespace crossthink::reference {

const Engine kScalarEngine = MakeEngine<Lanes<simd::Scalar, 4, 1>>();

}  // namespace crossthink::reference
