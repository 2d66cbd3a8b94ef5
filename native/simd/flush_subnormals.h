#ifndef CROSSTHINK_SIMD_FLUSH_SUBNORMALS_H_
#define CROSSTHINK_SIMD_FLUSH_SUBNORMALS_H_

#include <cstdint>

#include "spec/annotate.h"

namespace crossthink::simd {
namespace {

// While one lives, this thread reads subnormal operands as zero and rounds subnormal results to zero, as the bfloat16
// dot products of x86 always do. The memory clobbers keep arithmetic whose operands and results are in memory inside.
class FlushSubnormals {
 public:
#if defined(__x86_64__)
  CT_INLINE FlushSubnormals() {
    asm volatile("stmxcsr %0" : "=m"(before_)::"memory");
    constexpr uint32_t kFlushResults = 0x8000;
    constexpr uint32_t kFlushOperands = 0x0040;
    const uint32_t flushing = before_ | kFlushResults | kFlushOperands;
    asm volatile("ldmxcsr %0" ::"m"(flushing) : "memory");
  }
  CT_INLINE ~FlushSubnormals() { asm volatile("ldmxcsr %0" ::"m"(before_) : "memory"); }

 private:
  uint32_t before_;
#elif defined(__aarch64__)
  CT_INLINE FlushSubnormals() {
    asm volatile("mrs %0, fpcr" : "=r"(before_)::"memory");
    constexpr uint64_t kFlush = uint64_t{1} << 24;
    asm volatile("msr fpcr, %0" ::"r"(before_ | kFlush) : "memory");
  }
  CT_INLINE ~FlushSubnormals() { asm volatile("msr fpcr, %0" ::"r"(before_) : "memory"); }

 private:
  uint64_t before_;
#else
#error "FlushSubnormals: say how this processor flushes subnormals"
#endif

 public:
  FlushSubnormals(const FlushSubnormals&) = delete;
  FlushSubnormals& operator=(const FlushSubnormals&) = delete;
};

}  // namespace
}  // namespace crossthink::simd

#endif  // CROSSTHINK_SIMD_FLUSH_SUBNORMALS_H_
