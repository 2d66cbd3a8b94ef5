#ifndef CROSSTHINK_RUNTIME_CPU_H_
#define CROSSTHINK_RUNTIME_CPU_H_

#include <optional>
#include <string_view>
#include <vector>

namespace crossthink {

// Instruction sets with kernels of their own, slowest first.
// kAvx512Bf16 is kAvx512 with the bfloat16 conversions (AVX512_BF16).
enum class Isa { kScalar, kNeon, kAvx2, kAvx512, kAvx512Bf16 };

std::string_view IsaName(Isa isa) noexcept;
std::optional<Isa> ParseIsa(std::string_view name) noexcept;

// Every instruction set this machine can run, slowest first.
const std::vector<Isa>& SupportedIsas();

// The instruction set in use: the best supported one, or the one CROSSTHINK_ISA names
// (scalar|neon|avx2|avx512|avx512bf16). Chosen once. An unknown or unsupported name is kept in `IsaOverrideError` for
// the addon to throw: never a silent fall-back.
Isa ActiveIsa();
const char* IsaOverrideError();

}  // namespace crossthink

#endif  // CROSSTHINK_RUNTIME_CPU_H_
