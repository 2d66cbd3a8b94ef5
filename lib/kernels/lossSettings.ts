import { invalidType, invalidValue } from '../errors.js';
import { numberIn, oneOf } from './arguments.js';

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

/** Checks settings and lists them in the order of native/addon/policy_loss.cpp. */
export function encodeLossSettings(
  given: LossSettings & { readonly preset?: PolicyLossPreset },
  inputs: LossInputsGiven,
): Float64Array {
  if (typeof given !== 'object') throw invalidType('options', 'an object or the name of a preset', given);
  const preset: LossSettings = presets[oneOf('options.preset', given.preset, presetNames, 'grpo')];
  const o: LossSettings = { ...preset, ...definedOf(given) };
  const number = (name: keyof LossSettings, fallback: number, least: number, most?: number): number =>
    numberIn(`options.${name}`, o[name], fallback, least, most);

  const loss = oneOf('options.loss', o.loss, losses, 'clip');
  const ratioLevel = oneOf('options.ratioLevel', o.ratioLevel, ['token', 'sequence'], 'token');
  const clipLow = number('clipLow', 0.2, 0, 1);
  const clipHigh = number('clipHigh', 0.2, 0);
  const offPolicyLimit = number('offPolicyLimit', Infinity, 0);
  if (inputs.tokenAdvantages && (loss === 'gmpo' || loss === 'vespo' || offPolicyLimit !== Infinity)) {
    throw invalidValue('advantages', `one per sequence for ${loss} with these options`, 'one per token');
  }
  const klForm = oneOf('options.klForm', o.klForm, klForms, 'k3');
  const klCoef = number('klCoef', 0, 0, Number.MAX_VALUE);
  if (klCoef > 0 && !inputs.refLogprobs) {
    throw invalidValue('options.klCoef', '0 where no refLogprobs are given', klCoef, 'Pass refLogprobs or klCoef: 0.');
  }
  const klCorrection = oneOf('options.klCorrection', o.klCorrection, klCorrections, 'none');
  if (klCorrection !== 'none' && klForm.endsWith('+')) {
    throw invalidValue('options.klCorrection', 'none with a klForm that ends with +', klCorrection);
  }
  const entropyCoef = number('entropyCoef', 0, -Number.MAX_VALUE, Number.MAX_VALUE);
  if (entropyCoef !== 0 && !inputs.entropies) {
    throw invalidValue('options.entropyCoef', '0 where no entropies are given', entropyCoef);
  }
  const aggregation = oneOf('options.aggregation', o.aggregation, aggregations, 'token-mean');
  if (inputs.promptOffsets !== (aggregation === 'prompt-mean')) {
    const expected = "given where the aggregation is 'prompt-mean', and only there";
    throw invalidValue('promptOffsets', expected, inputs.promptOffsets ? 'given' : 'not given');
  }
  if ((o.horizon === undefined) === (aggregation === 'seq-mean-token-sum-norm')) {
    const expected = "given where the aggregation is 'seq-mean-token-sum-norm', and only there";
    throw invalidValue('options.horizon', expected, o.horizon);
  }
  if (o.denominator !== undefined && !(o.denominator > 0 && Number.isFinite(o.denominator))) {
    throw invalidValue('options.denominator', 'a positive number', o.denominator);
  }
  return Float64Array.of(
    losses.indexOf(loss),
    ratioLevel === 'sequence' ? 1 : 0,
    1 - clipLow,
    1 + clipHigh,
    number('dualClip', Infinity, 1),
    number('delta', Infinity, 1 + clipHigh),
    number('logRatioLimit', Infinity, 0),
    number('tauPositive', 1, Number.MIN_VALUE),
    number('tauNegative', 1.05, Number.MIN_VALUE),
    number('ratioCap', 20, 0),
    number('coefficient', loss === 'squared' ? 0.1 : 1, 0),
    ...pair('options.vespoPositive', o.vespoPositive, [2, 3]),
    ...pair('options.vespoNegative', o.vespoNegative, [3, 2]),
    offPolicyLimit,
    klCoef,
    klForms.indexOf(klForm.replace('+', '') as KlForm),
    klForm.endsWith('+') ? 1 : 0,
    klCorrections.indexOf(klCorrection),
    number('klInputLimit', Infinity, 0),
    number('klOutputLimit', Infinity, 0),
    entropyCoef,
    aggregations.indexOf(aggregation),
    o.denominator ?? 0,
    number('horizon', 1, 1),
    o.countEmptySequences === true ? 1 : 0,
  );
}

function definedOf(settings: LossSettings): LossSettings {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

function pair(field: string, value: unknown, fallback: readonly [number, number]): readonly [number, number] {
  if (value === undefined) return fallback;
  if (!Array.isArray(value) || value.length !== 2) throw invalidType(field, '[k, lambda]', value);
  return [numberIn(`${field}[0]`, value[0], 0, 0), numberIn(`${field}[1]`, value[1], 0, 0)];
}
