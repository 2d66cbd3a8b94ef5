import { invalidValue } from '../errors.js';
import { type Device } from '../native/device.js';
import {
  badOffset,
  checkOffsets,
  float32,
  numberIn,
  offsets,
  oneOf,
  optional,
  threadCount,
  uint8,
} from './arguments.js';
import { kernelsOn } from './device/backend.js';

/** Tokens of packed sequences: sequence s holds tokens `[cuSeqlens[s], cuSeqlens[s + 1])`. */
export interface TokenRewards {
  /** One per token; an outcome reward stands at the last token. */
  readonly rewards: Float32Array;
  readonly cuSeqlens: Int32Array;
  /** One byte per token: 0 leaves the token out, as if the sequence did not have it. Default: every token counts. */
  readonly mask?: Uint8Array | undefined;
}

export interface GaeOptions {
  /** Discount. Default 1. */
  readonly gamma?: number;
  /** Default 1. One per sequence for VAPO's 1 - 1 / (alpha length). */
  readonly lambda?: number | Float32Array;
  readonly threads?: number;
  /** Where to compute; default `'cpu'`. The bits are the same. */
  readonly device?: Device;
}

/**
 * Generalised advantage estimation (arXiv 1506.02438) over packed sequences: delta_t = r_t + gamma V_{t+1} - V_t,
 * A_t = delta_t + gamma lambda A_{t+1}, V = 0 after the last token; masked tokens are skipped. `returns` is A + V.
 * Without `values` and with lambda 1: the discounted returns to go of REINFORCE++ (arXiv 2501.03262).
 *
 * Computed in float64 in index order, rounded once. @throws CrossThinkError for wrong types, lengths or ranges.
 */
export function gaeAdvantages(
  inputs: TokenRewards & { readonly values?: Float32Array | undefined },
  options: GaeOptions = {},
): { advantages: Float32Array; returns: Float32Array } {
  const tokens = float32('rewards', inputs.rewards).length;
  const cuSeqlens = offsets('cuSeqlens', inputs.cuSeqlens);
  const sequences = cuSeqlens.length - 1;
  const { lambda } = options;
  const lambdas =
    lambda === undefined || typeof lambda === 'number' ? undefined : float32('options.lambda', lambda, sequences);
  lambdas?.forEach((x, i) => numberIn(`options.lambda[${i}]`, x, 1, 0, 1));
  const advantages = new Float32Array(tokens);
  const returns = new Float32Array(tokens);
  const bad = kernelsOn(options.device).gae(
    tokens,
    sequences,
    cuSeqlens,
    inputs.rewards,
    optional(float32, 'values', inputs.values, tokens),
    optional(uint8, 'mask', inputs.mask, tokens),
    numberIn('options.gamma', options.gamma, 1, 0, 1),
    lambdas ? 1 : numberIn('options.lambda', lambda, 1, 0, 1),
    lambdas,
    threadCount('options.threads', options.threads),
    advantages,
    returns,
  );
  if (bad >= 0) throw badOffset('cuSeqlens', cuSeqlens, bad, tokens, 'tokens');
  return { advantages, returns };
}

const epsilonPlaces = ['variance', 'std', 'floor'] as const;

export interface WhitenOptions {
  /** How much a value counts, e.g. the number of tokens that share it. Default 1. */
  readonly weights?: Float32Array;
  /** One byte per value: 0 leaves it out, result 0. */
  readonly mask?: Uint8Array;
  /** Denominator of the variance: sum of the weights minus 1 (default), or not. */
  readonly bessel?: boolean;
  /** Scale only. Default false. */
  readonly keepMean?: boolean;
  /** sqrt(variance + epsilon) (default; verl), sqrt(variance) + epsilon (TRL), or sqrt(max(variance, epsilon)) (NeMo). */
  readonly epsilonAt?: (typeof epsilonPlaces)[number];
  /** Default 1e-8. */
  readonly epsilon?: number;
  /** Where to compute; default `'cpu'`. The bits are the same. */
  readonly device?: Device;
  /** Array to write into; it may be `values`. */
  readonly out?: Float32Array;
}

/**
 * Normalises `values` over the whole batch: (x - mean) / std. Weighted by the tokens of each sequence it is the masked
 * whitening over tokens of REINFORCE++ and its baseline form, without expanding to tokens. Float64 in index order.
 *
 * @throws CrossThinkError for wrong types, lengths or ranges.
 */
