import { invalidType, invalidValue } from '../errors.js';
import { type Device } from '../native/device.js';
import { badOffset, float32, numberIn, offsets, oneOf, optional, threadCount, uint8 } from './arguments.js';
import { kernelsOn } from './device/backend.js';
import { correctionCount } from './device/corrections.js';

const weightLevels = ['none', 'token', 'sequence'] as const;
const rejectLevels = ['token', 'sequence-sum', 'sequence-mean', 'sequence-max'] as const;
const rejectForms = ['ratio', 'k2', 'k3'] as const;

/** Rejects tokens, or whole sequences, whose mismatch is outside [low, high]. */
export interface RejectRule {
  readonly level: (typeof rejectLevels)[number];
  /** `'ratio'`: e^x of the token, e^(sum x), or the geometric mean e^(mean x); `'k2'`: x²/2; `'k3'`: e^x - 1 - x. */
  readonly form: (typeof rejectForms)[number];
  /** Default -Infinity. */
  readonly low?: number;
  readonly high: number;
}

export interface RolloutCorrectionOptions {
  readonly preset?: RolloutCorrectionPreset;
  /** Weight of a token: e^x, the product over its sequence, or 1. Default `'token'`. */
  readonly weights?: (typeof weightLevels)[number];
  /** Weights outside [low, high] are clamped, or zeroed. Defaults 0 and 2. */
  readonly low?: number;
  readonly high?: number;
  readonly outside?: 'clamp' | 'zero';
  /** Every rule must accept. */
  readonly reject?: readonly RejectRule[];
  /** Rejected tokens leave the mask (default: they leave the denominators too), or stay with weight 0. */
  readonly rejected?: 'mask' | 'zero-weight';
  /**
   * Divides the weights by their mean over the batch, taken before the rules reject (verl rollout_is_batch_normalize): over
   * tokens, or over sequences where the weight is that of a sequence. Give the mean itself where a batch is split over
   * ranks: the sum of `normalizerSum` over that of `normalizerCount` of a first pass. Default false.
   */
  readonly normalize?: boolean | number;
  readonly threads?: number;
  /** Where to compute; default `'cpu'`. The bits are the same. */
  readonly device?: Device;
}

type Settings = Omit<RolloutCorrectionOptions, 'preset' | 'threads' | 'device'>;

const presets = {
  /** Truncated importance sampling per token. */
  tis: { high: 2 },
  /** The same per sequence. */
  'sequence-tis': { weights: 'sequence', high: 2 },
  /** Token weights outside the band are 0. */
  icepop: { low: 0.5, high: 5, outside: 'zero' },
  /** Masked importance sampling: a sequence outside the band has weight 0. */
  mis: { weights: 'sequence', low: 0.5, high: 2, outside: 'zero' },
  /** Token weights, and none for sequences whose geometric mean is off. */
  'seq-mask-tis': {
    high: Infinity,
    reject: [{ level: 'sequence-mean', form: 'ratio', low: 0.999, high: 1.002 }],
    rejected: 'zero-weight',
  },
  /** vllm_importance_sampling_mode sequence_mask, max 3. */
  'trl@2026-07': { weights: 'sequence', high: 3, outside: 'zero' },
  /** rollout_is token with its threshold 2 (verl has it off unless asked for). */
  'verl@2026-08': { high: 2 },
  /** use_importance_sampling_correction without truncation. */
  'nemo-rl@2026-08': { high: Infinity },
} as const satisfies Record<string, Settings>;

export type RolloutCorrectionPreset = keyof typeof presets;

export interface RolloutCorrectionInputs {
  /** Log-probs under the policy that trains: `oldLogprobs` of the loss, or the current ones where there are no old. */
  readonly logprobs: Float32Array;
  /** Log-probs as sampled. */
  readonly rolloutLogprobs: Float32Array;
  readonly cuSeqlens: Int32Array;
  readonly mask?: Uint8Array | undefined;
}

/** Additive, as the metrics of the loss are. */
export interface RolloutCorrectionMetrics {
  /** Valid tokens before the correction. */
  readonly tokens: number;
  /** Sums of the weights, before a normalisation, and of their squares: weightSum² / weightSquareSum is the effective
   * sample size. */
  readonly weightSum: number;
  readonly weightSquareSum: number;
  /** Sums of x, of e^x - 1 - x (an estimate of KL(rollout, policy)) and of |x|, nats. */
  readonly mismatchSum: number;
  readonly mismatchK3Sum: number;
  readonly mismatchAbsSum: number;
  /** Tokens whose weight was clamped or zeroed. */
  readonly outside: number;
  /** Tokens that a rule rejected. */
  readonly rejected: number;
  /** With `normalize`: sum of the weights before the rules, over tokens or sequences, and their number. Else 0. */
  readonly normalizerSum: number;
  readonly normalizerCount: number;
}

