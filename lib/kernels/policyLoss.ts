import binding = require('#binding');
import { invalidType, invalidValue } from '../errors.js';
import { apart, badOffset, float32, numberIn, offsets, oneOf, threadCount, uint8 } from './arguments.js';

const aggregations = ['token-mean', 'seq-mean-token-mean'] as const;

/** How token losses become one number; docs/losses.md. */
export type Aggregation = (typeof aggregations)[number];

/** Packed sequences: sequence s holds tokens `[cuSeqlens[s], cuSeqlens[s + 1])` of every token array. */
export interface PolicyLossInputs {
  /** Log-probs of the tokens under the policy being trained. */
  readonly logprobs: Float32Array;
  /** The same under the policy the clipping refers to: the one before this batch's first update. */
  readonly oldLogprobs: Float32Array;
  /** The same under the reference policy; without it there is no KL. */
  readonly refLogprobs?: Float32Array | undefined;
  /** One per sequence. */
  readonly advantages: Float32Array;
  /** Offsets of the sequences: the first is 0, the last the number of tokens. */
  readonly cuSeqlens: Int32Array;
  /** One byte per token: 0 leaves the token out (prompt, padding). Default: every token counts. */
  readonly mask?: Uint8Array | undefined;
}

export interface PolicyLossOptions {
  /** Where defaults come from; the other fields override it. Default `'grpo'`. */
  readonly preset?: PolicyLossPreset;
  /** The ratio is clipped to `[1 - clipLow, 1 + clipHigh]`. */
  readonly clipLow?: number;
  readonly clipHigh?: number;
  /** Weight of the k3 estimate of KL(policy, reference) in the loss. Needs `refLogprobs` unless 0. */
  readonly klCoef?: number;
  readonly aggregation?: Aggregation;
  /**
   * What to divide by: tokens for `'token-mean'`, sequences for `'seq-mean-token-mean'`. Default: the valid tokens, or
   * the sequences with a valid token, of this call. Give the global count where a batch is split into micro-batches or
   * over ranks: the losses and gradients of the parts then add up to those of the whole.
   */
  readonly denominator?: number;
  /** Threads to use; 0, the default, means all of the pool. The result does not depend on it. */
  readonly threads?: number;
  /** Array to write dL/dlogprob into instead of a new one; it must not share memory with the inputs. */
  readonly out?: { readonly dLogprobs?: Float32Array };
}

type Settings = Required<Pick<PolicyLossOptions, 'clipLow' | 'clipHigh' | 'klCoef' | 'aggregation'>>;

const presets = {
  /** DeepSeekMath (arXiv 2402.03300); its KL coefficient, 0.04, is left to the caller. */
  grpo: { clipLow: 0.2, clipHigh: 0.2, klCoef: 0, aggregation: 'seq-mean-token-mean' },
  /** DAPO (arXiv 2503.14476): clip-higher, token mean, no KL. */
  dapo: { clipLow: 0.2, clipHigh: 0.28, klCoef: 0, aggregation: 'token-mean' },
} as const satisfies Record<string, Settings>;

/** Names of the option sets. */
export type PolicyLossPreset = keyof typeof presets;

/** Sums over this call; those of micro-batches and ranks add up. Divide by `tokens` or `sequences` for means. */
export interface PolicyLossMetrics {
  /** Valid tokens. */
  readonly tokens: number;
  /** Sequences with a valid token. */
  readonly sequences: number;
  /** Sum over tokens of the policy term, without aggregation and KL. */
  readonly policyLossSum: number;
  /** Sum of the KL estimate to the reference, nats. */
  readonly klSum: number;
  /** Sum of logprob - oldLogprob, nats: minus the k1 estimate of KL(old, policy). */
  readonly logRatioSum: number;
  /** Tokens without policy gradient: ratio below `1 - clipLow` and advantage negative, */
  readonly clippedLow: number;
  /** ratio above `1 + clipHigh` and advantage positive. */
  readonly clippedHigh: number;
  /** Valid tokens whose loss is NaN or infinite. */
  readonly nonFinite: number;
}

