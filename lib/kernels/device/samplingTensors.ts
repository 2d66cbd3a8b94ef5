import { invalidType, invalidValue } from '../../errors.js';
import { type DType } from '../../native/dtype.js';
import { DeviceTensor } from '../../native/tensor.js';
import { requireInteger } from '../arguments.js';
import { seedOf, sequenceArray, type SamplingKeys, type SamplingPlan } from '../sampling.js';
import { packedLists, type SamplingOutput, type TokenListOption } from '../samplingOptions.js';
import { onDeviceOf, type DeviceCall, type DeviceInput, type OnStream } from './call.js';
import { checkDeviceLogits } from './logits.js';
import { encodeSampling, type SamplingArguments } from './sampling.js';

/** `SamplingKeys` for logits on a device; small arrays may stay on the host. */
export interface DeviceSamplingKeys extends OnStream, Pick<SamplingKeys, 'seed' | 'sample' | 'samples' | 'history'> {
  /** One id per row; on the device int64 or uint64. */
  readonly sequences: SamplingKeys['sequences'] | DeviceTensor;
  /** One per row; on the device int32. */
  readonly positions: DeviceInput<Int32Array>;
  /** As in {@link SamplingKeys}; not where the plan has `allowedTokens`. */
  readonly bitmask?: DeviceInput<Int32Array> | undefined;
  /** Tensors to write into, by the names of the results. */
  readonly out?: Partial<
    Record<'tokens' | 'logprobs' | 'rawLogprobs' | 'ranks' | 'entropy' | 'supportMass' | 'status', DeviceTensor>
  >;
}

/** Results of {@link deviceSample}, on the device; what each is: `SampledTokens`. Their caller disposes them. */
export interface DeviceSampledTokens {
  readonly tokens: DeviceTensor;
  readonly logprobs?: DeviceTensor;
  readonly rawLogprobs?: DeviceTensor;
  readonly ranks?: DeviceTensor;
  readonly entropy?: DeviceTensor;
  readonly supportMass?: DeviceTensor;
  readonly topLogprobs?: { readonly tokens: DeviceTensor; readonly logprobs: DeviceTensor };
  readonly chosenLogprobs?: DeviceTensor;
  readonly status: DeviceTensor;
  /** `tokens`: `[rows, vocab]`, of which the first `sizes[row]` of a row are its kept tokens in ascending order; a row that no
   * filter touched has size 0. */
  readonly keptSet?: { readonly tokens: DeviceTensor; readonly sizes: DeviceTensor };
}

/**
 * `plan.sample` of logits on a GPU: the same bits. Results are new tensors unless given in `keys.out`; nothing waits for the
 * device as long as the keys live there and the plan has neither per-row options nor lists of tokens, which are copied.
 *
 * @param plan its `device` option is ignored: this runs where the logits are.
 * @param logits `[rows, vocab]`, float32, bfloat16 or float16; rows may be strided.
 * @throws CrossThinkError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`; `ERR_NATIVE` where CUDA fails. Bad rows are not
 * errors, see `status`.
 */
export function deviceSample(plan: SamplingPlan, logits: DeviceTensor, keys: DeviceSamplingKeys): DeviceSampledTokens {
  return onDeviceOf('logits', logits, keys.stream, (call) => {
    const rows = rowsOfKeys(keys);
    const tokens = call.output('out.tokens', keys.out?.tokens, 'int32', rows * drawsOf(keys).samples);
    const status = call.output('out.status', keys.out?.status, 'uint8', rows);
    const { args, keptTokens, keptSizes, results } = deviceRows(call, plan, 'logits', logits, keys, { tokens, status });
    encodeSampling<DeviceTensor>(call, args, keptTokens, keptSizes);
    call.run('cudaSample');
    return { ...results, tokens, status };
  });
}

function rowsOfKeys({ positions }: DeviceSamplingKeys): number {
  if (!(positions instanceof DeviceTensor || positions instanceof Int32Array)) {
    throw invalidType('positions', 'an Int32Array or a DeviceTensor', positions);
  }
  return positions.length;
}

function drawsOf(keys: DeviceSamplingKeys) {
  const samples = requireInteger('samples', keys.samples ?? 1, 1, 2 ** 24);
  return { samples, sample: requireInteger('sample', keys.sample ?? 0, 0, 2 ** 24 - samples) };
}

/**
 * The rows of a call on a device, checked: the arguments of the kernel, and what it writes beside `written`; nothing where
 * that is not given.
 */
