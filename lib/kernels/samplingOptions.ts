import { CrossThinkError, invalidType, invalidValue } from '../errors.js';
import { type Device } from '../native/device.js';
import { floatParameter, int32, integerParameter, numberIn, type RowParameter } from './arguments.js';

/** What a call can return beside tokens and status. */
export type SamplingOutput = 'token' | 'logprob' | 'rawLogprob' | 'rank' | 'entropy' | 'supportMass' | 'keptSet';

/** One filter, or the point at which the temperature is applied. */
export type SamplingStep = 'temperature' | 'topK' | 'topP' | 'topPOfRow' | 'minP' | 'typicalP' | 'topNSigma' | 'xtc';

/** Steps in the order of native/kernels/sampling/sampling.h. */
const STEPS: readonly SamplingStep[] = [
  ...(['temperature', 'topK', 'topP', 'topPOfRow', 'minP', 'typicalP', 'topNSigma', 'xtc'] as const),
];

/** As kMaxSteps of native/kernels/sampling/sampling.h. */
const MAX_STEPS = 32;

/**
 * Orders of the engines, read in their sources in 2026 (docs/sampling.md). Steps that are off do nothing, and steps an engine
 * does not have stand where they would do least harm.
 */
const ORDERS = {
  default: ['temperature', 'topNSigma', 'topK', 'typicalP', 'topP', 'minP', 'xtc'],
  vllm: ['temperature', 'minP', 'topK', 'topP', 'topNSigma', 'typicalP', 'xtc'],
  sglang: ['temperature', 'topK', 'topPOfRow', 'minP', 'topNSigma', 'typicalP', 'xtc'],
  flashinfer: ['temperature', 'topK', 'topP', 'minP', 'topNSigma', 'typicalP', 'xtc'],
  llamacpp: ['topNSigma', 'topK', 'typicalP', 'topP', 'minP', 'xtc', 'temperature'],
} as const satisfies Record<string, readonly SamplingStep[]>;

/** What an engine does at the cut of top-k and top-p, where it is not the default. */
const CUT_RULES: Partial<Record<string, Pick<SamplingOptions, 'topPRule' | 'ties'>>> = {
  sglang: { topPRule: 'upTo' },
  flashinfer: { ties: 'all' },
};

export type SamplingOrder = keyof typeof ORDERS;

/** Token ids: one list for every row, or one per row packed by offsets (`rows + 1` of them). */
export type TokenListOption =
  readonly number[] | Int32Array | { readonly tokens: Int32Array; readonly offsets: Int32Array };

export interface SamplingOptions {
  /** Softmax temperature, one for all rows or one per row; 0 is greedy (the largest logit, ties to the lowest id). Default 1. */
  readonly temperature?: number | Float32Array | undefined;
  /** Keep the k largest logits; 0 (the default) is off. */
  readonly topK?: number | Int32Array | undefined;
  /**
   * Keep the smallest set of most probable tokens that holds at least this much of the mass: a token stays while the mass
   * in front of it is below `topP`. In (0, 1]; 1 (the default) is off.
   */
  readonly topP?: number | Float32Array | undefined;
  /** Keep tokens with at least this share of the largest probability, in [0, 1]; 0 (the default) is off. */
  readonly minP?: number | Float32Array | undefined;
  /** Locally typical sampling (arXiv 2202.00666), in (0, 1]; 1 (the default) is off. */
  readonly typicalP?: number | Float32Array | undefined;
  /** Keep logits within n standard deviations of the largest (arXiv 2411.07641); 0 (the default) is off. */
  readonly topNSigma?: number | Float32Array | undefined;
  /** With this probability, of all tokens that reach the threshold only the least probable stays. Default off. */
  readonly xtc?: { readonly probability: number | Float32Array; readonly threshold: number } | undefined;
  /** Order of the steps: an engine's, or a list. Default: {@link SamplingOrder} `'default'`, temperature first. */
  readonly order?: SamplingOrder | readonly SamplingStep[] | undefined;
  /** `'below'`: a token stays while the mass in front of it is < topP; `'upTo'` (default in order `'sglang'`): <= topP. */
  readonly topPRule?: 'below' | 'upTo' | undefined;
  /** Of tokens with equal logits at the cut of top-k or top-p stay `'lowestId'`s, or `'all'` (default in order `'flashinfer'`). */
  readonly ties?: 'lowestId' | 'all' | undefined;
  /** `'inverseCdf'` (default): one random number a row; `'gumbel'`: one per token, the largest of logit plus noise. */
  readonly method?: 'inverseCdf' | 'gumbel' | undefined;

