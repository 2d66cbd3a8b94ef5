#include "runtime/cpu.h"

#include <algorithm>
#include <cstdlib>
#include <string>

namespace crossthink {
namespace {

struct Choice {
  Isa isa;
  std::string error;
};

const Choice& Chosen() {
  static const Choice choice = [] {
    const std::vector<Isa>& supported = SupportedIsas();
    Choice result{supported.back(), {}};
    const char* name = std::getenv("CROSSTHINK_ISA");
    if (name == nullptr || *name == '\0') return result;
    const std::optional<Isa> wanted = ParseIsa(name);
    if (wanted && std::find(supported.begin(), supported.end(), *wanted) != supported.end()) {
      result.isa = *wanted;
    } else {
      result.error = std::string("CROSSTHINK_ISA=") + name +
                     (wanted ? " is not supported by this CPU" : " is unknown") + "; this machine runs:";
      for (Isa isa : supported) result.error.append(" ").append(IsaName(isa));
    }
    return result;
  }();
  return choice;
}

}  // namespace

std::string_view IsaName(Isa isa) noexcept {
  switch (isa) {
    case Isa::kNeon:
      return "neon";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvx512:
      return "avx512";
    case Isa::kAvx512Bf16:
      return "avx512bf16";
    case Isa::kScalar:
      break;
  }
  return "scalar";
}

std::optional<Isa> ParseIsa(std::string_view name) noexcept {
  for (Isa isa : {Isa::kScalar, Isa::kNeon, Isa::kAvx2, Isa::kAvx512, Isa::kAvx512Bf16}) {
    if (IsaName(isa) == name) return isa;
  }
  return std::nullopt;
}

const std::vector<Isa>& SupportedIsas() {
  static const std::vector<Isa> isas = [] {
    std::vector<Isa> list = {Isa::kScalar};
#if defined(__x86_64__)
    // __builtin_cpu_supports also checks XCR0: false when the operating system does not save the wider registers.
    __builtin_cpu_init();
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    if (avx2) list.push_back(Isa::kAvx2);
    if (avx512) list.push_back(Isa::kAvx512);
    if (avx512 && __builtin_cpu_supports("avx512bf16")) list.push_back(Isa::kAvx512Bf16);
#elif defined(__aarch64__)
    list.push_back(Isa::kNeon);  // Every one has it.
#endif
    return list;
  }();
  return isas;
}

Isa ActiveIsa() { return Chosen().isa; }

const char* IsaOverrideError() { return Chosen().error.empty() ? nullptr : Chosen().error.c_str(); }

}  // namespace crossthink
