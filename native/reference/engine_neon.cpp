#include "reference/engine.h"
#include "reference/lanes.h"
#include "simd/neon.h"

namespace crossthink::reference {

const Engine kNeonEngine = MakeEngine<Lanes<simd::Neon, 6, 1>>();

}  // namespace crossthink::reference
