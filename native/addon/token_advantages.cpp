#include "kernels/advantage/token_advantages.h"

#include "addon/addon.h"
#include "addon/arrays.h"
#include "addon/offsets.h"

namespace crossthink::addon {
namespace {

Napi::Value BadIndex(const Napi::CallbackInfo& info, ptrdiff_t index) {
  return Napi::Number::New(info.Env(), static_cast<double>(index));
}

// (tokens, sequences, offsets, rewards, values | undefined, mask | undefined, gamma, lambda, lambdas | undefined,
//  threads, advantages, returns | undefined) -> the first bad offset, or -1
Napi::Value GaeOf(const Napi::CallbackInfo& info) {
  const size_t tokens = SizeOf(info, 0);
  Gae op;
  op.tokens = tokens;
  op.sequences = SizeOf(info, 1);
  op.offsets = ArrayOf<int32_t>(info, 2, op.sequences + 1, "cuSeqlens");
  op.rewards = ArrayOf<float>(info, 3, tokens, "rewards");
  op.values = ArrayOf<float>(info, 4, tokens, "values");
  op.mask = ArrayOf<uint8_t>(info, 5, tokens, "mask");
  op.gamma = NumberOf(info, 6);
  op.lambda = NumberOf(info, 7);
  op.lambdas = ArrayOf<float>(info, 8, op.sequences, "lambda");
  op.advantages = ArrayOf<float>(info, 10, tokens, "advantages");
  op.returns = ArrayOf<float>(info, 11, tokens, "returns");
  const ptrdiff_t bad = BadOffset(op.offsets, op.sequences, tokens);
  if (bad < 0) RunGae(op, static_cast<unsigned>(SizeOf(info, 9)));
  return BadIndex(info, bad);
}

// (count, values, weights | undefined, mask | undefined, bessel, keep mean, where epsilon stands, epsilon, out)
Napi::Value WhitenOf(const Napi::CallbackInfo& info) {
  Whiten op;
  op.count = SizeOf(info, 0);
  op.values = ArrayOf<float>(info, 1, op.count, "values");
  op.weights = ArrayOf<float>(info, 2, op.count, "weights");
  op.mask = ArrayOf<uint8_t>(info, 3, op.count, "mask");
  op.bessel = FlagOf(info, 4);
  op.keep_mean = FlagOf(info, 5);
  op.epsilon_at = static_cast<Whiten::Epsilon>(static_cast<uint8_t>(SizeOf(info, 6)));
  op.epsilon = NumberOf(info, 7);
  op.out = ArrayOf<float>(info, 8, op.count, "out");
  RunWhiten(op);
  return info.Env().Undefined();
}

// (tokens, sequences, groups, group offsets, offsets, rewards, logprobs, sums of squares, weights | undefined,
//  mask | undefined, threads, advantages) -> the first bad offset of the sequences, or -1
Napi::Value OptimalTokenBaselineOf(const Napi::CallbackInfo& info) {
  const size_t tokens = SizeOf(info, 0);
  const size_t sequences = SizeOf(info, 1);
  OptimalTokenBaseline op;
  op.tokens = tokens;
  op.sequences = sequences;
  op.groups = SizeOf(info, 2);
  op.group_offsets = ArrayOf<int32_t>(info, 3, op.groups + 1, "groupOffsets");
  op.offsets = ArrayOf<int32_t>(info, 4, sequences + 1, "cuSeqlens");
  op.rewards = ArrayOf<float>(info, 5, tokens, "rewards");
  op.logprobs = ArrayOf<float>(info, 6, tokens, "logprobs");
  op.sum_squares = ArrayOf<float>(info, 7, tokens, "sumSquares");
  op.weights = ArrayOf<float>(info, 8, tokens, "weights");
  op.mask = ArrayOf<uint8_t>(info, 9, tokens, "mask");
  op.advantages = ArrayOf<float>(info, 11, tokens, "advantages");
  if (BadOffset(op.group_offsets, op.groups, sequences) >= 0) {
    throw Napi::RangeError::New(info.Env(), "groupOffsets: out of order");
  }
  const ptrdiff_t bad = BadOffset(op.offsets, sequences, tokens);
  if (bad < 0) RunOptimalTokenBaseline(op, static_cast<unsigned>(SizeOf(info, 10)));
  return BadIndex(info, bad);
}

}  // namespace

void RegisterTokenAdvantages(Napi::Env env, Napi::Object exports) {
  Export<GaeOf>(env, exports, "gae");
  Export<WhitenOf>(env, exports, "whiten");
  Export<OptimalTokenBaselineOf>(env, exports, "optimalTokenBaseline");
}

}  // namespace crossthink::addon
