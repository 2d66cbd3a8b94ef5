import type binding = require('#binding');

import { invalidValue } from '../errors.js';
import { requireInteger } from './arguments.js';
import {
  packedLists,
  type PackedSampling,
  type SamplingOptions,
  type SamplingOutput,
  type TokenListOption,
} from './samplingOptions.js';

/** What carries the elements of each type: typed arrays, or tensors of a device. */
export interface ArrayKinds {
  int32: unknown;
  float32: unknown;
  uint8: unknown;
}

export interface HostArrays extends ArrayKinds {
  int32: Int32Array;
  float32: Float32Array;
  uint8: Uint8Array;
}

/** Makes, or finds among the caller's, the array that result `name` goes to. */
export type MakeOutput<M extends ArrayKinds> = <K extends keyof ArrayKinds>(
  name: string,
  dtype: K,
  length: number,
) => M[K];

/** Results of a batch of rows; what each is: `SampledTokens`. */
export interface SampledArrays<M extends ArrayKinds> {
  readonly tokens: M['int32'];
  readonly logprobs?: M['float32'];
  readonly rawLogprobs?: M['float32'];
  readonly ranks?: M['int32'];
  readonly entropy?: M['float32'];
  readonly supportMass?: M['float32'];
  readonly topLogprobs?: { readonly tokens: M['int32']; readonly logprobs: M['float32'] };
  readonly chosenLogprobs?: M['float32'];
  readonly status: M['uint8'];
}

/** What the addon takes for a batch of rows: the arguments of `sample` but for the threads. */
export type HostRowArguments = Parameters<typeof binding.sample> extends [...infer Rows, number] ? Rows : never;

type Replaced<T extends readonly unknown[], A> = {
  [K in keyof T]: [Extract<T[K], ArrayBufferView>] extends [never] ? T[K] : T[K] | A;
};

/** The same with arrays of kind A beside those of the host: tensors of a device. */
export type RowArguments<A> = Replaced<HostRowArguments, A>;

/** Checked logits: their type as a code. */
interface Rows<A> {
  readonly data: A;
  readonly type: number;
  readonly rows: number;
  readonly vocab: number;
  readonly stride: number;
}

/** `SamplingKeys` whose arrays have been checked. */
interface Keys<A> {
  readonly seed: number | bigint;
  readonly sequences: A;
  readonly positions: A;
  readonly bitmask: (A & { readonly length: number }) | undefined;
  readonly sample?: number | undefined;
  readonly samples?: number | undefined;
  readonly history?: { readonly prompt?: TokenListOption; readonly output?: TokenListOption } | undefined;
}

function seedArray(seed: unknown): BigUint64Array {
  if (typeof seed === 'bigint') {
    if (seed < 0n || seed >= 1n << 64n) throw invalidValue('seed', 'in [0, 2^64)', seed);
    return BigUint64Array.of(seed);
  }
  return BigUint64Array.of(BigInt(requireInteger('seed', seed, 0)));
}

function bitmaskOf<A>(
  mask: (A & { readonly length: number }) | undefined,
  allowed: Int32Array | undefined,
  rows: number,
): [A | Int32Array | undefined, boolean] {
  if (mask === undefined) return [allowed, false];
  if (rows > 0 && mask.length % rows !== 0)
    throw invalidValue('bitmask', `of rows * words elements, ${rows} rows`, mask);
  if (allowed === undefined) return [mask, true];
  if (!(mask instanceof Int32Array)) throw invalidValue('bitmask', 'on the host beside options.allowedTokens', mask);
  // Both: the caller's rows, each narrowed by the allowed tokens.
  const words = mask.length / rows;
  return [mask.map((word, i) => word & (allowed[i % words] ?? 0)), true];
}

/** Settings in the order of ReadSampling in native/addon/sampling.cpp. */
function settingsOf(options: SamplingOptions, p: ReturnType<PackedSampling['rows']>, sample: number): Float64Array {
  return Float64Array.of(
    ...[p.temperature.scalar, p.topK.scalar, p.topP.scalar, p.minP.scalar, p.typicalP.scalar, p.topNSigma.scalar],
    ...[p.xtc.scalar, options.xtc?.threshold ?? 0],
    ...[options.topPRule === 'upTo' ? 1 : 0, options.method === 'gumbel' ? 1 : 0, options.softcap ?? 0],
    ...[p.minTokens.scalar, p.repetition.scalar, p.presence.scalar, p.frequency.scalar, p.noRepeatNgram.scalar, sample],
  );
}