  /** Logits become `softcap tanh(x / softcap)` first, raw ones too: it is part of the model. Default off. */
  readonly softcap?: number | undefined;
  /** Tokens that are never drawn. */
  readonly bannedTokens?: TokenListOption | undefined;
  /** The only tokens that may be drawn; one list for all rows. */
  readonly allowedTokens?: readonly number[] | Int32Array | undefined;
  /** Added to the logits of these tokens. */
  readonly logitBias?: ReadonlyMap<number, number> | undefined;
  /** `stopTokens` are banned while the output has fewer tokens than this. Default 0. */
  readonly minTokens?: number | Int32Array | undefined;
  readonly stopTokens?: TokenListOption | undefined;
  /** r > 0: logits of tokens in prompt or output are divided by r where positive, multiplied where negative; 1 is off. */
  readonly repetitionPenalty?: number | Float32Array | undefined;
  /** Subtracted from the logits of tokens that occur in the output; 0 is off. */
  readonly presencePenalty?: number | Float32Array | undefined;
  /** Subtracted once for each occurrence in the output; 0 is off. */
  readonly frequencyPenalty?: number | Float32Array | undefined;
  /** n: no n-gram of prompt and output occurs twice; 0 is off. */
  readonly noRepeatNgram?: number | Int32Array | undefined;
  /** DRY: a token that extends a repetition of the last m tokens loses `multiplier * base ** (m - allowedLength)`. */
  readonly dry?:
    | {
        readonly multiplier: number;
        readonly base?: number;
        readonly allowedLength?: number;
        readonly breakers?: TokenListOption;
      }
    | undefined;

  /** What to return; default token, logprob, rawLogprob. */
  readonly outputs?: readonly SamplingOutput[] | undefined;
  /** Also return the n tokens of largest raw log-prob of each row; default 0. */
  readonly topLogprobs?: number | undefined;
  /** Also return the raw log-probs of these tokens. */
  readonly logprobTokens?: TokenListOption | undefined;
  /** Most threads to use; default: the whole pool. The result never depends on it. */
  readonly threads?: number | undefined;
  /** Where to compute; default `'cpu'`. On a GPU the arrays are copied there and back: the bits are the same. */
  readonly device?: Device | undefined;
}

/** Lists as the addon takes them. */
export interface PackedLists {
  readonly tokens: Int32Array | undefined;
  readonly offsets: Int32Array | undefined;
}

const NO_LISTS: PackedLists = { tokens: undefined, offsets: undefined };

/** Checks a token list option; offsets must be `rows + 1` ascending numbers from 0 (unchecked while `rows` is null). */
export function packedLists(field: string, option: TokenListOption | undefined, rows: number | null): PackedLists {
  if (option === undefined) return NO_LISTS;
  if (option instanceof Int32Array) return { tokens: option, offsets: undefined };
  if (Array.isArray(option)) {
    const list = option as readonly number[];
    const bad = list.findIndex((token) => !Number.isInteger(token) || token < 0 || token > 0x7fffffff);
    if (bad >= 0) throw invalidValue(`${field}[${bad}]`, 'a token id', list[bad]);
    return { tokens: Int32Array.from(list), offsets: undefined };
  }
  const { tokens, offsets } = option as { tokens: Int32Array; offsets: Int32Array };
  int32(`${field}.tokens`, tokens);
  int32(`${field}.offsets`, offsets, rows === null ? undefined : rows + 1);
  for (let i = 0; i < offsets.length; i++) {
    const least = i === 0 ? 0 : (offsets[i - 1] ?? 0);
    const value = offsets[i] ?? -1;
    if (value < least || value > tokens.length || (i === 0 && value !== 0)) {
      throw invalidValue(`${field}.offsets[${i}]`, `in order, from 0 to ${tokens.length}`, value);
    }
  }
  return { tokens, offsets };
}

