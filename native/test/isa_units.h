#ifndef CROSSTHINK_TEST_ISA_UNITS_H_
#define CROSSTHINK_TEST_ISA_UNITS_H_

#include <cstddef>

namespace crossthink::test {

// Elementary functions of native/spec in one instruction set, over arrays whose length is a multiple of 16.
struct Elementary {
  const char* name;
  void (*run)(const float* x, float* y, size_t n);
};
constexpr size_t kElementary = 9;

struct IsaUnit {
  const char* isa;
  Elementary functions[kElementary];
  void (*to_bfloat16)(const float* x, unsigned short* y, size_t n);
  void (*to_float16)(const float* x, unsigned short* y, size_t n);
};

extern const IsaUnit kScalarUnit;
#if defined(__x86_64__)
extern const IsaUnit kAvx2Unit;
extern const IsaUnit kAvx512Unit;
extern const IsaUnit kAvx512Bf16Unit;
#elif defined(__aarch64__)
extern const IsaUnit kNeonUnit;
#endif

}  // namespace crossthink::test

#endif  // CROSSTHINK_TEST_ISA_UNITS_H_
