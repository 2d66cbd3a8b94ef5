#include "reference/engine.h"
#include "reference/exp.h"

namespace crossthink::reference {
namespace {
struct Vec {
  struct Float { float v[16]; };
  static constexpr int kLanes = 16;
  static constexpr int kTileRows = 4;
  static constexpr int kTileColumns = 1;
#define EACH(expr) Float r; for (int i = 0; i < 16; i++) r.v[i] = (expr); return r;
  static Float Load(const float* p) { EACH(p[i]) }
  static void Store(float* p, Float v) { for (int i = 0; i < 16; i++) p[i] = v.v[i]; }
  static Float Set(float x) { EACH(x) }
  static Float Add(Float a, Float b) { EACH(a.v[i] + b.v[i]) }
  static Float Sub(Float a, Float b) { EACH(a.v[i] - b.v[i]) }
  static Float Mul(Float a, Float b) { EACH(a.v[i] * b.v[i]) }
  static Float Div(Float a, Float b) { EACH(a.v[i] / b.v[i]) }
  static Float Sqrt(Float a) { EACH(__builtin_sqrtf(a.v[i])) }
  static Float Max(Float a, Float b) { EACH(a.v[i] > b.v[i] ? a.v[i] : b.v[i]) }
  static Float Min(Float a, Float b) { EACH(a.v[i] < b.v[i] ? a.v[i] : b.v[i]) }
  static Float Fma(Float a, Float b, Float c) { EACH(__builtin_fmaf(a.v[i], b.v[i], c.v[i])) }
  static Float Round(Float a) { EACH(__builtin_rintf(a.v[i])) }
  static Float ScaleByPower(Float a, Float n) { EACH(__builtin_ldexpf(a.v[i], static_cast<int>(n.v[i]))) }
  static Float KeepFirst(Float v, int n, Float fill) { EACH(i < n ? v.v[i] : fill.v[i]) }
  static float Sum(Float v) {
    for (int h = 8; h > 0; h /= 2)
      for (int i = 0; i < h; i++) v.v[i] += v.v[i + h];
    return v.v[0];
  }
  static float Highest(Float v) {
    float m = v.v[0];
    for (int i = 1; i < 16; i++) m = v.v[i] > m ? v.v[i] : m;
    return m;
  }
  static Float Exp(Float x) { return ExpShim<Vec>(x); }
};
}  // namespace
const Engine kScalarEngine = MakeEngine<Vec>();
}  // namespace crossthink::reference
