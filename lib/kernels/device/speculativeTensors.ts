import { invalidValue } from '../../errors.js';
import { type HostArray } from '../../native/dtype.js';
import { DeviceTensor } from '../../native/tensor.js';
import { type SamplingPlan } from '../sampling.js';
import { type SamplingOptions } from '../samplingOptions.js';
import { checkChain, keysOf, type SpeculativeKeys } from '../speculative.js';
import { onDeviceOf, type DeviceInput, type OnStream } from './call.js';
import { deviceRows, type DeviceSamplingKeys } from './samplingTensors.js';
import { callSpeculate } from './speculative.js';

/** `SpeculativeInputs` on a device; small arrays may stay on the host. Draft tokens there that are in no vocabulary are
 * found by the kernel, see `status`. */
export interface DeviceSpeculativeInputs {
  /** `[sequences * (drafts + 1), vocab]`; rows may be strided. */
  readonly targetLogits: DeviceTensor;
  readonly draftTokens: DeviceInput<Int32Array>;
  /** `[sequences * drafts, vocab]`, of the type and vocab of the target's. */
  readonly draftLogits?: DeviceTensor | undefined;
  readonly draftProbabilities?: DeviceInput<Float32Array> | undefined;
  readonly draftPlan?: SamplingPlan | undefined;
}

/** `SpeculativeKeys` for logits on a device. */
export interface DeviceSpeculativeKeys extends OnStream, Pick<SpeculativeKeys, 'seed' | 'sample' | 'history'> {
  readonly sequences: DeviceInput<Int32Array>;
  readonly positions: DeviceInput<Int32Array>;
  readonly bitmask?: DeviceInput<Int32Array> | undefined;
  /** Tensors to write into, by the names of the results. */
  readonly out?: Partial<DeviceSpeculativeTokens> | undefined;
}

/** Results of {@link deviceSpeculativeSample}, on the device; what each is: `SpeculativeTokens`. Their caller disposes them. */
export interface DeviceSpeculativeTokens {
  readonly accepted: DeviceTensor;
  readonly tokens: DeviceTensor;
  readonly logprobs?: DeviceTensor;
  readonly rawLogprobs?: DeviceTensor;
  readonly status: DeviceTensor;
}

/** Whether an option of the plan looks at the tokens before a row, the drafts among them. */
function readsHistory(options: SamplingOptions): boolean {
  const { repetitionPenalty, presencePenalty, frequencyPenalty, noRepeatNgram, dry, minTokens } = options;
  const read = [repetitionPenalty, presencePenalty, frequencyPenalty, noRepeatNgram, dry, minTokens];
  return read.some((option) => option !== undefined);
}

function onHost<A extends HostArray>(array: DeviceInput<A>): A {
  return array instanceof DeviceTensor ? (array.toHost() as A) : array;
}

/**
 * `speculativeSample` of logits on a GPU: the same bits. Results are new tensors unless given in `keys.out`.
 *
 * Keys are per sequence and the kernel's per row: sequences and positions that live on the device are read back, which
 * waits, as are draft tokens where the plan has an option that reads the history. Nothing else waits but for copies of
 * host arrays.
 *
 * @param plan its `device` option is ignored: this runs where the logits are.
 * @throws CrossThinkError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`; `ERR_NATIVE` where CUDA fails.
 */
export function deviceSpeculativeSample(
  plan: SamplingPlan,
  inputs: DeviceSpeculativeInputs,
  keys: DeviceSpeculativeKeys,
): DeviceSpeculativeTokens {
  const { targetLogits, draftTokens, draftLogits, draftPlan = plan } = inputs;
  return onDeviceOf('targetLogits', targetLogits, keys.stream, (call) => {
    const sequences = keys.positions.length;
    const drafts = checkChain({ plan, draftPlan }, sequences, draftTokens, inputs);
    const perSequence = { ...keys, sequences: onHost(keys.sequences), positions: onHost(keys.positions) };
    const rowKeys = (of: SamplingPlan, rows: number): DeviceSamplingKeys => {
      const history = readsHistory(of.options) ? onHost(draftTokens) : undefined;
      const { seed, sample, sequences: ids, positions, history: lists } = keysOf(perSequence, rows, history);
      return { seed, sample, sequences: ids, positions, history: lists };
    };
    const { out = {} } = keys;
    const written = { tokens: call.output('out.tokens', out.tokens, 'int32', sequences * (drafts + 1)) };
    const { logprobs, rawLogprobs } = out;
    const floats = { ...(logprobs && { logprobs }), ...(rawLogprobs && { rawLogprobs }) };
    const targetKeys = { ...rowKeys(plan, drafts + 1), bitmask: keys.bitmask, out: floats };
    const target = deviceRows(call, plan, 'targetLogits', targetLogits, targetKeys, written);
    const draft =
      draftLogits && deviceRows(call, draftPlan, 'draftLogits', draftLogits, rowKeys(draftPlan, drafts)).args;
    const [, type, , vocab] = target.args;
    if (draft && (draft[1] !== type || draft[3] !== vocab)) {
      throw invalidValue('draftLogits', `of ${targetLogits.dtype} and ${vocab} columns, as targetLogits`, draft[3]);
    }
    const tokens = call.operand('draftTokens', draftTokens, 'int32', sequences * drafts);
    const { draftProbabilities } = inputs;
    const chain = {
      draftProbabilities:
        draftProbabilities === undefined
          ? undefined
          : call.operand('draftProbabilities', draftProbabilities, 'float32', sequences * drafts * vocab),
      accepted: call.output('out.accepted', out.accepted, 'int32', sequences),
      status: call.output('out.status', out.status, 'uint8', sequences),
    };
    callSpeculate<DeviceTensor | ArrayBufferView>(call, {
      ...chain,
      ...{ target: target.args, drafts, draftTokens: tokens, draft },
    });
    return { ...target.results, ...written, accepted: chain.accepted, status: chain.status };
  });
}
