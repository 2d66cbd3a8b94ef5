#ifndef CROSSTHINK_ADDON_SAMPLING_ARGUMENTS_H_
#define CROSSTHINK_ADDON_SAMPLING_ARGUMENTS_H_

#include <cstdint>
#include <vector>

#include "addon/arguments.h"
#include "kernels/sampling/sampling.h"

namespace crossthink::addon {

// Kept tokens of each row, collected natively because their number is known only afterwards.
using KeptSets = std::vector<std::vector<int32_t>>;

// In the order of SampleArguments in binding.d.cts.
Sampling ReadSampling(Arguments* in);

}  // namespace crossthink::addon

#endif  // CROSSTHINK_ADDON_SAMPLING_ARGUMENTS_H_
