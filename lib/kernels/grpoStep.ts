import { checkOffsets, int32 } from './arguments.js';
import { runAsync } from './cancel.js';
import { kernelsOn, type RowKernels } from './device/backend.js';
import { frameFloat64, newFloat32, newUint8, run } from './host.js';
import { checkLogits, floatTypeCode, type FloatType, type LogitsArray, type LogitsShape } from './logits.js';
import { gradientOutput, logprobArguments, type LogprobOptions, type Writable } from './logprob.js';
import { resultCount } from './lossSettings.js';
import {
  checkLossInputs,
  readPolicyLoss,
  type PolicyLossInputs,
  type PolicyLossMetrics,
  type PolicyLossOptions,
  type PolicyLossPreset,
} from './policyLoss.js';

/** How log-probs come from the logits, and a loss: a preset, or its parts. */
export interface GrpoStepOptions
  extends Omit<PolicyLossOptions, 'out'>, LogitsShape, Pick<LogprobOptions, 'softcap' | 'ignoreIndex' | 'keptSet'> {
  /** Temperature that the answers were sampled at, one or one per row (default 1): log-probs are of the scaled logits. */
  readonly temperature?: number | Float32Array | undefined;
  /** Measure the policy's entropy; default true. The entropy bonus needs it. Without it a step reads a little faster. */
  readonly entropy?: boolean | undefined;
  /** Where dLoss/dLogits goes; default: over the logits. */
  readonly out?: LogitsArray | undefined;
  /** Element type of a new gradient array instead: `'float32'`, or that of the logits. */
  readonly outDtype?: FloatType | undefined;
}

/** Sampled answers, packed: the inputs of `policyLoss` but for what comes from the logits. */
export interface GrpoBatch extends Omit<PolicyLossInputs, 'logprobs' | 'entropies'> {
  /** Answer tokens, one for each row of logits. */
  readonly tokens: Int32Array;
}

/** Sums over this call; those of micro-batches add up. */
export interface GrpoStepMetrics extends PolicyLossMetrics {
  /** Largest |logprob - oldLogprob| of the tokens that count: 0 on the policy that sampled them. */
  readonly largestDrift: number;
}

export interface GrpoStep {
  readonly loss: number;
  /** dLoss/dLogits, `[tokens, vocab]` with the stride of the logits: their memory unless `out` or `outDtype` was given. */
  readonly dLogits: LogitsArray;
  /** Log-probs of the tokens, before the step. */
  readonly logprobs: Float32Array;
  /** Entropies of their rows, where measured. */
  readonly entropies?: Float32Array;
  /** Per row a code of `rowStatus`. */
  readonly status: Uint8Array;
  readonly metrics: GrpoStepMetrics;
}

function largestDrift(logprobs: Float32Array, { oldLogprobs, mask }: GrpoBatch): number {
  let largest = 0;
  for (let i = 0; i < logprobs.length; i++) {
    if (mask?.[i] !== 0) largest = Math.max(largest, Math.abs((logprobs[i] ?? 0) - (oldLogprobs[i] ?? 0)));
  }
  return largest;
}

/** Where {@link grpoStep} has the loss and its metrics written. */
const syncResults = frameFloat64(resultCount);

/** The checked arguments of the native step, and what makes its results. */
function prepare(logits: LogitsArray, batch: GrpoBatch, options: GrpoStepOptions, results: Float64Array) {
  const wanted = options.entropy ?? true;
  const tokens = int32('tokens', batch.tokens);
  const rows = tokens.length;
  const x = checkLogits('logits', logits, rows, options);
  const loss = checkLossInputs(batch, rows, wanted, options);
  checkOffsets('cuSeqlens', loss.cuSeqlens, rows, 'tokens');
  const { out, outDtype } = options;
  const d = gradientOutput(x, { out: out ?? (outDtype === undefined ? logits : undefined), outDtype });
  const entropies = wanted ? newFloat32(rows) : undefined;
  const logprobs = newFloat32(rows);
  const status = newUint8(rows);
  const a = logprobArguments(x, tokens, options);
  // prettier-ignore
  const call: Parameters<RowKernels['grpoStep']> = [
    a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11], a[12], a[13],
    loss.sequences, loss.tokenAdvantages, loss.prompts, loss.parameters, loss.cuSeqlens,
    loss.oldLogprobs, loss.advantages, loss.rolloutLogprobs, loss.refLogprobs, loss.weights,
    loss.mask, loss.selected, loss.promptOffsets, status, logprobs, entropies,
    floatTypeCode(d.type), d.stride, d.data, d.streamed, results,
  ];
  const result = (): GrpoStep => {
    const { loss, metrics: sums } = readPolicyLoss(results);
    // Properties are added, not spread: an object made by a spread and one property more has a hidden class of its own.
    const metrics = sums as Writable<GrpoStepMetrics>;
    metrics.largestDrift = largestDrift(logprobs, batch);
    const step: Writable<GrpoStep> = { loss, dLogits: d.data, logprobs, status, metrics };
    if (entropies) step.entropies = entropies;
    return step;
  };
  return { call, result };
}

/**
 * The part of a GRPO step between a trainer's forward and backward pass, in one native call: token log-probs, policy
 * loss, and the loss's gradient to the logits. Two passes over the logits, and nothing of their size besides: the gradient
 * goes over them unless asked otherwise. The bits are those of `tokenLogprobs`, `policyLoss` and `logprobBackward`.
 *
 * @param logits `[tokens, vocab]`, float32, bfloat16 or float16, see {@link LogitsShape}. Overwritten by default.
 * @param batch advantages, earlier log-probs and offsets of the sampled answers, see `policyLoss`.
 * @param options a preset's name, or settings; with micro-batches give the `denominator` of the whole step.
 * @throws CrossThinkError as `tokenLogprobs` and `policyLoss`.
 */
export function grpoStep(
  logits: LogitsArray,
  batch: GrpoBatch,
  options: PolicyLossPreset | GrpoStepOptions = 'grpo',
): GrpoStep {
  const given = typeof options === 'string' ? { preset: options } : options;
  const { call, result } = prepare(logits, batch, given, syncResults);
  run(kernelsOn(given.device).grpoStep, call);
  return result();
}

/**
 * {@link grpoStep} on the worker pool: the event loop goes on. None of the arrays may be touched before it settles.
 *
 * @throws the `signal`'s reason where it was aborted before the end; logits that were to be overwritten then hold parts
 * of both.
 */
export async function grpoStepAsync(
  logits: LogitsArray,
  batch: GrpoBatch,
  options: PolicyLossPreset | (GrpoStepOptions & { readonly signal?: AbortSignal | undefined }) = 'grpo',
): Promise<GrpoStep> {
  const given = typeof options === 'string' ? { preset: options } : options;
  const operation = kernelsOn(given.device).grpoStep;
  return runAsync('grpoStepAsync', given.signal, operation, () =>
    prepare(logits, batch, given, new Float64Array(resultCount)),
  );
}
