#ifndef CUDA_INTERPRETER_INTRINSICS_H_
#define CUDA_INTERPRETER_INTRINSICS_H_

// Loads and stores with cache hints, bit and exact floating-point intrinsics. Approximate ones (__expf, rsqrtf, ...)
// are left out on purpose: their bits differ from one GPU to the next, and the numeric specification forbids them.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#define CUDA_INTERPRETER_LOAD(name)        \
  template <class T>                       \
  static inline T name(const T* address) { \
    return *address;                       \
  }
CUDA_INTERPRETER_LOAD(__ldg)
CUDA_INTERPRETER_LOAD(__ldcg)
CUDA_INTERPRETER_LOAD(__ldcs)
CUDA_INTERPRETER_LOAD(__ldlu)
#undef CUDA_INTERPRETER_LOAD

#define CUDA_INTERPRETER_STORE(name)             \
  template <class T>                             \
  static inline void name(T* address, T value) { \
    *address = value;                            \
  }
CUDA_INTERPRETER_STORE(__stcg)
CUDA_INTERPRETER_STORE(__stcs)
CUDA_INTERPRETER_STORE(__stwt)
#undef CUDA_INTERPRETER_STORE

static inline unsigned __float_as_uint(float v) { return std::bit_cast<unsigned>(v); }
static inline int __float_as_int(float v) { return std::bit_cast<int>(v); }
static inline float __uint_as_float(unsigned v) { return std::bit_cast<float>(v); }
static inline float __int_as_float(int v) { return std::bit_cast<float>(v); }
static inline long long __double_as_longlong(double v) { return std::bit_cast<long long>(v); }
static inline double __longlong_as_double(long long v) { return std::bit_cast<double>(v); }

static inline int __popc(unsigned v) { return std::popcount(v); }
static inline int __popcll(unsigned long long v) { return std::popcount(v); }
static inline int __ffs(int v) { return __builtin_ffs(v); }
static inline int __ffsll(long long v) { return __builtin_ffsll(v); }
static inline int __clz(int v) { return std::countl_zero(static_cast<unsigned>(v)); }
static inline int __clzll(long long v) { return std::countl_zero(static_cast<unsigned long long>(v)); }
static inline unsigned __umulhi(unsigned a, unsigned b) {
  return static_cast<unsigned>((static_cast<uint64_t>(a) * b) >> 32);
}
static inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<unsigned long long>((static_cast<Wide>(a) * b) >> 64);
}

static inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
static inline float __fadd_rn(float a, float b) { return a + b; }
static inline float __fmul_rn(float a, float b) { return a * b; }
static inline float __fdiv_rn(float a, float b) { return a / b; }
static inline float __fsqrt_rn(float a) { return std::sqrt(a); }
static inline double __fma_rn(double a, double b, double c) { return std::fma(a, b, c); }
static inline double __dadd_rn(double a, double b) { return a + b; }
static inline double __dmul_rn(double a, double b) { return a * b; }
static inline double __ddiv_rn(double a, double b) { return a / b; }

using std::max;
using std::min;

#endif  // CUDA_INTERPRETER_INTRINSICS_H_
