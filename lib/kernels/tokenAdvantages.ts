import binding = require('#binding');
import { invalidValue } from '../errors.js';
import { outputArray, requireArray, threadLimit } from './arguments.js';
import { badOffset, checkOffsets, numberIn, oneOf, requireFloats, requireOffsets } from './packed.js';

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
  const tokens = requireFloats('rewards', inputs.rewards).length;
  const cuSeqlens = requireOffsets('cuSeqlens', inputs.cuSeqlens);
  const sequences = cuSeqlens.length - 1;
  const { lambda } = options;
  const lambdas =
    lambda === undefined || typeof lambda === 'number'
      ? undefined
      : requireArray('options.lambda', lambda, 'Float32Array', sequences);
  lambdas?.forEach((x, i) => numberIn(`options.lambda[${i}]`, x, 1, 0, 1));
  const advantages = new Float32Array(tokens);
  const returns = new Float32Array(tokens);
  const bad = binding.gae(
    tokens,
    sequences,
    cuSeqlens,
    inputs.rewards,
    inputs.values && requireArray('values', inputs.values, 'Float32Array', tokens),
    inputs.mask && requireArray('mask', inputs.mask, 'Uint8Array', tokens),
    numberIn('options.gamma', options.gamma, 1, 0, 1),
    lambdas ? 1 : numberIn('options.lambda', lambda, 1, 0, 1),
    lambdas,
    threadLimit(options.threads),
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
  const count = requireFloats('values', values).length;
  const { weights, mask } = options;
  const out = outputArray('options.out', options.out, 'Float32Array', count);
  binding.whiten(
    count,
    values,
    weights && requireArray('options.weights', weights, 'Float32Array', count),
    mask && requireArray('options.mask', mask, 'Uint8Array', count),
    options.bessel !== false,
    options.keepMean === true,
    epsilonPlaces.indexOf(oneOf('options.epsilonAt', options.epsilonAt, epsilonPlaces, 'variance')),
    numberIn('options.epsilon', options.epsilon, 1e-8, 0),
    out,
  );
  return out;
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
  options: { readonly threads?: number } = {},
): Float32Array {
  const tokens = requireFloats('rewards', inputs.rewards).length;
  const cuSeqlens = requireOffsets('cuSeqlens', inputs.cuSeqlens);
  const sequences = cuSeqlens.length - 1;
  const groupOffsets = requireOffsets('groupOffsets', inputs.groupOffsets);
  checkOffsets('groupOffsets', groupOffsets, sequences, 'sequences');
  const advantages = new Float32Array(tokens);
  const bad = binding.optimalTokenBaseline(
    tokens,
    sequences,
    groupOffsets.length - 1,
    groupOffsets,
    cuSeqlens,
    inputs.rewards,
    requireArray('logprobs', inputs.logprobs, 'Float32Array', tokens),
    requireArray('sumSquares', inputs.sumSquares, 'Float32Array', tokens),
    inputs.weights && requireArray('weights', inputs.weights, 'Float32Array', tokens),
    inputs.mask && requireArray('mask', inputs.mask, 'Uint8Array', tokens),
    threadLimit(options.threads),
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
  const offsets = requireOffsets('cuSeqlens', cuSeqlens);
  const sequences = offsets.length - 1;
  requireArray('rewards', rewards, 'Float32Array', sequences);
  const tokens = offsets[sequences] ?? 0;
  if (tokens < 0) throw invalidValue('cuSeqlens', 'non-negative', offsets);
  checkOffsets('cuSeqlens', offsets, tokens, 'tokens');
  if (mask) requireArray('mask', mask, 'Uint8Array', tokens);
  const out = new Float32Array(tokens);
  rewards.forEach((reward, s) => {
    const begin = offsets[s] ?? 0;
    let last = (offsets[s + 1] ?? 0) - 1;
    while (last >= begin && mask?.[last] === 0) last--;
    if (last >= begin) out[last] = reward;
  });
  return out;
}