export interface RolloutCorrection {
  /** One per token; 0 at masked and rejected tokens. For `policyLoss`. */
  readonly weights: Float32Array;
  /** The mask without the rejected tokens. */
  readonly mask: Uint8Array;
  readonly metrics: RolloutCorrectionMetrics;
}

/**
 * Corrects for the mismatch x = logprob - rolloutLogprob between the policy that sampled and the one that trains: weights
 * of the policy term and a mask without what is too far off. x is clamped to +-20; a token whose x is NaN has weight 0 and
 * is rejected by every rule that sees it. Formulas, and who uses which: docs/losses.md.
 *
 * @throws CrossThinkError for wrong types, lengths, offsets out of order, options out of range.
 */
export function rolloutCorrection(
  inputs: RolloutCorrectionInputs,
  options: RolloutCorrectionPreset | RolloutCorrectionOptions = 'tis',
): RolloutCorrection {
  const given: RolloutCorrectionOptions = typeof options === 'string' ? { preset: options } : options;
  const tokens = float32('logprobs', inputs.logprobs).length;
  const cuSeqlens = offsets('cuSeqlens', inputs.cuSeqlens);
  const weights = new Float32Array(tokens);
  const mask = new Uint8Array(tokens);
  const results = new Float64Array(correctionCount);
  const { parameters, rules } = encodeCorrection(given);
  const bad = kernelsOn(given.device).rolloutCorrection(
    tokens,
    cuSeqlens.length - 1,
    cuSeqlens,
    inputs.logprobs,
    float32('rolloutLogprobs', inputs.rolloutLogprobs, tokens),
    optional(uint8, 'mask', inputs.mask, tokens),
    parameters,
    rules,
    threadCount('options.threads', given.threads),
    weights,
    mask,
    results,
  );
  if (bad >= 0) throw badOffset('cuSeqlens', cuSeqlens, bad, tokens, 'tokens');
  return { weights, mask, metrics: readCorrection(results) };
}

/** Names the numbers of `results`: the CorrectionSum entries of native/kernels/policy_loss/rollout_correction.h. */
export function readCorrection(results: Float64Array): RolloutCorrectionMetrics {
  const at = (index: number): number => results[index] ?? NaN;
  return {
    tokens: at(0),
    weightSum: at(1),
    weightSquareSum: at(2),
    mismatchSum: at(3),
    mismatchK3Sum: at(4),
    mismatchAbsSum: at(5),
    outside: at(6),
    rejected: at(7),
    normalizerSum: at(8),
    normalizerCount: at(9),
  };
}

/** Checks settings and lists them in the order of native/addon/loss_parameters.h. */
export function encodeCorrection(given: RolloutCorrectionOptions): { parameters: Float64Array; rules: Float64Array } {
  if (typeof given !== 'object') throw invalidType('options', 'an object or the name of a preset', given);
  const names = Object.keys(presets) as RolloutCorrectionPreset[];
  const preset: Settings | undefined = given.preset && presets[oneOf('options.preset', given.preset, names, 'tis')];
  const o: Settings = { ...preset, ...given };
  const low = numberIn('options.low', o.low, 0, 0);
  const high = numberIn('options.high', o.high, 2, low);
  const reject: readonly RejectRule[] = o.reject ?? [];
  if (reject.length > 8) throw invalidValue('options.reject', 'at most 8 rules', reject);
  const rules = reject.flatMap((rule, k) => {
    const level = oneOf(`options.reject[${k}].level`, rule.level, rejectLevels, 'token');
    const form = oneOf(`options.reject[${k}].form`, rule.form, rejectForms, 'ratio');
    if (level === 'sequence-max' && form === 'ratio') {
      throw invalidValue(`options.reject[${k}].form`, "'k2' or 'k3' where the level is 'sequence-max'", form);
    }
    const least = numberIn(`options.reject[${k}].low`, rule.low, -Infinity, -Infinity);
    const most = numberIn(`options.reject[${k}].high`, rule.high, NaN, least);
    return [rejectLevels.indexOf(level), rejectForms.indexOf(form), least, most];
  });
  const { normalize = false } = o;
  if (typeof normalize !== 'boolean' && !(typeof normalize === 'number' && normalize > 0 && normalize < Infinity)) {
    throw invalidValue('options.normalize', 'true, false or a positive mean weight', normalize);
  }
  const parameters = Float64Array.of(
    weightLevels.indexOf(oneOf('options.weights', o.weights, weightLevels, 'token')),
    low,
    high,
    oneOf('options.outside', o.outside, ['clamp', 'zero'], 'clamp') === 'zero' ? 1 : 0,
    oneOf('options.rejected', o.rejected, ['mask', 'zero-weight'], 'mask') === 'zero-weight' ? 1 : 0,
    normalize === false ? 0 : 1,
    typeof normalize === 'number' ? normalize : 0,
  );
  return { parameters, rules: Float64Array.from(rules) };
}
