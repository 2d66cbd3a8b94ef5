#ifndef CROSSTHINK_REFERENCE_EXP_H_
#define CROSSTHINK_REFERENCE_EXP_H_
namespace crossthink::reference {
// e^x = 2^n 2^f, |f| <= 1/2; results below the normal range are 0.
template <class V>
inline typename V::Float ExpShim(typename V::Float x) {
  const auto low = V::Set(-87.0f);
  const auto c = V::Max(V::Min(x, V::Set(88.0f)), low);
  const auto n = V::Round(V::Mul(c, V::Set(1.44269504f)));
  auto r = V::Fma(n, V::Set(-0.693145751953125f), c);
  r = V::Fma(n, V::Set(-1.428606765330187e-06f), r);
  auto p = V::Set(1.9875691500e-4f);
  p = V::Fma(p, r, V::Set(1.3981999507e-3f));
  p = V::Fma(p, r, V::Set(8.3334519073e-3f));
  p = V::Fma(p, r, V::Set(4.1665795894e-2f));
  p = V::Fma(p, r, V::Set(1.6666665459e-1f));
  p = V::Fma(p, r, V::Set(5.0000001201e-1f));
  p = V::Add(V::Fma(V::Mul(r, r), p, r), V::Set(1.0f));
  return V::ScaleByPower(p, n);
}
}
#endif
