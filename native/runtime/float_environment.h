#ifndef CROSSTHINK_RUNTIME_FLOAT_ENVIRONMENT_H_
#define CROSSTHINK_RUNTIME_FLOAT_ENVIRONMENT_H_

#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace crossthink {

// The floating-point mode that the numeric specification means, for a scope: round to nearest even, subnormal numbers
// kept, no traps. A library that was linked with -ffast-math sets flush-to-zero for the thread that loads it, and
// threads inherit it. The former mode comes back at the end.
class FloatEnvironment {
 public:
  FloatEnvironment() : before_(Mode()) {
    if (IsDefault(before_)) return;
    SetMode(kDefaultMode);
  }
  ~FloatEnvironment() {
    if (!IsDefault(before_)) SetMode(before_);
  }
  FloatEnvironment(const FloatEnvironment&) = delete;
  FloatEnvironment& operator=(const FloatEnvironment&) = delete;

  // The control register of this thread: MXCSR, or FPCR.
#if defined(__x86_64__)
  static uint64_t Mode() { return _mm_getcsr(); }
  static void SetMode(uint64_t mode) {
    asm volatile("" ::: "memory");
    _mm_setcsr(static_cast<uint32_t>(mode));
    asm volatile("" ::: "memory");
  }
  static constexpr uint64_t kDefaultMode = 0x1F80;
  // Subnormal arguments as zeros, subnormal results as zeros, rounding up. Tests only.
  static constexpr uint64_t kHostileMode = kDefaultMode | 0x8040 | 0x4000;

 private:
  static constexpr uint64_t kStickyFlags = 0x3F;
#elif defined(__aarch64__)
  static uint64_t Mode() {
    uint64_t mode;
    asm volatile("mrs %0, fpcr" : "=r"(mode));
    return mode;
  }
  static void SetMode(uint64_t mode) { asm volatile("msr fpcr, %0" ::"r"(mode) : "memory"); }
  static constexpr uint64_t kDefaultMode = 0;
  static constexpr uint64_t kHostileMode = (uint64_t{1} << 24) | (uint64_t{1} << 22);

 private:
  static constexpr uint64_t kStickyFlags = 0;
#else
#error "FloatEnvironment: how does this processor control rounding and subnormal numbers?"
#endif
  static bool IsDefault(uint64_t mode) { return (mode & ~kStickyFlags) == kDefaultMode; }

  uint64_t before_;
};

}  // namespace crossthink

#endif  // CROSSTHINK_RUNTIME_FLOAT_ENVIRONMENT_H_
