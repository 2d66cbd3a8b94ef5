import { invalidType, invalidValue } from '../errors.js';
import { numberIn, oneOf } from './arguments.js';
import { frameFloat64 } from './host.js';

// The order of these names is that of the enumerations in native/kernels/policy_loss/policy_loss.h.
const losses = [
  'clip',
  'cispo',
  'topr',
  'reinforce',
  'dppo-tv',
  'dppo-kl',
  'vespo',
  'sapo',
  'gmpo',
  'kl-cov',
  'squared',
] as const;
const ratioLevels = ['token', 'sequence'] as const;
const klForms = ['k1', 'k2', 'k3', 'abs', 'k1+', 'k3+', 'abs+'] as const;
const klCorrections = ['none', 'ratio', 'on-policy'] as const;
const aggregations = [
  'token-mean',
  'token-sum',
  'seq-mean-token-mean',
  'seq-mean-token-sum',
  'seq-mean-token-sum-norm',
  'prompt-mean',
] as const;

/** The policy term of a token. */
export type PolicyTerm = (typeof losses)[number];
/** Estimate of KL(policy, reference); with `+` its gradient is that of k2. */
export type KlForm = (typeof klForms)[number];
/** How token losses become one number. */
export type Aggregation = (typeof aggregations)[number];

/** Settings of a loss; formulas, sources and who uses what: docs/losses.md. */
export interface LossSettings {
  /** Default `'clip'`: PPO's clipped ratio. */
  readonly loss?: PolicyTerm;
  /** `'token'` (default), or `'sequence'`: the ratio of a token is that of its sequence, e^mean(log ratio), as in GSPO. */
  readonly ratioLevel?: 'token' | 'sequence';
  /** The ratio is clipped to `[1 - clipLow, 1 + clipHigh]`. GMPO: the log-ratio to `[-clipLow, clipHigh]`. DPPO: bounds of
   * the divergence. Default 0.2. */
  readonly clipLow?: number;
  readonly clipHigh?: number;
  /** Where A < 0 the loss is at most `dualClip` |A|. Default Infinity. */
  readonly dualClip?: number;
  /** Bound of the unclipped ratio where A < 0, above `1 + clipHigh`. Default Infinity. */
  readonly delta?: number;
  /** The log-ratio is clamped to +- this. Default Infinity. */
  readonly logRatioLimit?: number;
  /** SAPO's temperatures where A > 0 and elsewhere. Defaults 1 and 1.05. */
  readonly tauPositive?: number;
  readonly tauNegative?: number;
  /** DPPO: bound of the ratio as a weight. Default 20. */
  readonly ratioCap?: number;
  /** KL-Cov: weight of |log ratio| at the selected tokens, default 1. Squared: weight of (log ratio)² / 2, default 0.1. */
  readonly coefficient?: number;
  /** VESPO: [k, lambda] where A >= 0 and elsewhere. Defaults [2, 3] and [3, 2]. */
  readonly vespoPositive?: readonly [number, number];
  readonly vespoNegative?: readonly [number, number];
  /** Sequences with A < 0 and a mean of (rollout or old log-prob) - logprob above this have no policy term. Default
   * Infinity. */
  readonly offPolicyLimit?: number;
  /** Weight of the KL in the loss. Needs `refLogprobs` unless 0, the default, which only measures. */
  readonly klCoef?: number;
  /** Default `'k3'`. */
  readonly klForm?: KlForm;
  /** The KL is multiplied by the token's ratio, or by e^(logprob - sg(logprob)) = 1, gradient included. Default
   * `'none'`. */
  readonly klCorrection?: (typeof klCorrections)[number];
  /** ref - logprob and the KL itself are clamped to +- these; no gradient beyond. Default Infinity. */
  readonly klInputLimit?: number;
  readonly klOutputLimit?: number;
  /** Weight of the mean entropy that is subtracted from the loss. Needs `entropies` unless 0, the default. */
  readonly entropyCoef?: number;
  /** Default: that of the preset. */
  readonly aggregation?: Aggregation;
  /** `'seq-mean-token-sum-norm'`: tokens to divide each sequence's sum by, e.g. the longest response allowed. */
  readonly horizon?: number;
  /** Whether sequences without a valid token count as sequences. Default false. */
  readonly countEmptySequences?: boolean;
  /**
   * What to divide by: tokens, sequences or prompts, as the aggregation has it. Default: the valid ones of this call. Give
   * the global count where a batch is split into micro-batches or over ranks: the losses and gradients of the parts then
   * add up to those of the whole.
   */
  readonly denominator?: number;
}

