#ifndef CROSSTHINK_ADDON_LOGPROB_INPUT_H_
#define CROSSTHINK_ADDON_LOGPROB_INPUT_H_

#include "addon/arguments.h"
#include "addon/logprob_scalars.h"
#include "kernels/logprob/logprob.h"

namespace crossthink::addon {

// What every operation on log-probs begins with, in the order of LogprobArguments in binding.d.cts but for the threads.
inline void ReadLogprobInput(Arguments* in, LogprobInput* op) {
  op->logits = in->ReadLogits();
  const size_t rows = op->logits.rows;
  op->tokens = in->Array<int32_t>(rows, "tokens");
  const double temperature = in->Number();
  op->temperature = in->ReadRowFloat(temperature, rows, "temperature");
  ReadLogprobScalars(in, op);
  op->kept = in->ReadLists(rows, "keptSet");
}

}  // namespace crossthink::addon

#endif  // CROSSTHINK_ADDON_LOGPROB_INPUT_H_
