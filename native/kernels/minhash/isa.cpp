#include "simd/isa.h"

#include <cstring>

#include "kernels/kernel_table.h"
#include "kernels/minhash/minhash.h"

namespace crossthink {
namespace {

#if defined(__AVX512F__)
constexpr size_t kLanes = 16;
#elif defined(__AVX2__)
constexpr size_t kLanes = 8;
#else
constexpr size_t kLanes = 4;
#endif
static_assert(kMinHashLanes % kLanes == 0);

typedef uint32_t Lanes __attribute__((vector_size(4 * kLanes)));

void Minima(const uint32_t* bases, size_t count, const uint32_t* multipliers, const uint32_t* addends, size_t functions,
            uint32_t* minima) {
  for (size_t k = 0; k < functions; k += kLanes) {
    Lanes multiplier;
    Lanes addend;
    std::memcpy(&multiplier, multipliers + k, sizeof(Lanes));
    std::memcpy(&addend, addends + k, sizeof(Lanes));
    // Two chains: one minimum alone would wait for itself.
    Lanes least = ~Lanes{};
    Lanes other = ~Lanes{};
    size_t i = 0;
    for (; i + 2 <= count; i += 2) {
      const Lanes a = multiplier * bases[i] + addend;
      const Lanes b = multiplier * bases[i + 1] + addend;
      least = a < least ? a : least;
      other = b < other ? b : other;
    }
    if (i < count) {
      const Lanes a = multiplier * bases[i] + addend;
      least = a < least ? a : least;
    }
    least = other < least ? other : least;
    std::memcpy(minima + k, &least, sizeof(Lanes));
  }
}

}  // namespace

template <>
const MinHashKernel IsaKernels<kUnitIsa>::kMinHash = {Minima};

}  // namespace crossthink
