#include <immintrin.h>

#include "reference/engine.h"
#include "reference/exp.h"

namespace crossthink::reference {
namespace {

struct Vec {
  using Float = __m512;
  static constexpr int kLanes = 16;
  static constexpr int kTileRows = 8;
  static constexpr int kTileColumns = 2;
  static Float Load(const float* p) { return _mm512_loadu_ps(p); }
  static void Store(float* p, Float v) { _mm512_storeu_ps(p, v); }
  static Float Set(float x) { return _mm512_set1_ps(x); }
  static Float Add(Float a, Float b) { return _mm512_add_ps(a, b); }
  static Float Sub(Float a, Float b) { return _mm512_sub_ps(a, b); }
  static Float Mul(Float a, Float b) { return _mm512_mul_ps(a, b); }
  static Float Div(Float a, Float b) { return _mm512_div_ps(a, b); }
  static Float Sqrt(Float a) { return _mm512_sqrt_ps(a); }
  static Float Max(Float a, Float b) { return _mm512_max_ps(a, b); }
  static Float Min(Float a, Float b) { return _mm512_min_ps(a, b); }
  static Float Fma(Float a, Float b, Float c) { return _mm512_fmadd_ps(a, b, c); }
  static Float Round(Float a) { return _mm512_roundscale_ps(a, 8); }
  static Float ScaleByPower(Float a, Float n) { return _mm512_scalef_ps(a, n); }
  static Float KeepFirst(Float v, int n, Float fill) {
    return n >= 16 ? v : _mm512_mask_mov_ps(fill, static_cast<__mmask16>((1u << n) - 1), v);
  }
  static float Sum(Float v) {
    float t[16];
    Store(t, v);
    for (int h = 8; h > 0; h /= 2)
      for (int i = 0; i < h; i++) t[i] += t[i + h];
    return t[0];
  }
  static float Highest(Float v) {
    float t[16];
    Store(t, v);
    float m = t[0];
    for (int i = 1; i < 16; i++) m = t[i] > m ? t[i] : m;
    return m;
  }
  static Float Exp(Float x) { return ExpShim<Vec>(x); }
};

}  // namespace

const Engine kAvx512Engine = MakeEngine<Vec>();

}  // namespace crossthink::reference
