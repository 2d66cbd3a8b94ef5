#ifndef CROSSTHINK_REFERENCE_LANES_H_
#define CROSSTHINK_REFERENCE_LANES_H_

#include <cstddef>

#include "reference/layout.h"
#include "spec/exponential.h"

namespace crossthink::reference {
namespace {

// Sixteen lanes made of the vectors of one instruction set (native/simd): sums over lanes then have one order
// everywhere. kRows and kColumns shape the tile of the matrix product, so that its sums fit the registers.
template <class S, int kRows, int kColumns>
struct Lanes {
  static constexpr int kLanes = kLaneCount;
  static constexpr int kTileRows = kRows;
  static constexpr int kTileColumns = kColumns;
  static constexpr int kWidth = static_cast<int>(S::kWidth);
  static constexpr int kParts = kLanes / kWidth;

  struct Float {
    typename S::F part[kParts];
  };

  CT_INLINE static Float Load(const float* p) {
    return Make([&](int i) { return S::Load(p + i * kWidth); });
  }
  CT_INLINE static void Store(float* p, const Float& v) {
    for (int i = 0; i < kParts; i++) S::Store(p + i * kWidth, v.part[i]);
  }
  CT_INLINE static Float Set(float x) {
    return Make([&](int) { return S::Set(x); });
  }
  CT_INLINE static Float Add(const Float& a, const Float& b) {
    return Make([&](int i) { return S::Add(a.part[i], b.part[i]); });
  }
  CT_INLINE static Float Sub(const Float& a, const Float& b) {
    return Make([&](int i) { return S::Sub(a.part[i], b.part[i]); });
  }
  CT_INLINE static Float Mul(const Float& a, const Float& b) {
    return Make([&](int i) { return S::Mul(a.part[i], b.part[i]); });
  }
  CT_INLINE static Float Div(const Float& a, const Float& b) {
    return Make([&](int i) { return S::Div(a.part[i], b.part[i]); });
  }
  CT_INLINE static Float Max(const Float& a, const Float& b) {
    return Make([&](int i) { return S::Max(a.part[i], b.part[i]); });
  }
  CT_INLINE static Float Fma(const Float& a, const Float& b, const Float& c) {
    return Make([&](int i) { return S::Fma(a.part[i], b.part[i], c.part[i]); });
  }
  CT_INLINE static Float Sqrt(const Float& a) {
    return Make([&](int i) { return S::Sqrt(a.part[i]); });
  }
  CT_INLINE static Float Exp(const Float& a) {
    return Make([&](int i) { return spec::Exp<S>(a.part[i]); });
  }
  CT_INLINE static Float Sigmoid(const Float& a) {
    return Make([&](int i) { return spec::Sigmoid<S>(a.part[i]); });
  }

  // The first n lanes of v, then those of `fill`; n >= 1.
  CT_INLINE static Float KeepFirst(const Float& v, int n, const Float& fill) {
    if (n >= kLanes) return v;
    const unsigned keep = (1U << n) - 1U;
    constexpr unsigned kAll = (1U << kWidth) - 1U;
    return Make(
        [&](int i) { return S::Select(S::FromMaskBits((keep >> (i * kWidth)) & kAll), v.part[i], fill.part[i]); });
  }

  // Lane l += lane l + 8, then l + 4, l + 2, l + 1.
  CT_INLINE static float Sum(Float v) {
    for (int n = kParts / 2; n > 0; n /= 2)
      for (int i = 0; i < n; i++) v.part[i] = S::Add(v.part[i], v.part[i + n]);
    return S::TreeSum(v.part[0]);
  }
  CT_INLINE static float Highest(Float v) {
    for (int i = 1; i < kParts; i++) v.part[0] = S::Max(v.part[0], v.part[i]);
    return S::MaxLane(v.part[0]);
  }

 private:
  template <class Part>
  CT_INLINE static Float Make(Part part) {
    Float v;
    for (int i = 0; i < kParts; i++) v.part[i] = part(i);
    return v;
  }
};

}  // namespace
}  // namespace crossthink::reference

#endif  // CROSSTHINK_REFERENCE_LANES_H_