export function whiten(values: Float32Array, options: WhitenOptions = {}): Float32Array {
  const count = float32('values', values).length;
  const { weights, mask } = options;
  const out = float32('options.out', options.out ?? new Float32Array(count), count);
  const { bessel, keepMean, epsilonAt, epsilon } = encodeWhitening(options);
  kernelsOn(options.device).whiten(
    count,
    values,
    optional(float32, 'options.weights', weights, count),
    optional(uint8, 'options.mask', mask, count),
    bessel,
    keepMean,
    epsilonAt,
    epsilon,
    out,
  );
  return out;
}

/** The settings of a whitening as the native operations take them. */
export function encodeWhitening(options: Pick<WhitenOptions, 'bessel' | 'keepMean' | 'epsilonAt' | 'epsilon'>) {
  return {
    bessel: options.bessel !== false,
    keepMean: options.keepMean === true,
    epsilonAt: epsilonPlaces.indexOf(oneOf('options.epsilonAt', options.epsilonAt, epsilonPlaces, 'variance')),
    epsilon: numberIn('options.epsilon', options.epsilon, 1e-8, 0),
  };
}

/** What {@link optimalTokenBaseline} needs of every token. */
export interface OptimalTokenBaselineInputs extends TokenRewards {
  /** Group g holds sequences `[groupOffsets[g], groupOffsets[g + 1])`. */
  readonly groupOffsets: Int32Array;
  /** Log-probs of the sampled tokens. */
  readonly logprobs: Float32Array;
  /** Sums of squared probabilities of the tokens' distributions. */
  readonly sumSquares: Float32Array;
  /** Weights of the rollout correction. */
  readonly weights?: Float32Array | undefined;
}

/**
 * Advantages with the optimal token baseline: A_t = G_t - B_t, B_t the mean of the group's rewards to go at its t-th valid
 * token, weighted by the path variance so far, W_t = sum of w² (1 - 2 pi + sum pi²). Where only one response of the group
 * is that long there is no baseline. Source: verl, `optimal_token_baseline`. Float64 in index order.
 *
 * @throws CrossThinkError for wrong types, lengths or offsets out of order.
 */
export function optimalTokenBaseline(
  inputs: OptimalTokenBaselineInputs,
  options: { readonly threads?: number; readonly device?: Device } = {},
): Float32Array {
  const tokens = float32('rewards', inputs.rewards).length;
  const cuSeqlens = offsets('cuSeqlens', inputs.cuSeqlens);
  const sequences = cuSeqlens.length - 1;
  const groupOffsets = offsets('groupOffsets', inputs.groupOffsets);
  checkOffsets('groupOffsets', groupOffsets, sequences, 'sequences');
  const advantages = new Float32Array(tokens);
  const bad = kernelsOn(options.device).optimalTokenBaseline(
    tokens,
    sequences,
    groupOffsets.length - 1,
    groupOffsets,
    cuSeqlens,
    inputs.rewards,
    float32('logprobs', inputs.logprobs, tokens),
    float32('sumSquares', inputs.sumSquares, tokens),
    optional(float32, 'weights', inputs.weights, tokens),
    optional(uint8, 'mask', inputs.mask, tokens),
    threadCount('options.threads', options.threads),
    advantages,
  );
  if (bad >= 0) throw badOffset('cuSeqlens', cuSeqlens, bad, tokens, 'tokens');
  return advantages;
}

/**
 * Puts one reward per sequence at its last valid token, which is where {@link gaeAdvantages} expects an outcome reward.
 * A sequence without a valid token has none.
 */
export function rewardsAtEnd(rewards: Float32Array, cuSeqlens: Int32Array, mask?: Uint8Array): Float32Array {
  const bounds = offsets('cuSeqlens', cuSeqlens);
  const sequences = bounds.length - 1;
  float32('rewards', rewards, sequences);
  const tokens = bounds[sequences] ?? 0;
  if (tokens < 0) throw invalidValue('cuSeqlens', 'non-negative', bounds);
  checkOffsets('cuSeqlens', bounds, tokens, 'tokens');
  if (mask) uint8('mask', mask, tokens);
  const out = new Float32Array(tokens);
  rewards.forEach((reward, s) => {
    const begin = bounds[s] ?? 0;
    let last = (bounds[s + 1] ?? 0) - 1;
    while (last >= begin && mask?.[last] === 0) last--;
    if (last >= begin) out[last] = reward;
  });
  return out;
}
