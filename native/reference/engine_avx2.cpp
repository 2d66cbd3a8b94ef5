#include "reference/engine.h"
#include "reference/lanes.h"
#include "simd/avx2.h"

namespace crossthink::reference {

const Engine kAvx2Engine = MakeEngine<Lanes<simd::Avx2, 6, 1>>();

}  // namespace crossthink::reference
