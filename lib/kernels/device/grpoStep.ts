import { type DeviceTensor } from '../../native/tensor.js';
import { resultCount, type LossSettings, type PolicyLossPreset } from '../lossSettings.js';
import { onDeviceOf, type DeviceCall, type DeviceInput, type DeviceOutput } from './call.js';
import { addInput, checkGradient, type DeviceLogprobOptions } from './logprob.js';
import { checkDeviceLogits } from './logits.js';
import { addLossInputs, lossArguments, type DeviceLossInputs, type LossArguments } from './policyLoss.js';

/** What the native step takes behind its logits, on the host or on the device: native/addon/cuda_losses.cpp. */
export interface StepArguments extends LossArguments {
  readonly status: DeviceOutput<Uint8Array>;
  readonly logprobs: DeviceOutput<Float32Array>;
  readonly entropies: DeviceOutput<Float32Array> | undefined;
  readonly dLogits: DeviceTensor | ArrayBufferView;
  readonly dType: number;
  readonly dStride: number;
}

/** Enters what follows the logits and runs the step. */
export function runStep(call: DeviceCall, a: StepArguments): void {
  call.result('options.out.status', a.status, 'uint8', a.tokens);
  call.result('options.out.logprobs', a.logprobs, 'float32', a.tokens);
  call.result('options.out.entropies', a.entropies, 'float32', a.tokens);
  addLossInputs(call, a);
  call.update(a.dLogits).number(a.dType, a.dStride);
  call.run('cudaGrpoStep');
}

/** `GrpoBatch` on a device; small arrays may stay on the host. Offsets on the device are not checked. */
export interface DeviceGrpoBatch extends DeviceLossInputs {
  /** Answer tokens, one for each row of logits. */
  readonly tokens: DeviceInput<Int32Array>;
}

export interface DeviceGrpoStepOptions extends LossSettings, Omit<DeviceLogprobOptions, 'vocabOffset'> {
  readonly preset?: PolicyLossPreset;
  /** Measure the policy's entropy; default true. The entropy bonus needs it. */
  readonly entropy?: boolean | undefined;
  /** Tensors to write into. `dLogits`: float32 or the type of the logits; default: the logits themselves. */
  readonly out?:
    | {
        readonly dLogits?: DeviceTensor;
        readonly logprobs?: DeviceTensor;
        readonly entropies?: DeviceTensor;
        readonly status?: DeviceTensor;
        readonly results?: DeviceTensor;
      }
    | undefined;
}

/** Results of {@link deviceGrpoStep}, on the device; what is new among them the caller disposes. */
export interface DeviceGrpoStep {
  /** dLoss/dLogits: the tensor of the logits unless `out.dLogits` was given. */
  readonly dLogits: DeviceTensor;
  /** Log-probs of the tokens before the step. */
  readonly logprobs: DeviceTensor;
  readonly entropies?: DeviceTensor;
  /** uint8: per row a code of `rowStatus`. */
  readonly status: DeviceTensor;
  /** float64: the loss, then the metrics; `readPolicyLoss` names them. */
  readonly results: DeviceTensor;
}

/**
 * `grpoStep` on a GPU: the same bits. Its kernels run one after another on one stream; nothing is allocated besides results
 * that `out` does not give, and nothing waits, as long as every array lives on the device. What passes between its parts lies
 * in the workspace of the stream.
 *
 * @param logits `[tokens, vocab]`, float32, bfloat16 or float16; rows may be strided. Overwritten by default.
 * @throws CrossThinkError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` for arguments that do not fit together,
 * `ERR_NATIVE` where CUDA fails.
 */
export function deviceGrpoStep(
  logits: DeviceTensor,
  batch: DeviceGrpoBatch,
  options: PolicyLossPreset | DeviceGrpoStepOptions = 'grpo',
): DeviceGrpoStep {
  const given: DeviceGrpoStepOptions = typeof options === 'string' ? { preset: options } : options;
  return onDeviceOf('logits', logits, given.stream, (call) => {
    const { entropy = true, out = {} } = given;
    const rows = batch.tokens.length;
    const x = checkDeviceLogits('logits', logits, rows);
    const dLogits = out.dLogits ?? logits;
    const d = checkGradient('options.out.dLogits', x, dLogits);
    const loss = lossArguments(batch, rows, entropy, given);
    addInput(call, x, batch.tokens, given);
    const status = call.output('options.out.status', out.status, 'uint8', rows);
    const logprobs = call.output('options.out.logprobs', out.logprobs, 'float32', rows);
    const entropies = entropy ? call.output('options.out.entropies', out.entropies, 'float32', rows) : undefined;
    const results = call.output('options.out.results', out.results, 'float64', resultCount);
    const written = { status, logprobs, entropies, results, dLogits };
    runStep(call, { ...loss, ...written, dType: d.type, dStride: d.stride });
    return { dLogits, logprobs, ...(entropies && { entropies }), status, results };
  });
}
