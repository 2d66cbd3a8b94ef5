#include "kernels/advantage/advantage.h"

#include "addon/addon.h"
#include "addon/calls.h"
#include "kernels/kernel_table.h"

namespace crossthink::addon {
namespace {

// (rewards, count, group size | 0, offsets | undefined, groups, estimator, epsilon, threads, advantages, zeroVariance,
//  lengths | undefined, raw singletons) -> the first bad offset, or -1
Napi::Value GroupAdvantagesOf(const Napi::CallbackInfo& info) {
  Arguments in(info);
  GroupAdvantages op;
  size_t rewards = 0;
  size_t offsets = 0;
  op.rewards = in.Array<float>(&rewards, "rewards");
  op.count = in.Size();
  op.group_size = in.Size();
  op.offsets = in.Array<int32_t>(&offsets, "groupOffsets");
  op.groups = in.Size();
  if (rewards < op.count || (op.offsets != nullptr && offsets <= op.groups)) in.Fail("groups: of other lengths");
  op.estimator = static_cast<GroupEstimator>(in.Size());
  op.epsilon = static_cast<float>(in.Number());
  const unsigned threads = in.Threads();
  op.advantages = in.Array<float>(op.count, "advantages");
  op.zero_variance = in.Array<uint8_t>(op.groups, "zeroVariance");
  op.lengths = in.Array<float>(op.count, "lengths");
  op.raw_singletons = in.Flag();
  if (op.estimator == GroupEstimator::kOpo && op.lengths == nullptr && op.count > 0) in.Fail("lengths: needed");
  const auto run = [&] { RunGroupAdvantages(op, ActiveKernels().advantage, threads); };
  if (op.offsets != nullptr) return RunChecked(info, op.offsets, op.groups, op.count, run);
  if (op.group_size * op.groups != op.count) in.Fail("rewards: not a whole number of groups");
  run();
  return Napi::Number::New(info.Env(), -1);
}

}  // namespace

void RegisterAdvantage(Napi::Env env, Napi::Object exports) {
  Export<GroupAdvantagesOf>(env, exports, "groupAdvantages");
}

}  // namespace crossthink::addon
