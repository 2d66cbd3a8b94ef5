import type binding = require('#binding');

import { callGae, callGroupAdvantages, callOptimalTokenBaseline, callWhiten } from './advantages.js';
import { withCall, type DeviceCall } from './call.js';
import {
  callRolloutCorrection,
  callSecondMomentMask,
  callSelectByCovariance,
  callSelectByEntropy,
} from './corrections.js';
import { callPolicyLoss } from './policyLoss.js';

/** The kernels that take rewards or tokens, on host arrays: see backend.ts. */
export type TokenKernels = Pick<
  typeof binding,
  | 'groupAdvantages'
  | 'gae'
  | 'whiten'
  | 'optimalTokenBaseline'
  | 'policyLoss'
  | 'rolloutCorrection'
  | 'selectByCovariance'
  | 'selectByEntropy'
  | 'secondMomentMask'
>;

/** The first index at which offsets break 0 = o[0] <= o[1] <= ... = total, or -1: as native/addon/offsets.h. */
function badOffset(offsets: Int32Array | undefined, total: number): number {
  if (offsets === undefined) return -1;
  const bad = offsets.findIndex(
    (offset, i) => offset < (offsets[i - 1] ?? 0) || offset > total || (i === 0 && offset !== 0),
  );
  return bad >= 0 || offsets.at(-1) === total ? bad : offsets.length - 1;
}

/** {@link TokenKernels} on a GPU: arguments are copied there, results back. */
export function tokenKernels(device: number): TokenKernels {
  const run = (body: (call: DeviceCall) => void): void => {
    withCall(device, undefined, body);
  };
  /** The first bad offset, or -1 after the run. */
  const checked = (offsets: Int32Array | undefined, total: number, body: (call: DeviceCall) => void): number => {
    const bad = badOffset(offsets, total);
    if (bad < 0) run(body);
    return bad;
  };
  return {
    groupAdvantages(rewards, count, groupSize, groupOffsets, groups, estimator, epsilon, _threads, ...results) {
      const [advantages, zeroVariance, lengths, rawSingletons] = results;
      const settings = { count, groupSize, groups, estimator, epsilon, rawSingletons };
      const arrays = { rewards, groupOffsets, lengths, advantages, zeroVariance };
      return checked(groupOffsets, count, (call) => {
        callGroupAdvantages(call, { ...settings, ...arrays });
      });
    },
    gae(tokens, sequences, cuSeqlens, rewards, values, mask, gamma, lambda, lambdas, _threads, advantages, returns) {
      const arrays = { cuSeqlens, rewards, values, mask, lambdas, advantages, returns };
      return checked(cuSeqlens, tokens, (call) => {
        callGae(call, { tokens, sequences, gamma, lambda, ...arrays });
      });
    },
    whiten(count, values, weights, mask, bessel, keepMean, epsilonAt, epsilon, out) {
      run((call) => {
        callWhiten(call, { count, values, weights, mask, bessel, keepMean, epsilonAt, epsilon, out });
      });
    },
    optimalTokenBaseline(tokens, sequences, groups, groupOffsets, cuSeqlens, rewards, logprobs, ...rest) {
      const [sumSquares, weights, mask, , advantages] = rest;
      const arrays = { groupOffsets, cuSeqlens, rewards, logprobs, sumSquares, weights, mask, advantages };
      return checked(cuSeqlens, tokens, (call) => {
        callOptimalTokenBaseline(call, { tokens, sequences, groups, ...arrays });
      });
    },
    policyLoss(tokens, sequences, tokenAdvantages, prompts, _threads, parameters, cuSeqlens, ...arrays) {
      const [logprobs, oldLogprobs, advantages, rolloutLogprobs, refLogprobs, entropies, weights, ...rest] = arrays;
      const [mask, selected, promptOffsets, dLogprobs, dEntropies, results] = rest;
      const counts = { tokens, sequences, tokenAdvantages, prompts, parameters, cuSeqlens };
      const floats = { logprobs, oldLogprobs, advantages, rolloutLogprobs, refLogprobs, entropies, weights };
      return checked(cuSeqlens, tokens, (call) => {
        callPolicyLoss(call, { ...counts, ...floats, mask, selected, promptOffsets, dLogprobs, dEntropies, results });
      });
    },
    rolloutCorrection(tokens, sequences, cuSeqlens, logprobs, rolloutLogprobs, mask, parameters, rules, ...rest) {
      const [, weights, maskOut, results] = rest;
      const arrays = { cuSeqlens, logprobs, rolloutLogprobs, mask, weights, maskOut, results };
      return checked(cuSeqlens, tokens, (call) => {
        callRolloutCorrection(call, { tokens, sequences, parameters, rules, ...arrays });
      });
    },
    selectByCovariance(tokens, sequences, cuSeqlens, logprobs, oldLogprobs, advantages, tokenAdvantages, ...rest) {
      const [mask, parameters, seed, selected] = rest;
      const arrays = { cuSeqlens, logprobs, oldLogprobs, advantages, mask, selected };
      return checked(cuSeqlens, tokens, (call) => {
        callSelectByCovariance(call, { tokens, sequences, tokenAdvantages, parameters, seed, ...arrays });
      });
    },
    selectByEntropy(tokens, entropies, mask, ratio, selected) {
      run((call) => {
        callSelectByEntropy(call, { tokens, ratio, entropies, mask, selected });
      });
    },
    secondMomentMask(tokens, logprobs, rolloutLogprobs, mask, threshold, maskOut) {
      run((call) => {
        callSecondMomentMask(call, { tokens, threshold, logprobs, rolloutLogprobs, mask, maskOut });
      });
    },
  };
}
