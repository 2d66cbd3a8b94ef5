import { invalidType, invalidValue } from '../errors.js';
import { type Device } from '../native/device.js';
import { badOffset, float32, numberIn, offsets, oneOf, optional, uint8 } from './arguments.js';
import { kernelsOn } from './device/backend.js';
import type { PolicyLossInputs } from './policyLoss.js';

const methods = ['clip-cov', 'kl-cov'] as const;

export interface CovarianceSelectionOptions {
  /** `'clip-cov'`: a random choice of the tokens with a covariance in (low, high). `'kl-cov'`: the largest covariances. */
  readonly method: (typeof methods)[number];
  /** Share of the valid tokens to select, at least one. Default 2e-4. */
  readonly ratio?: number;
  /** Clip-Cov: bounds of the covariance, defaults 1 and 5, and the clip whose tokens are left out, defaults 0.2. */
  readonly low?: number;
  readonly high?: number;
  readonly clipLow?: number;
  readonly clipHigh?: number;
  /** Clip-Cov: seed, and the number of the first sequence in the whole batch. Default 0. */
  readonly seed?: number | bigint;
  readonly firstSequence?: number;
  /** Where to compute; default `'cpu'`. The bits are the same. */
  readonly device?: Device;
}

/**
 * The tokens that Clip-Cov leaves out or KL-Cov penalises (arXiv 2505.22617), one byte per token, for `policyLoss`'s
 * `selected`. Covariance of a token: (A - mean A)(logprob - mean logprob) over the valid tokens of this call, float64 in
 * index order. Clip-Cov takes the smallest Philox keys of (seed, sequence, position): the choice does not depend on how the
 * batch is stored. Ties go to the earlier token.
 *
 * @throws CrossThinkError for wrong types, lengths, offsets out of order, options out of range.
 */
export function selectByCovariance(
  inputs: Pick<PolicyLossInputs, 'logprobs' | 'oldLogprobs' | 'advantages' | 'cuSeqlens' | 'mask'>,
  options: CovarianceSelectionOptions,
): Uint8Array {
  const tokens = float32('logprobs', inputs.logprobs).length;
  const cuSeqlens = offsets('cuSeqlens', inputs.cuSeqlens);
  const sequences = cuSeqlens.length - 1;
  const perToken = float32('advantages', inputs.advantages).length !== sequences;
  if (perToken) float32('advantages', inputs.advantages, tokens);
  const { parameters, seed } = encodeCovariance(options);
  const selected = new Uint8Array(tokens);
  const bad = kernelsOn(options.device).selectByCovariance(
    tokens,
    sequences,
    cuSeqlens,
    inputs.logprobs,
    float32('oldLogprobs', inputs.oldLogprobs, tokens),
    inputs.advantages,
    perToken,
    optional(uint8, 'mask', inputs.mask, tokens),
    parameters,
    seed,
    selected,
  );
  if (bad >= 0) throw badOffset('cuSeqlens', cuSeqlens, bad, tokens, 'tokens');
  return selected;
}

/** Checks settings and lists them in the order of native/addon/loss_parameters.h. */
export function encodeCovariance(options: CovarianceSelectionOptions): { parameters: Float64Array; seed: bigint } {
  const parameters = Float64Array.of(
    methods.indexOf(oneOf('options.method', options.method, methods, 'clip-cov')),
    numberIn('options.ratio', options.ratio, 2e-4, 0, 1),
    numberIn('options.low', options.low, 1, -Infinity),
    numberIn('options.high', options.high, 5, -Infinity),
    1 - numberIn('options.clipLow', options.clipLow, 0.2, 0, 1),
    1 + numberIn('options.clipHigh', options.clipHigh, 0.2, 0),
    numberIn('options.firstSequence', options.firstSequence, 0, 0, Number.MAX_SAFE_INTEGER),
  );
  return { parameters, seed: seedOf(options.seed) };
}

function seedOf(seed: number | bigint = 0): bigint {
  if (typeof seed === 'bigint') return BigInt.asUintN(64, seed);
  if (typeof seed !== 'number') throw invalidType('options.seed', 'a number or a bigint', seed);
  if (!Number.isSafeInteger(seed) || seed < 0) throw invalidValue('options.seed', 'a whole number >= 0', seed);
  return BigInt(seed);
}

/**
 * The tokens that training on the highest entropies leaves out (arXiv 2506.01939, the 80/20 rule; TRL
 * top_entropy_quantile), one byte per token, for `policyLoss`'s `selected`: all valid ones without the share `ratio` of them,
 * at least one, whose entropy is largest. Ties go to the earlier token; a NaN is left out. KL, entropy and denominators go on
 * counting every token. Depends on the whole batch.
 *
 * @throws CrossThinkError for wrong types, lengths or ranges.
 */
export function selectByEntropy(
  inputs: { readonly entropies: Float32Array; readonly mask?: Uint8Array | undefined },
  options: { readonly ratio?: number; readonly out?: Uint8Array; readonly device?: Device } = {},
): Uint8Array {
  const tokens = float32('entropies', inputs.entropies).length;
  const out = uint8('options.out', options.out ?? new Uint8Array(tokens), tokens);
  kernelsOn(options.device).selectByEntropy(
    tokens,
    inputs.entropies,
    optional(uint8, 'mask', inputs.mask, tokens),
    numberIn('options.ratio', options.ratio, 0.2, 0, 1),
    out,
  );
  return out;
}

/**
 * M2PO's mask: the valid tokens without those of the largest (rollout - logprob)², as few as bring the mean of the others
 * below `threshold` (default 0.04); one token is always left. Depends on the whole batch. Source: AReaL.
 *
 * @throws CrossThinkError for wrong types or lengths.
 */
export function secondMomentMask(
  inputs: { readonly logprobs: Float32Array; readonly rolloutLogprobs: Float32Array; readonly mask?: Uint8Array },
  options: { readonly threshold?: number; readonly out?: Uint8Array; readonly device?: Device } = {},
): Uint8Array {
  const tokens = float32('logprobs', inputs.logprobs).length;
  const out = uint8('options.out', options.out ?? new Uint8Array(tokens), tokens);
  kernelsOn(options.device).secondMomentMask(
    tokens,
    inputs.logprobs,
    float32('rolloutLogprobs', inputs.rolloutLogprobs, tokens),
    optional(uint8, 'mask', inputs.mask, tokens),
    numberIn('options.threshold', options.threshold, 0.04, 0),
    out,
  );
  return out;
}