/** The arguments of the native `sample` for a batch of rows, and where its results go. `kept`: see `newKeptSets`. */
export function samplingCall<M extends ArrayKinds, A>(
  packed: PackedSampling,
  wanted: ReadonlySet<SamplingOutput>,
  x: Rows<A>,
  keys: Keys<A>,
  make: MakeOutput<M>,
  kept?: object,
): { args: RowArguments<A | M[keyof ArrayKinds]>; outputs: SampledArrays<M> } {
  const { rows } = x;
  const { options } = packed;
  const p = packed.rows(rows);
  const samples = requireInteger('samples', keys.samples ?? 1, 1, 2 ** 24);
  const sample = requireInteger('sample', keys.sample ?? 0, 0, 2 ** 24 - samples);
  const lists = (field: string, option: TokenListOption | undefined) => {
    const { tokens, offsets } = packedLists(field, option, rows);
    return [tokens, offsets] as const;
  };
  const output = <K extends keyof ArrayKinds>(output: SamplingOutput, name: string, dtype: K, length: number) =>
    wanted.has(output) ? make(name, dtype, length) : undefined;
  const status = make('status', 'uint8', rows);
  const tokens = make('tokens', 'int32', rows * samples);
  const logprobs = output('logprob', 'logprobs', 'float32', rows * samples);
  const rawLogprobs = output('rawLogprob', 'rawLogprobs', 'float32', rows * samples);
  const ranks = output('rank', 'ranks', 'int32', rows * samples);
  const entropy = output('entropy', 'entropy', 'float32', rows);
  const supportMass = output('supportMass', 'supportMass', 'float32', rows);
  const top = packed.topLogprobs;
  const topLogprobs = top > 0 && {
    tokens: make('topLogprobs.tokens', 'int32', rows * top),
    logprobs: make('topLogprobs.logprobs', 'float32', rows * top),
  };
  const [chosen, chosenOffsets] = lists('options.logprobTokens', options.logprobTokens);
  const chosenLength = chosenOffsets === undefined ? rows * (chosen?.length ?? 0) : (chosen?.length ?? 0);
  const chosenLogprobs = chosen && make('chosenLogprobs', 'float32', chosenLength);
  const none = { tokens: new Int32Array(0), logprobs: new Float32Array(0) };
  const { tokens: topTokens, logprobs: topValues } = topLogprobs || none;
  const args: RowArguments<A | M[keyof ArrayKinds]> = [
    ...([x.data, x.type, rows, x.vocab, x.stride, settingsOf(options, p, sample)] as const),
    ...([p.temperature.values, p.topK.values, p.topP.values, p.minP.values, p.typicalP.values] as const),
    ...([p.topNSigma.values, p.xtc.values, packed.steps] as const),
    ...bitmaskOf(keys.bitmask, packed.allowed, rows),
    ...lists('options.bannedTokens', options.bannedTokens),
    ...lists('options.stopTokens', options.stopTokens),
    p.minTokens.values,
    ...([packed.biasTokens, undefined, packed.bias] as const),
    ...lists('history.prompt', keys.history?.prompt),
    ...lists('history.output', keys.history?.output),
    ...([p.repetition.values, p.presence.values, p.frequency.values, p.noRepeatNgram.values, packed.dry] as const),
    ...lists('options.dry.breakers', options.dry?.breakers),
    ...([seedArray(keys.seed), keys.sequences, keys.positions, samples] as const),
    ...([status, tokens, logprobs, rawLogprobs, ranks, entropy, supportMass] as const),
    ...([top, topTokens, topValues, chosen, chosenOffsets, chosenLogprobs, kept] as const),
  ];
  const outputs: SampledArrays<M> = {
    tokens,
    status,
    ...(logprobs !== undefined && { logprobs }),
    ...(rawLogprobs !== undefined && { rawLogprobs }),
    ...(ranks !== undefined && { ranks }),
    ...(entropy !== undefined && { entropy }),
    ...(supportMass !== undefined && { supportMass }),
    ...(topLogprobs && { topLogprobs }),
    ...(chosenLogprobs !== undefined && { chosenLogprobs }),
  };
  return { args, outputs };
}
