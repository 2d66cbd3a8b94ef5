#ifndef CROSSTHINK_KERNELS_SOFTCAP_H_
#define CROSSTHINK_KERNELS_SOFTCAP_H_

#include "spec/annotate.h"
#include "spec/exponential.h"

// Logit soft-capping (Gemma 2, arXiv 2408.00118): x becomes cap tanh(x / cap), so that -inf becomes -cap.
namespace crossthink {
namespace {

template <class V>
CT_HD CT_INLINE typename V::F CapLogits(typename V::F x, float softcap) {
  return V::Mul(V::Set(softcap), spec::Tanh<V>(V::Div(x, V::Set(softcap))));
}

// Takes a gradient from the capped logit y to the logit: times 1 - (y / cap)^2. Never -0.
template <class V>
CT_HD CT_INLINE typename V::F CapGradient(typename V::F d, typename V::F y, float softcap) {
  const typename V::F part = V::Div(y, V::Set(softcap));
  const typename V::F slope = V::Fma(V::Sub(V::Set(0.0F), part), part, V::Set(1.0F));
  return V::Fma(d, slope, V::Set(0.0F));
}

}  // namespace
}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_SOFTCAP_H_
