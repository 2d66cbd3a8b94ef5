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
} as const satisfies Record<string, Omit<LossSettings, 'coefficient' | 'delta' | 'horizon' | 'denominator'>>;

/** Names of the option sets. */
export type PolicyLossPreset = keyof typeof presets;

/** What a call has to say about its inputs for its settings to make sense. */
export interface LossInputsGiven {
  readonly refLogprobs: boolean;
  readonly entropies: boolean;
  readonly promptOffsets: boolean;
  readonly tokenAdvantages: boolean;
}

/** The estimates of klForms in the order of KlForm in native/kernels/policy_loss/policy_loss.h. */
const klEstimates = [0, 1, 2, 3, 0, 2, 3];
const FIRST_SQUARED = 4;

/** Settings in the order of native/addon/loss_parameters.h, before any is given. */
const defaults = Float64Array.of(
  ...[0, 0, 0.8, 1.2, Infinity, Infinity, Infinity, 1, 1.05, 20, 1, 2, 3, 3, 2, Infinity],
  ...[0, 2, 0, 0, Infinity, Infinity, 0, 0, 0, 1, 0],
);

/** Checks the settings that are given and writes them over `p`. No property is read by a name that varies, and only once. */
function writeSettings(given: LossSettings, p: Float64Array): void {
  const { loss, ratioLevel, clipLow, clipHigh, dualClip, delta, logRatioLimit, tauPositive, tauNegative } = given;
  if (loss !== undefined) {
    p[0] = indexIn('options.loss', loss, losses);
    p[10] = loss === 'squared' ? 0.1 : 1;
  }
  if (ratioLevel !== undefined) p[1] = indexIn('options.ratioLevel', ratioLevel, ratioLevels);
  if (clipLow !== undefined) p[2] = 1 - numberIn('options.clipLow', clipLow, NaN, 0, 1);
  if (clipHigh !== undefined) p[3] = 1 + numberIn('options.clipHigh', clipHigh, NaN, 0);
  if (dualClip !== undefined) p[4] = numberIn('options.dualClip', dualClip, NaN, 1);
  if (delta !== undefined) p[5] = numberIn('options.delta', delta, NaN, p[3] ?? NaN);
  if (logRatioLimit !== undefined) p[6] = numberIn('options.logRatioLimit', logRatioLimit, NaN, 0);
  if (tauPositive !== undefined) p[7] = numberIn('options.tauPositive', tauPositive, NaN, Number.MIN_VALUE);
  if (tauNegative !== undefined) p[8] = numberIn('options.tauNegative', tauNegative, NaN, Number.MIN_VALUE);
  const { ratioCap, coefficient, vespoPositive, vespoNegative, offPolicyLimit, klForm, klCoef, klCorrection } = given;
  if (ratioCap !== undefined) p[9] = numberIn('options.ratioCap', ratioCap, NaN, 0);
  if (coefficient !== undefined) p[10] = numberIn('options.coefficient', coefficient, NaN, 0);
  if (vespoPositive !== undefined) writePair('options.vespoPositive', vespoPositive, p, 11);
  if (vespoNegative !== undefined) writePair('options.vespoNegative', vespoNegative, p, 13);
  if (offPolicyLimit !== undefined) p[15] = numberIn('options.offPolicyLimit', offPolicyLimit, NaN, 0);
  if (klCoef !== undefined) p[16] = numberIn('options.klCoef', klCoef, NaN, 0, Number.MAX_VALUE);
  if (klForm !== undefined) {
    const form = indexIn('options.klForm', klForm, klForms);
    p[17] = klEstimates[form] ?? NaN;
    p[18] = form >= FIRST_SQUARED ? 1 : 0;
  }
  if (klCorrection !== undefined) p[19] = indexIn('options.klCorrection', klCorrection, klCorrections);
  const { klInputLimit, klOutputLimit, entropyCoef, aggregation, denominator, horizon, countEmptySequences } = given;
  if (klInputLimit !== undefined) p[20] = numberIn('options.klInputLimit', klInputLimit, NaN, 0);
  if (klOutputLimit !== undefined) p[21] = numberIn('options.klOutputLimit', klOutputLimit, NaN, 0);
  if (entropyCoef !== undefined) {
    p[22] = numberIn('options.entropyCoef', entropyCoef, NaN, -Number.MAX_VALUE, Number.MAX_VALUE);
  }
  if (aggregation !== undefined) p[23] = indexIn('options.aggregation', aggregation, aggregations);
  if (denominator !== undefined) {
    if (!(denominator > 0 && Number.isFinite(denominator))) {
      throw invalidValue('options.denominator', 'a positive number', denominator);
    }
    p[24] = denominator;
  }
  if (horizon !== undefined) p[25] = numberIn('options.horizon', horizon, NaN, 1);
  if (countEmptySequences !== undefined) p[26] = countEmptySequences ? 1 : 0;
}