/** Numbers that a loss returns: the loss and its metrics. */
export const resultCount = 14;

/** DPPO-style and VESPO settings have their papers' defaults; the presets are what a paper or a trainer at a date does. */
export const presets = {
  /** DeepSeekMath (arXiv 2402.03300); its KL coefficient, 0.04, is left to the caller. */
  grpo: { aggregation: 'seq-mean-token-mean' },
  /** arXiv 2503.20783: a constant instead of the length; `horizon` must be given. */
  dr_grpo: { aggregation: 'seq-mean-token-sum-norm' },
  /** arXiv 2503.14476: clip-higher, token mean. */
  dapo: { clipHigh: 0.28 },
  /** arXiv 2507.18071: the ratio of the sequence. */
  gspo: { ratioLevel: 'sequence', clipLow: 3e-4, clipHigh: 4e-4, aggregation: 'seq-mean-token-mean' },
  /** arXiv 2506.13585, with the upper bound 5 of ScaleRL (2510.13786) and no lower one. */
  cispo: { loss: 'cispo', clipLow: 1, clipHigh: 4 },
  /** arXiv 2507.20673. */
  gmpo: { loss: 'gmpo', clipLow: 0.4, clipHigh: 0.4, aggregation: 'seq-mean-token-mean' },
  /** arXiv 2511.20347. */
  sapo: { loss: 'sapo', aggregation: 'seq-mean-token-mean' },
  /** arXiv 2602.10693. */
  vespo: { loss: 'vespo' },
  /** arXiv 2602.05261: GSPO times the length of the sequence. */
  luspo: { ratioLevel: 'sequence', aggregation: 'seq-mean-token-sum' },
  /** TRL's defaults: loss_type dapo, beta 0. */
  'trl@2026-07': {},
  /** verl's defaults: dual clip 3, log-ratio and KL clamped, no KL. */
  'verl@2026-08': { dualClip: 3, logRatioLimit: 20, klInputLimit: 20, klOutputLimit: 10 },
  /** NeMo-RL's defaults: k3 with its on-policy weight, coefficient 0.01. */
  'nemo-rl@2026-08': { klCoef: 0.01, klCorrection: 'on-policy', klInputLimit: 20, klOutputLimit: 10 },
} as const satisfies Record<string, LossSettings>;

/** Names of the option sets. */
export type PolicyLossPreset = keyof typeof presets;

const presetNames = Object.keys(presets) as PolicyLossPreset[];

/** What a call has to say about its inputs for its settings to make sense. */
export interface LossInputsGiven {
  readonly refLogprobs: boolean;
  readonly entropies: boolean;
  readonly promptOffsets: boolean;
  readonly tokenAdvantages: boolean;
}

/** What was given, else the preset's. */
function either<T>(given: T | undefined, preset: T | undefined): T | undefined {
  return given === undefined ? preset : given;
}

/** The estimates of klForms in the order of KlForm in native/kernels/policy_loss/policy_loss.h. */
const klEstimates = [0, 1, 2, 3, 0, 2, 3];
const FIRST_SQUARED = 4;

const parameters = frameFloat64(27);

/**
 * Checks settings and lists them in the order of native/addon/loss_parameters.h, in an array that the next call overwrites. No
 * property is read by a name that varies: this is most of what a call on few tokens costs.
 */
