#include "reference/engine.h"
#include "reference/lanes.h"
#include "simd/avx512.h"

namespace crossthink::reference {

const Engine kAvx512Engine = MakeEngine<Lanes<simd::Avx512, 8, 2>>();

}  // namespace crossthink::reference
