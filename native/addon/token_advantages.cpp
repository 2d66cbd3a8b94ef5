#include "kernels/advantage/token_advantages.h"

#include "addon/addon.h"
#include "addon/calls.h"

namespace crossthink::addon {
namespace {

// (...sequences, rewards, values | undefined, mask | undefined, gamma, lambda, lambdas | undefined, threads,
// advantages,
//  returns | undefined) -> the first bad offset, or -1
Napi::Value GaeOf(const Napi::CallbackInfo& info) {
  Arguments in(info);
  Gae op;
  ReadSequences(&in, &op);
  op.rewards = in.Array<float>(op.tokens, "rewards");
  op.values = in.Array<float>(op.tokens, "values");
  op.mask = in.Array<uint8_t>(op.tokens, "mask");
  op.gamma = in.Number();
  op.lambda = in.Number();
  op.lambdas = in.Array<float>(op.sequences, "lambda");
  const unsigned threads = in.Threads();
  op.advantages = in.Array<float>(op.tokens, "advantages");
  op.returns = in.Array<float>(op.tokens, "returns");
  return RunChecked(info, op.offsets, op.sequences, op.tokens, [&] { RunGae(op, threads); });
}

// (count, values, weights | undefined, mask | undefined, bessel, keep mean, where epsilon stands, epsilon, out)
Napi::Value WhitenOf(const Napi::CallbackInfo& info) {
  Arguments in(info);
  Whiten op;
  op.count = in.Size();
  op.values = in.Array<float>(op.count, "values");
  op.weights = in.Array<float>(op.count, "weights");
  op.mask = in.Array<uint8_t>(op.count, "mask");
  op.bessel = in.Flag();
  op.keep_mean = in.Flag();
  op.epsilon_at = static_cast<Whiten::Epsilon>(static_cast<uint8_t>(in.Size()));
  op.epsilon = in.Number();
  op.out = in.Array<float>(op.count, "out");
  RunWhiten(op);
  return info.Env().Undefined();
}

// (tokens, sequences, groups, group offsets, offsets, rewards, logprobs, sums of squares, weights | undefined,
//  mask | undefined, threads, advantages) -> the first bad offset of the sequences, or -1
Napi::Value OptimalTokenBaselineOf(const Napi::CallbackInfo& info) {
  Arguments in(info);
  OptimalTokenBaseline op;
  op.tokens = in.Size();
  op.sequences = in.Size();
  op.groups = in.Size();
  op.group_offsets = in.Array<int32_t>(op.groups + 1, "groupOffsets");
  op.offsets = in.Array<int32_t>(op.sequences + 1, "cuSeqlens");
  op.rewards = in.Array<float>(op.tokens, "rewards");
  op.logprobs = in.Array<float>(op.tokens, "logprobs");
  op.sum_squares = in.Array<float>(op.tokens, "sumSquares");
  op.weights = in.Array<float>(op.tokens, "weights");
  op.mask = in.Array<uint8_t>(op.tokens, "mask");
  const unsigned threads = in.Threads();
  op.advantages = in.Array<float>(op.tokens, "advantages");
  if (BadOffset(op.group_offsets, op.groups, op.sequences) >= 0) in.Fail("groupOffsets: out of order");
  return RunChecked(info, op.offsets, op.sequences, op.tokens, [&] { RunOptimalTokenBaseline(op, threads); });
}

}  // namespace

void RegisterTokenAdvantages(Napi::Env env, Napi::Object exports) {
  Export<GaeOf>(env, exports, "gae");
  Export<WhitenOf>(env, exports, "whiten");
  Export<OptimalTokenBaselineOf>(env, exports, "optimalTokenBaseline");
}

}  // namespace crossthink::addon