export function encodeLossSettings(
  given: LossSettings & { readonly preset?: PolicyLossPreset },
  inputs: LossInputsGiven,
): Float64Array {
  if (typeof given !== 'object') throw invalidType('options', 'an object or the name of a preset', given);
  const preset: LossSettings = presets[oneOf('options.preset', given.preset, presetNames, 'grpo')];
  const p = parameters;

  const loss = oneOf('options.loss', either(given.loss, preset.loss), losses, 'clip');
  p[0] = losses.indexOf(loss);
  const ratioLevel = either(given.ratioLevel, preset.ratioLevel);
  p[1] = oneOf('options.ratioLevel', ratioLevel, ratioLevels, 'token') === 'sequence' ? 1 : 0;
  p[2] = 1 - numberIn('options.clipLow', either(given.clipLow, preset.clipLow), 0.2, 0, 1);
  p[3] = 1 + numberIn('options.clipHigh', either(given.clipHigh, preset.clipHigh), 0.2, 0);
  p[4] = numberIn('options.dualClip', either(given.dualClip, preset.dualClip), Infinity, 1);
  p[5] = numberIn('options.delta', either(given.delta, preset.delta), Infinity, p[3]);
  p[6] = numberIn('options.logRatioLimit', either(given.logRatioLimit, preset.logRatioLimit), Infinity, 0);
  p[7] = numberIn('options.tauPositive', either(given.tauPositive, preset.tauPositive), 1, Number.MIN_VALUE);
  p[8] = numberIn('options.tauNegative', either(given.tauNegative, preset.tauNegative), 1.05, Number.MIN_VALUE);
  p[9] = numberIn('options.ratioCap', either(given.ratioCap, preset.ratioCap), 20, 0);
  const coefficient = either(given.coefficient, preset.coefficient);
  p[10] = numberIn('options.coefficient', coefficient, loss === 'squared' ? 0.1 : 1, 0);
  pair('options.vespoPositive', either(given.vespoPositive, preset.vespoPositive), 2, 3, p, 11);
  pair('options.vespoNegative', either(given.vespoNegative, preset.vespoNegative), 3, 2, p, 13);
  p[15] = numberIn('options.offPolicyLimit', either(given.offPolicyLimit, preset.offPolicyLimit), Infinity, 0);
  if (inputs.tokenAdvantages && (loss === 'gmpo' || loss === 'vespo' || p[15] !== Infinity)) {
    throw invalidValue('advantages', `one per sequence for ${loss} with these options`, 'one per token');
  }
  const klForm = klForms.indexOf(oneOf('options.klForm', either(given.klForm, preset.klForm), klForms, 'k3'));
  const klCoef = numberIn('options.klCoef', either(given.klCoef, preset.klCoef), 0, 0, Number.MAX_VALUE);
  if (klCoef > 0 && !inputs.refLogprobs) {
    throw invalidValue('options.klCoef', '0 where no refLogprobs are given', klCoef, 'Pass refLogprobs or klCoef: 0.');
  }
  const correction = either(given.klCorrection, preset.klCorrection);
  const klCorrection = oneOf('options.klCorrection', correction, klCorrections, 'none');
  const squared = klForm >= FIRST_SQUARED;
  if (klCorrection !== 'none' && squared) {
    throw invalidValue('options.klCorrection', 'none with a klForm that ends with +', klCorrection);
  }
  p[16] = klCoef;
  p[17] = klEstimates[klForm] ?? NaN;
  p[18] = squared ? 1 : 0;
  p[19] = klCorrections.indexOf(klCorrection);
  p[20] = numberIn('options.klInputLimit', either(given.klInputLimit, preset.klInputLimit), Infinity, 0);
  p[21] = numberIn('options.klOutputLimit', either(given.klOutputLimit, preset.klOutputLimit), Infinity, 0);
  const bonus = either(given.entropyCoef, preset.entropyCoef);
  p[22] = numberIn('options.entropyCoef', bonus, 0, -Number.MAX_VALUE, Number.MAX_VALUE);
  if (p[22] !== 0 && !inputs.entropies) {
    throw invalidValue('options.entropyCoef', '0 where no entropies are given', p[22]);
  }
  const way = either(given.aggregation, preset.aggregation);
  const aggregation = oneOf('options.aggregation', way, aggregations, 'token-mean');
  if (inputs.promptOffsets !== (aggregation === 'prompt-mean')) {
    const expected = "given where the aggregation is 'prompt-mean', and only there";
    throw invalidValue('promptOffsets', expected, inputs.promptOffsets ? 'given' : 'not given');
  }
  p[23] = aggregations.indexOf(aggregation);
  const denominator = either(given.denominator, preset.denominator);
  if (denominator !== undefined && !(denominator > 0 && Number.isFinite(denominator))) {
    throw invalidValue('options.denominator', 'a positive number', denominator);
  }
  p[24] = denominator ?? 0;
  const horizon = either(given.horizon, preset.horizon);
  if ((horizon === undefined) === (aggregation === 'seq-mean-token-sum-norm')) {
    const expected = "given where the aggregation is 'seq-mean-token-sum-norm', and only there";
    throw invalidValue('options.horizon', expected, horizon);
  }
  p[25] = numberIn('options.horizon', horizon, 1, 1);
  p[26] = either(given.countEmptySequences, preset.countEmptySequences) === true ? 1 : 0;
  return p;
}

/** Writes [k, lambda] to p[at] and the place after it. */
function pair(field: string, value: unknown, k: number, lambda: number, p: Float64Array, at: number): void {
  if (value !== undefined && !(Array.isArray(value) && value.length === 2))
    throw invalidType(field, '[k, lambda]', value);
  p[at] = value === undefined ? k : numberIn(`${field}[0]`, value[0], 0, 0);
  p[at + 1] = value === undefined ? lambda : numberIn(`${field}[1]`, value[1], 0, 0);
}
