#include "reference/engine.h"

namespace crossthink::reference {

const Engine& EngineFor(Isa isa) {
  switch (isa) {
#if defined(__x86_64__)
    case Isa::kAvx512:
    case Isa::kAvx512Bf16:
      return kAvx512Engine;
    case Isa::kAvx2:
      return kAvx2Engine;
#elif defined(__aarch64__)
    case Isa::kNeon:
      return kNeonEngine;
#endif
    default:
      return kScalarEngine;
  }
}

}  // namespace crossthink::reference
