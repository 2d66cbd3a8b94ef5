#ifndef CROSSTHINK_KERNELS_LINEAR_CHAIN_H_
#define CROSSTHINK_KERNELS_LINEAR_CHAIN_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/elements.h"
#include "simd/flush_subnormals.h"
#include "spec/annotate.h"
#include "spec/half.h"

#if defined(__AVX512BF16__)
#include <immintrin.h>

#include "simd/avx512bf16.h"
#endif

// The order of a product's sums, per element type: what is specified (docs/linear.md). An element of the product is the
// sum, in ascending order, of blocks of kBlock steps; a block is one chain of multiply-adds from zero. Each operand of
// a step is a 4-byte cell, handled as the bits of a float: a float32, or a pair of bfloat16.
namespace crossthink {
namespace {

struct NoMode {};

// float32: one fused multiply-add per step, in ascending order.
template <class V>
struct Float32Chain {
  using Vector = V;
  using T = float;
  using Mode = NoMode;
  static constexpr size_t kBlock = 512;
  static constexpr size_t kPerCell = 1;  // Elements.
  static constexpr bool kStored = true;  // Rows of the weights are cells as they stand.
  CT_INLINE static size_t Steps(size_t depth) { return depth; }
  CT_INLINE static typename V::F Step(typename V::F a, typename V::F b, typename V::F sum) { return V::Fma(a, b, sum); }
  // Which step takes cell i.
  static constexpr size_t StepOf(size_t i) { return i; }
  CT_INLINE static typename V::F Load(const T* p) { return V::Load(p); }
  CT_INLINE static float Read(const T* p) { return *p; }
};

// bfloat16, as vdpbf16ps does it: of each pair of elements the product of the odd one is added first, then that of the
// even one, both by fused multiply-adds in float32, subnormals flushed. Here with float32 arithmetic: elements are
// cells of their own and neighbours change places.
template <class V>
struct Bfloat16Chain {
  using Vector = V;
  using T = uint16_t;
  using Mode = simd::FlushSubnormals;
  static constexpr size_t kBlock = 1024;
  static constexpr size_t kPerCell = 1;
  static constexpr bool kStored = false;
  CT_INLINE static size_t Steps(size_t depth) { return (depth + 1) / 2 * 2; }
  CT_INLINE static typename V::F Step(typename V::F a, typename V::F b, typename V::F sum) { return V::Fma(a, b, sum); }
  static constexpr size_t StepOf(size_t i) { return i ^ 1; }
  CT_INLINE static typename V::F Load(const T* p) { return V::LoadBfloat16(p); }
  CT_INLINE static float Read(const T* p) { return spec::FromBfloat16(*p); }
};

#if defined(__AVX512BF16__)
// The same with the instruction: a step is a pair.
template <>
struct Bfloat16Chain<simd::Avx512Bf16> {
  using Vector = simd::Avx512Bf16;
  using T = uint16_t;
  using Mode = simd::FlushSubnormals;  // For the sums of blocks: the instruction itself knows no mode.
  static constexpr size_t kBlock = 512;
  static constexpr size_t kPerCell = 2;
  static constexpr bool kStored = true;
  CT_INLINE static size_t Steps(size_t depth) { return (depth + 1) / 2; }
  CT_INLINE static __m512 Step(__m512 a, __m512 b, __m512 sum) {
    return _mm512_dpbf16_ps(sum, (__m512bh)_mm512_castps_si512(a), (__m512bh)_mm512_castps_si512(b));
  }
  static constexpr size_t StepOf(size_t i) { return i; }
  CT_INLINE static __m512 Load(const T* p) {
    return _mm512_castsi512_ps(_mm512_loadu_si512(static_cast<const void*>(p)));
  }
};
#endif

// kWidth cells of a row of `depth` elements from cell i on, zeros past its end.
template <class C>
CT_INLINE typename C::Vector::F LoadCells(const typename C::T* row, size_t i, size_t depth) {
  using T = typename C::T;
  constexpr size_t elements = C::Vector::kWidth * C::kPerCell;
  const size_t begin = i * C::kPerCell;
  if (begin + elements <= depth) return C::Load(row + begin);
  T padded[elements] = {};
  if (begin < depth) memcpy(padded, row + begin, (depth - begin) * sizeof(T));
  return C::Load(padded);
}

// Steps [begin, begin + steps) of a row, as cells in their order.
template <class C>
CT_INLINE void CopyCells(const typename C::T* row, size_t begin, size_t steps, size_t depth, float* out) {
  if constexpr (C::kStored) {
    const size_t from = begin * C::kPerCell;
    const size_t bytes = (depth - from) * sizeof(typename C::T);
    const size_t whole = steps * sizeof(float);
    memcpy(out, row + from, bytes < whole ? bytes : whole);
    if (bytes < whole) memset(reinterpret_cast<char*>(out) + bytes, 0, whole - bytes);
  } else {
    const size_t stored = depth - begin < steps ? depth - begin : steps;
    for (size_t i = 0; i < stored; ++i) out[C::StepOf(i)] = C::Read(row + begin + i);
    for (size_t i = stored; i < steps; ++i) out[C::StepOf(i)] = 0.0F;
  }
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_LINEAR_CHAIN_H_
