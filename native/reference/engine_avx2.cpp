#include <immintrin.h>

#include "reference/engine.h"
#include "reference/exp.h"

namespace crossthink::reference {
namespace {
struct Vec {
  struct Float { __m256 a, b; };
  static constexpr int kLanes = 16;
  static constexpr int kTileRows = 6;
  static constexpr int kTileColumns = 1;
  static Float Load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
  static void Store(float* p, Float v) { _mm256_storeu_ps(p, v.a); _mm256_storeu_ps(p + 8, v.b); }
  static Float Set(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
  static Float Add(Float a, Float b) { return {_mm256_add_ps(a.a, b.a), _mm256_add_ps(a.b, b.b)}; }
  static Float Sub(Float a, Float b) { return {_mm256_sub_ps(a.a, b.a), _mm256_sub_ps(a.b, b.b)}; }
  static Float Mul(Float a, Float b) { return {_mm256_mul_ps(a.a, b.a), _mm256_mul_ps(a.b, b.b)}; }
  static Float Div(Float a, Float b) { return {_mm256_div_ps(a.a, b.a), _mm256_div_ps(a.b, b.b)}; }
  static Float Max(Float a, Float b) { return {_mm256_max_ps(a.a, b.a), _mm256_max_ps(a.b, b.b)}; }
  static Float Min(Float a, Float b) { return {_mm256_min_ps(a.a, b.a), _mm256_min_ps(a.b, b.b)}; }
  static Float Sqrt(Float a) { return {_mm256_sqrt_ps(a.a), _mm256_sqrt_ps(a.b)}; }
  static Float Round(Float a) { return {_mm256_round_ps(a.a, 8), _mm256_round_ps(a.b, 8)}; }
  static Float Fma(Float a, Float b, Float c) { return {_mm256_fmadd_ps(a.a, b.a, c.a), _mm256_fmadd_ps(a.b, b.b, c.b)}; }
  static Float ScaleByPower(Float a, Float n) {
    const auto one = [](__m256 v, __m256 k) {
      return _mm256_mul_ps(v, _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(k), _mm256_set1_epi32(127)), 23)));
    };
    return {one(a.a, n.a), one(a.b, n.b)};
  }
  static Float KeepFirst(Float v, int n, Float fill) {
    if (n >= 16) return v;
    float x[16], f[16];
    Store(x, v);
    Store(f, fill);
    for (int i = n; i < 16; i++) x[i] = f[i];
    return Load(x);
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
const Engine kAvx2Engine = MakeEngine<Vec>();
}  // namespace crossthink::reference