/** The bitmask words of a list of allowed tokens. */
function maskOf(tokens: readonly number[] | Int32Array): Int32Array {
  const { tokens: ids } = packedLists('options.allowedTokens', tokens, null);
  const largest = ids?.reduce((a, b) => Math.max(a, b), -1) ?? -1;
  const mask = new Int32Array(Math.max(1, Math.floor(largest / 32) + 1)); // One word of zeros bans everything.
  ids?.forEach((id) => {
    mask[id >> 5] = (mask[id >> 5] ?? 0) | (1 << (id & 31));
  });
  return mask;
}

function stepCodes(order: SamplingOptions['order']): Uint8Array {
  const steps: readonly SamplingStep[] | undefined =
    typeof order === 'object'
      ? order
      : (ORDERS as Partial<Record<string, readonly SamplingStep[]>>)[order ?? 'default'];
  if (steps === undefined)
    throw invalidValue('options.order', `one of ${Object.keys(ORDERS).join(', ')}, or a list`, order);
  if (steps.length > MAX_STEPS) throw invalidValue('options.order', `of at most ${MAX_STEPS} steps`, steps);
  const unknown = steps.findIndex((step) => !STEPS.includes(step));
  if (unknown >= 0) throw invalidValue(`options.order[${unknown}]`, `one of ${STEPS.join(', ')}`, steps[unknown]);
  if (!steps.includes('temperature')) {
    throw new CrossThinkError('ERR_INVALID_ARG_VALUE', "options.order must contain 'temperature'", {
      field: 'options.order',
    });
  }
  return Uint8Array.from(steps, (step) => STEPS.indexOf(step));
}

const finite = (x: number): boolean => Number.isFinite(x);
const inUnit = (x: number): boolean => x >= 0 && x <= 1;
const partOfOne = (x: number): boolean => x > 0 && x <= 1;

/** Parameters that may differ from row to row. */
type RowParameters = Record<
  'temperature' | 'topP' | 'minP' | 'typicalP' | 'topNSigma' | 'xtc' | 'repetition' | 'presence' | 'frequency',
  RowParameter<Float32Array>
> &
  Record<'topK' | 'minTokens' | 'noRepeatNgram', RowParameter<Int32Array>>;

/** Settings with everything that does not depend on the number of rows checked and packed. */
export class PackedSampling {
  readonly steps: Uint8Array;
  readonly allowed: Int32Array | undefined;
  readonly biasTokens: Int32Array | undefined;
  readonly bias: Float32Array | undefined;
  readonly dry: Float64Array;
  readonly topLogprobs: number;
  readonly #scalars: RowParameters & { readonly settings: Float64Array };
  readonly #perRow: boolean;