function indexIn<T extends string>(field: string, value: T, names: readonly T[]): number {
  return names.indexOf(oneOf(field, value, names, value));
}

/** What each preset makes of the defaults. */
const presetSettings = new Map<string, Float64Array>(
  Object.entries(presets).map(([name, preset]) => {
    const p = defaults.slice();
    writeSettings(preset, p);
    return [name, p];
  }),
);

const parameters = frameFloat64(defaults.length);

/** Checks settings and lists them in the order of native/addon/loss_parameters.h, in an array that the next call overwrites. */
export function encodeLossSettings(
  given: LossSettings & { readonly preset?: PolicyLossPreset },
  inputs: LossInputsGiven,
): Float64Array {
  if (typeof given !== 'object') throw invalidType('options', 'an object or the name of a preset', given);
  const { preset = 'grpo', horizon } = given;
  const settings = presetSettings.get(preset);
  if (settings === undefined)
    throw invalidValue('options.preset', `one of ${[...presetSettings.keys()].join(', ')}`, preset);
  const p = parameters;
  for (let i = 0; i < p.length; i++) p[i] = settings[i] ?? NaN;
  writeSettings(given, p);

  const loss = losses[p[0] ?? 0];
  if (inputs.tokenAdvantages && (loss === 'gmpo' || loss === 'vespo' || p[15] !== Infinity)) {
    throw invalidValue('advantages', `one per sequence for ${loss} with these options`, 'one per token');
  }
  if (p[16] !== 0 && !inputs.refLogprobs) {
    throw invalidValue('options.klCoef', '0 where no refLogprobs are given', p[16], 'Pass refLogprobs or klCoef: 0.');
  }
  if (p[18] !== 0 && p[19] !== 0) {
    throw invalidValue('options.klCorrection', 'none with a klForm that ends with +', klCorrections[p[19] ?? 0]);
  }
  if (p[22] !== 0 && !inputs.entropies) {
    throw invalidValue('options.entropyCoef', '0 where no entropies are given', p[22]);
  }
  const aggregation = aggregations[p[23] ?? 0];
  if (inputs.promptOffsets !== (aggregation === 'prompt-mean')) {
    const expected = "given where the aggregation is 'prompt-mean', and only there";
    throw invalidValue('promptOffsets', expected, inputs.promptOffsets ? 'given' : 'not given');
  }
  if ((horizon === undefined) === (aggregation === 'seq-mean-token-sum-norm')) {
    const expected = "given where the aggregation is 'seq-mean-token-sum-norm', and only there";
    throw invalidValue('options.horizon', expected, horizon);
  }
  return p;
}

/** Writes [k, lambda] to p[at] and the place after it. */
function writePair(field: string, value: unknown, p: Float64Array, at: number): void {
  if (!Array.isArray(value) || value.length !== 2) throw invalidType(field, '[k, lambda]', value);
  p[at] = numberIn(`${field}[0]`, value[0], NaN, 0);
  p[at + 1] = numberIn(`${field}[1]`, value[1], NaN, 0);
}
