#ifndef CROSSTHINK_KERNELS_ELEMENTS_H_
#define CROSSTHINK_KERNELS_ELEMENTS_H_

#include <cstddef>
#include <cstdint>

#include "spec/annotate.h"
#include "spec/bits.h"
#include "spec/half.h"

// How a stored element becomes a float32 lane and back, one struct per storage type, over an instruction set V.
// StoreNumber takes no NaN.
namespace crossthink {
namespace {

template <class V>
struct Float32Elements {
  using T = float;
  CT_INLINE static typename V::F Load(const T* p) { return V::Load(p); }
  CT_INLINE static void StoreNumber(T* p, typename V::F v) { V::Store(p, v); }
  CT_INLINE static float Read(const T* p) { return *p; }
  CT_INLINE static void Write(T* p, float v) { *p = v; }
};

template <class V>
struct Bfloat16Elements {
  using T = uint16_t;
  CT_INLINE static typename V::F Load(const T* p) { return V::LoadBfloat16(p); }
  CT_INLINE static void StoreNumber(T* p, typename V::F v) { V::StoreBfloat16Number(p, v); }
  CT_INLINE static float Read(const T* p) { return spec::FromBfloat16(*p); }
  CT_INLINE static void Write(T* p, float v) { *p = spec::ToBfloat16(v); }
};

template <class V>
struct Float16Elements {
  using T = uint16_t;
  CT_INLINE static typename V::F Load(const T* p) { return V::LoadFloat16(p); }
  CT_INLINE static void StoreNumber(T* p, typename V::F v) { V::StoreFloat16(p, v); }
  CT_INLINE static float Read(const T* p) { return spec::FromFloat16(*p); }
  CT_INLINE static void Write(T* p, float v) { *p = spec::ToFloat16(v); }
};

// The first n < kWidth elements, then -inf: what stands past the end of a row counts as masked.
template <class V, class E>
CT_INLINE typename V::F LoadTail(const typename E::T* p, size_t n) {
  float lanes[V::kWidth];
  for (size_t i = 0; i < V::kWidth; ++i) lanes[i] = i < n ? E::Read(p + i) : -spec::Infinity();
  return V::Load(lanes);
}

template <class V, class E>
CT_INLINE void StoreTail(typename E::T* p, size_t n, typename V::F v) {
  float lanes[V::kWidth];
  V::Store(lanes, v);
  for (size_t i = 0; i < n; ++i) E::Write(p + i, lanes[i]);
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_ELEMENTS_H_
