#ifndef CROSSTHINK_SIMD_PACK_H_
#define CROSSTHINK_SIMD_PACK_H_

#include <cstddef>

#include "spec/annotate.h"

namespace crossthink::simd {
namespace {

// kCount vectors of V side by side, one operation on all of them before the next one: the same bits, but independent
// instructions stand next to each other, which a processor's scheduler would otherwise have to look 50 ahead for.
// Only what formulas in hot loops use.
template <class V, size_t kCount>
struct Pack {
  static constexpr size_t kVectors = kCount;
  struct F {
    typename V::F v[kCount];
  };

  template <class Operation>
  CT_INLINE static F Each(Operation operation) {
    F r;
#pragma GCC unroll 8
    for (size_t k = 0; k < kCount; ++k) r.v[k] = operation(k);
    return r;
  }
  CT_INLINE static F Set(float x) {
    return Each([x](size_t) { return V::Set(x); });
  }
  CT_INLINE static F Add(const F& a, const F& b) {
    return Each([&](size_t k) { return V::Add(a.v[k], b.v[k]); });
  }
  CT_INLINE static F Sub(const F& a, const F& b) {
    return Each([&](size_t k) { return V::Sub(a.v[k], b.v[k]); });
  }
  CT_INLINE static F Fma(const F& a, const F& b, const F& c) {
    return Each([&](size_t k) { return V::Fma(a.v[k], b.v[k], c.v[k]); });
  }
  CT_INLINE static F Max(const F& a, const F& b) {
    return Each([&](size_t k) { return V::Max(a.v[k], b.v[k]); });
  }
  CT_INLINE static F Round(const F& a) {
    return Each([&](size_t k) { return V::Round(a.v[k]); });
  }
  CT_INLINE static F ClampExponent(const F& t) {
    return Each([&](size_t k) { return V::ClampExponent(t.v[k]); });
  }
  CT_INLINE static F ScaleExp2(const F& p, const F& n, const F& t) {
    return Each([&](size_t k) { return V::ScaleExp2(p.v[k], n.v[k], t.v[k]); });
  }
};

// As many vectors as the registers hold intermediate results of a formula of.
template <class V>
using Together = Pack<V, V::kWidth == 16 ? 4 : (V::kWidth == 8 ? 2 : 1)>;

}  // namespace
}  // namespace crossthink::simd

#endif  // CROSSTHINK_SIMD_PACK_H_