export function deviceRows(
  call: DeviceCall,
  plan: SamplingPlan,
  field: string,
  logits: DeviceTensor,
  keys: DeviceSamplingKeys,
  written?: { readonly tokens: DeviceTensor; readonly status?: DeviceTensor },
) {
  const { positions, out = {} } = keys;
  const rows = rowsOfKeys(keys);
  const x = checkDeviceLogits(field, logits, rows);
  const { sequences } = keys;
  const fits = <A>(field: string, value: DeviceTensor | A, dtype: DType, length: number): DeviceTensor | A =>
    value instanceof DeviceTensor ? call.checked(field, value, dtype, length) : value;
  const idType = sequences instanceof DeviceTensor && sequences.dtype === 'int64' ? 'int64' : 'uint64';
  const ids = sequences instanceof DeviceTensor ? sequences : sequenceArray(sequences, rows);
  const { bitmask } = keys;
  const { packed } = plan;
  const { options } = packed;
  if (bitmask && (bitmask.length % Math.max(rows, 1) !== 0 || packed.allowed)) {
    throw invalidValue('bitmask', `of rows * words elements, ${rows} rows, and alone: without allowedTokens`, bitmask);
  }
  const p = packed.rows(rows);
  const { samples, sample } = drawsOf(keys);
  const lists = (field: string, option: TokenListOption | undefined) => packedLists(field, option, rows);
  const make = (name: string, dtype: DType, length: number): DeviceTensor =>
    call.output(`out.${name}`, (out as Record<string, DeviceTensor>)[name], dtype, length);
  const wanted = (output: SamplingOutput, name: string, dtype: DType, length: number) =>
    written && plan.outputs.has(output) ? make(name, dtype, length) : undefined;
  const drawn = rows * samples;
  const n = packed.topLogprobs;
  const logprobs = wanted('logprob', 'logprobs', 'float32', drawn);
  const rawLogprobs = wanted('rawLogprob', 'rawLogprobs', 'float32', drawn);
  const ranks = wanted('rank', 'ranks', 'int32', drawn);
  const entropy = wanted('entropy', 'entropy', 'float32', rows);
  const supportMass = wanted('supportMass', 'supportMass', 'float32', rows);
  const top =
    n > 0 ? { tokens: call.allocate([rows, n], 'int32'), logprobs: call.allocate([rows, n], 'float32') } : undefined;
  const chosen = lists('options.logprobTokens', options.logprobTokens);
  const chosenLength = (chosen.offsets === undefined ? rows : 1) * (chosen.tokens?.length ?? 0);
  const chosenLogprobs = chosen.tokens && call.allocate([chosenLength], 'float32');
  const keptTokens = wanted('keptSet', 'keptSet.tokens', 'int32', rows * x.vocab);
  const keptSizes = wanted('keptSet', 'keptSet.sizes', 'int32', rows);
  const banned = lists('options.bannedTokens', options.bannedTokens);
  const stop = lists('options.stopTokens', options.stopTokens);
  const prompt = lists('history.prompt', keys.history?.prompt);
  const output = lists('history.output', keys.history?.output);
  const breakers = lists('options.dry.breakers', options.dry?.breakers);
  // One element a line would be fifty lines.
  // prettier-ignore
  const args: SamplingArguments<DeviceTensor> = [
      logits, x.type, rows, x.vocab, x.stride,
      p.settings, p.temperature.values, p.topK.values, p.topP.values, p.minP.values, p.typicalP.values,
      p.topNSigma.values, p.xtc.values, packed.steps,
      bitmask ? fits('bitmask', bitmask, 'int32', bitmask.length) : packed.allowed, bitmask !== undefined,
      banned.tokens, banned.offsets, stop.tokens, stop.offsets, p.minTokens.values,
      packed.biasTokens, undefined, packed.bias, prompt.tokens, prompt.offsets, output.tokens, output.offsets,
      p.repetition.values, p.presence.values, p.frequency.values, p.noRepeatNgram.values,
      packed.dry, breakers.tokens, breakers.offsets,
      seedOf(keys.seed), fits('sequences', ids, idType, rows), fits('positions', positions, 'int32', rows),
      sample, samples,
      written?.status, written?.tokens, logprobs, rawLogprobs, ranks, entropy, supportMass,
      n, top?.tokens, top?.logprobs, chosen.tokens, chosen.offsets, chosenLogprobs, undefined,
    ];
  const results: Omit<DeviceSampledTokens, 'tokens' | 'status'> = {
    ...(logprobs && { logprobs }),
    ...(rawLogprobs && { rawLogprobs }),
    ...(ranks && { ranks }),
    ...(entropy && { entropy }),
    ...(supportMass && { supportMass }),
    ...(top && { topLogprobs: top }),
    ...(chosenLogprobs && { chosenLogprobs }),
    ...(keptTokens && keptSizes && { keptSet: { tokens: keptTokens, sizes: keptSizes } }),
  };
  return { args, keptTokens, keptSizes, results };
}
