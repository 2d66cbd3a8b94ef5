import { logprobBackward, tokenLogprobs } from '../kernels/logprob.js';
import {
  policyLoss,
  type PolicyLossInputs,
  type PolicyLossMetrics,
  type PolicyLossOptions,
  type PolicyLossPreset,
} from '../kernels/policyLoss.js';

/** Loss of a GRPO step: a preset, or its parts. */
export interface GrpoStepOptions extends Omit<PolicyLossOptions, 'out'> {
  /** Temperature that the answers were sampled at (default 1): log-probs are those of the scaled logits. */
  readonly temperature?: number;
}

/** Sampled answers, packed: the inputs of `policyLoss` but for the log-probs, which come from the logits. */
export interface GrpoBatch extends Omit<PolicyLossInputs, 'logprobs'> {
  /** Answer tokens, one for each row of logits. */
  readonly tokens: Int32Array;
}

/** Sums over this call; those of micro-batches add up. */
export interface GrpoStepMetrics extends PolicyLossMetrics {
  /** Sum of the policy's entropy over tokens, nats. */
  readonly entropySum: number;
  /** Largest |logprob - oldLogprob| of the batch: 0 on the policy that sampled it. */
  readonly largestDrift: number;
}

/**
 * The part of a GRPO step between a trainer's forward and backward pass: token log-probs, clipped loss, and the loss's
 * gradient to the logits.
 *
 * @param logits float32 `[tokens, vocab]`, overwritten with dLoss/dLogits: no second array of that size is needed.
 * @param batch log-probs, advantages and offsets of the sampled answers, see `policyLoss`.
 * @param options a preset's name, or settings; with micro-batches give the `denominator` of the whole step.
 * @returns the loss, `dLogits` (the memory of `logits`) and metrics.
 * @throws CrossThinkError as `tokenLogprobs` and `policyLoss`.
 */
export function grpoStep(
  logits: Float32Array,
  batch: GrpoBatch,
  options: PolicyLossPreset | GrpoStepOptions = 'grpo',
): { loss: number; dLogits: Float32Array; metrics: GrpoStepMetrics } {
  const { tokens, ...sampled } = batch;
  const { temperature = 1, ...settings } = typeof options === 'string' ? { preset: options } : options;
  const threads = settings.threads === 0 ? undefined : settings.threads;
  const row = { vocab: logits.length / tokens.length, temperature, threads };
  const { logprob, entropy, state } = tokenLogprobs(logits, tokens, row);
  const { loss, dLogprobs, metrics } = policyLoss({ ...sampled, logprobs: logprob }, settings);
  logprobBackward(logits, tokens, { dLogprob: dLogprobs, state }, { ...row, out: logits });
  return {
    loss,
    dLogits: logits,
    metrics: {
      ...metrics,
      entropySum: entropy?.reduce((sum, value) => sum + value, 0) ?? 0,
      largestDrift: logprob.reduce(
        (high, value, i) => Math.max(high, Math.abs(value - (sampled.oldLogprobs[i] ?? 0))),
        0,
      ),
    },
  };
}
