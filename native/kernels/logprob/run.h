#ifndef CROSSTHINK_KERNELS_LOGPROB_RUN_H_
#define CROSSTHINK_KERNELS_LOGPROB_RUN_H_

#include <atomic>
#include <cstdint>

#include "kernels/logprob/logprob.h"

namespace crossthink {

// The runners of logprob.h for work that can be stopped: `cancel`, where given, is read between chunks of rows; false
// where it was seen set.
bool RunLogprobForward(const LogprobForward& op, unsigned threads, const std::atomic<int32_t>* cancel);
bool RunLogprobBackward(const LogprobBackward& op, unsigned threads, const std::atomic<int32_t>* cancel);

}  // namespace crossthink

#endif  // CROSSTHINK_KERNELS_LOGPROB_RUN_H_