export interface PolicyLoss {
  /** NaN where an unmasked input is NaN. */
  readonly loss: number;
  /** dL/dlogprob, one per token, exactly 0 at masked tokens. */
  readonly dLogprobs: Float32Array;
  readonly metrics: PolicyLossMetrics;
}

/**
 * Clipped policy loss with its gradient to the log-probs, in one pass: max(-r A, -clip(r) A) with r = e^(logprob - old),
 * plus klCoef times k3. The result is bit-identical on every instruction set and thread count; formulas and sources in
 * docs/losses.md.
 *
 * @throws CrossThinkError for wrong types or lengths, offsets out of order, options out of range.
 */
export function policyLoss(
  inputs: PolicyLossInputs,
  options: PolicyLossPreset | PolicyLossOptions = 'grpo',
): PolicyLoss {
  const given: PolicyLossOptions = typeof options === 'string' ? { preset: options } : options;
  const tokens = float32('logprobs', inputs.logprobs).length;
  const cuSeqlens = offsets('cuSeqlens', inputs.cuSeqlens);
  const sequences = cuSeqlens.length - 1;
  const dLogprobs = float32('options.out.dLogprobs', given.out?.dLogprobs ?? new Float32Array(tokens), tokens);
  apart('options.out.dLogprobs', dLogprobs, [inputs.logprobs, inputs.oldLogprobs, inputs.refLogprobs]);
  const results = new Float64Array(9);
  const bad = binding.policyLoss(
    tokens,
    sequences,
    threadCount('options.threads', given.threads),
    cuSeqlens,
    inputs.logprobs,
    float32('oldLogprobs', inputs.oldLogprobs, tokens),
    inputs.refLogprobs && float32('refLogprobs', inputs.refLogprobs, tokens),
    float32('advantages', inputs.advantages, sequences),
    inputs.mask && uint8('mask', inputs.mask, tokens),
    parameters(given, inputs.refLogprobs !== undefined),
    dLogprobs,
    results,
  );
  if (bad >= 0) throw badOffset('cuSeqlens', cuSeqlens, bad, tokens, 'tokens');
  return { loss: results[0] ?? NaN, dLogprobs, metrics: metricsOf(results) };
}

/** The parameters in the order of native/addon/policy_loss.cpp. */
function parameters(options: PolicyLossOptions, hasReference: boolean): Float64Array {
  if (typeof options !== 'object') throw invalidType('options', 'an object or the name of a preset', options);
  const names = Object.keys(presets) as PolicyLossPreset[];
  const preset = presets[oneOf('options.preset', options.preset, names, 'grpo')];
  const clipLow = numberIn('options.clipLow', options.clipLow, preset.clipLow, 0, 1);
  const clipHigh = numberIn('options.clipHigh', options.clipHigh, preset.clipHigh, 0);
  const klCoef = numberIn('options.klCoef', options.klCoef, preset.klCoef, 0, Number.MAX_VALUE);
  if (klCoef > 0 && !hasReference) {
    throw invalidValue('options.klCoef', '0 where no refLogprobs are given', klCoef, 'Pass refLogprobs or klCoef: 0.');
  }
  const aggregation = oneOf('options.aggregation', options.aggregation, aggregations, preset.aggregation);
  const { denominator } = options;
  if (denominator !== undefined && !(denominator > 0 && Number.isFinite(denominator))) {
    throw invalidValue('options.denominator', 'a positive number', denominator);
  }
  return Float64Array.of(1 - clipLow, 1 + clipHigh, klCoef, aggregations.indexOf(aggregation), denominator ?? 0);
}

/** `results` in the order of native/addon/policy_loss.cpp: the loss, then the LossSum entries. */
function metricsOf(results: Float64Array): PolicyLossMetrics {
  const at = (index: number): number => results[index] ?? NaN;
  return {
    tokens: at(1),
    sequences: at(2),
    policyLossSum: at(3),
    klSum: at(4),
    logRatioSum: at(5),
    clippedLow: at(6),
    clippedHigh: at(7),
    nonFinite: at(8),
  };
}
