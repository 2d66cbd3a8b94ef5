#ifndef CROSSTHINK_SPEC_ANNOTATE_H_
#define CROSSTHINK_SPEC_ANNOTATE_H_

// Everything in native/spec and native/simd is header-only, lives in an anonymous namespace and is compiled once per
// instruction set, by g++ and by nvcc. The anonymous namespace is what keeps AVX-512 code out of the baseline: no
// function can be a weak symbol that the linker shares between units (native/test/isa_leak_check.cmake watches it).
#if defined(__CUDACC__)
#define CT_HD __host__ __device__
#define CT_INLINE __forceinline__
#else
#define CT_HD
#define CT_INLINE inline __attribute__((always_inline))
#endif

namespace crossthink::spec {

// Number of the numeric specification: equal numbers promise equal bits. Any change of bits raises it.
constexpr int kNumericSpec = 1;

}  // namespace crossthink::spec

#endif  // CROSSTHINK_SPEC_ANNOTATE_H_
