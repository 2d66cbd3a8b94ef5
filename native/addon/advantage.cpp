#include "kernels/advantage/advantage.h"

#include "addon/addon.h"
#include "addon/arrays.h"
#include "addon/offsets.h"
#include "kernels/kernel_table.h"

namespace crossthink::addon {
namespace {

// (rewards, count, group size | 0, offsets | undefined, groups, estimator, epsilon, threads, advantages, zeroVariance,
//  lengths | undefined, raw singletons)
// Returns the first bad offset, or -1.
Napi::Value GroupAdvantagesOf(const Napi::CallbackInfo& info) {
  const size_t count = SizeOf(info, 1);
  GroupAdvantages op;
  op.rewards = ArrayOf<float>(info, 0, count, "rewards");
  op.count = count;
  op.group_size = SizeOf(info, 2);
  op.groups = SizeOf(info, 4);
  op.offsets = ArrayOf<int32_t>(info, 3, op.groups + 1, "groupOffsets");
  op.estimator = static_cast<GroupEstimator>(SizeOf(info, 5));
  op.epsilon = static_cast<float>(NumberOf(info, 6));
  op.advantages = ArrayOf<float>(info, 8, count, "advantages");
  op.zero_variance = ArrayOf<uint8_t>(info, 9, op.groups, "zeroVariance");
  op.lengths = ArrayOf<float>(info, 10, count, "lengths");
  op.raw_singletons = FlagOf(info, 11);
  if (op.estimator == GroupEstimator::kOpo && op.lengths == nullptr && count > 0) {
    throw Napi::TypeError::New(info.Env(), "lengths: needed");
  }
  if (op.offsets != nullptr) {
    const ptrdiff_t bad = BadOffset(op.offsets, op.groups, count);
    if (bad >= 0) return Napi::Number::New(info.Env(), static_cast<double>(bad));
  } else if (op.group_size * op.groups != count) {
    throw Napi::RangeError::New(info.Env(), "rewards: not a whole number of groups");
  }
  RunGroupAdvantages(op, ActiveKernels().advantage, static_cast<unsigned>(SizeOf(info, 7)));
  return Napi::Number::New(info.Env(), -1);
}

}  // namespace

void RegisterAdvantage(Napi::Env env, Napi::Object exports) {
  Export<GroupAdvantagesOf>(env, exports, "groupAdvantages");
}

}  // namespace crossthink::addon
