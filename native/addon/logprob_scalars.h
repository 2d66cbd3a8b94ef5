#ifndef CROSSTHINK_ADDON_LOGPROB_SCALARS_H_
#define CROSSTHINK_ADDON_LOGPROB_SCALARS_H_

#include "addon/arguments.h"
#include "kernels/logprob/logprob.h"

namespace crossthink::addon {

// (softcap, ignoreIndex or NaN, vocabOffset), as lib/kernels/logprobOptions.ts has checked them.
inline void ReadLogprobScalars(Arguments* in, LogprobInput* op) {
  op->softcap = static_cast<float>(in->Number());
  const double ignore = in->Number();
  op->has_ignore = ignore == ignore;
  op->ignore_index = op->has_ignore ? static_cast<int32_t>(ignore) : 0;
  op->vocab_offset = static_cast<int32_t>(in->Number());
}

}  // namespace crossthink::addon

#endif  // CROSSTHINK_ADDON_LOGPROB_SCALARS_H_