  constructor(readonly options: SamplingOptions) {
    this.steps = stepCodes(options.order);
    this.allowed = options.allowedTokens === undefined ? undefined : maskOf(options.allowedTokens);
    if (options.logitBias !== undefined) {
      if (!(options.logitBias instanceof Map)) throw invalidType('options.logitBias', 'a Map', options.logitBias);
      const entries = Array.from(options.logitBias as ReadonlyMap<number, number>);
      this.biasTokens = packedLists(
        'options.logitBias',
        entries.map(([token]) => token),
        null,
      ).tokens;
      this.bias = Float32Array.from(entries, ([token, bias]: [number, number]) => {
        if (bias !== -Infinity && !Number.isFinite(bias))
          throw invalidValue(`options.logitBias[${token}]`, 'finite or -Infinity', bias);
        return bias;
      });
    }
    const { multiplier = 0, base = 1.75, allowedLength = 2 } = options.dry ?? {};
    this.dry = Float64Array.of(
      numberIn('options.dry.multiplier', multiplier, 0, 0, 3e38),
      numberIn('options.dry.base', base, 1.75, 1, 1e6),
      numberIn('options.dry.allowedLength', allowedLength, 2, 1, 2 ** 31 - 1),
    );
    this.topLogprobs = numberIn('options.topLogprobs', options.topLogprobs, 0, 0, 2 ** 20);
    for (const [field, value, names] of [
      ['options.topPRule', options.topPRule, ['below', 'upTo']],
      ['options.ties', options.ties, ['lowestId', 'all']],
      ['options.method', options.method, ['inverseCdf', 'gumbel']],
    ] as const) {
      if (value !== undefined && !(names as readonly string[]).includes(value))
        throw invalidValue(field, `one of ${names.join(', ')}`, value);
    }
    this.#scalars = this.#withSettings(this.#parameters(null));
    this.#perRow = Object.values({ ...options, xtc: options.xtc?.probability }).some((value) =>
      ArrayBuffer.isView(value),
    );
  }

  /** Row parameters for `rows` rows, checked, with the `settings` of the native call. */
  rows(rows: number) {
    return this.#perRow ? this.#withSettings(this.#parameters(rows)) : this.#scalars;
  }

  /** In the order of ReadSampling in native/addon/sampling_arguments.cpp. */
  #withSettings(p: RowParameters) {
    const { options } = this;
    const rules = typeof options.order === 'string' ? CUT_RULES[options.order] : undefined;
    const { topPRule = rules?.topPRule, ties = rules?.ties } = options;
    const settings = Float64Array.of(
      ...[p.temperature.scalar, p.topK.scalar, p.topP.scalar, p.minP.scalar, p.typicalP.scalar, p.topNSigma.scalar],
      ...[p.xtc.scalar, options.xtc?.threshold ?? 0],
      ...[topPRule === 'upTo' ? 1 : 0, options.method === 'gumbel' ? 1 : 0],
      ...[options.softcap ?? 0, p.minTokens.scalar, p.repetition.scalar, p.presence.scalar, p.frequency.scalar],
      ...[p.noRepeatNgram.scalar, ties === 'all' ? 1 : 0],
    );
    return { ...p, settings };
  }

  /** Scalars only while `rows` is null. */
  #parameters(rows: number | null): RowParameters {
    const o = this.options;
    const n = rows ?? 0;
    const known = <T>(value: number | T | undefined): number | T | undefined =>
      rows === null && typeof value === 'object' ? undefined : value;
    const float = (
      name: string,
      value: number | Float32Array | undefined,
      off: number,
      expected: string,
      test: (x: number) => boolean,
    ): RowParameter<Float32Array> => floatParameter(`options.${name}`, known(value), off, n, expected, test);
    const integer = (name: string, value: number | Int32Array | undefined): RowParameter<Int32Array> =>
      integerParameter(`options.${name}`, known(value), 0, n, 0);
    return {
      temperature: float('temperature', o.temperature, 1, 'a finite number >= 0', (x) => x >= 0 && finite(x)),
      topK: integer('topK', o.topK),
      topP: float('topP', o.topP, 1, 'in (0, 1]', partOfOne),
      minP: float('minP', o.minP, 0, 'in [0, 1]', inUnit),
      typicalP: float('typicalP', o.typicalP, 1, 'in (0, 1]', partOfOne),
      topNSigma: float('topNSigma', o.topNSigma, 0, 'a finite number >= 0', (x) => x >= 0 && finite(x)),
      xtc: float('xtc', o.xtc?.probability, 0, 'in [0, 1]', inUnit),
      minTokens: integer('minTokens', o.minTokens),
      repetition: float('repetitionPenalty', o.repetitionPenalty, 1, 'a finite number > 0', (x) => x > 0 && finite(x)),
      presence: float('presencePenalty', o.presencePenalty, 0, 'a finite number', finite),
      frequency: float('frequencyPenalty', o.frequencyPenalty, 0, 'a finite number', finite),
      noRepeatNgram: integer('noRepeatNgram', o.noRepeatNgram),
    };
  }
}
