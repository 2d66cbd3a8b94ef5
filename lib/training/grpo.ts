import { logprobBackward, tokenLogprobs } from '../kernels/logprob.js';
import { policyLoss } from '../kernels/policyLoss.js';

/** Clipping, KL and averaging of the policy loss (paper.md, section 5). */
export interface GrpoLossOptions {
  /** Ratios below 1 - clipLow are clipped (default 0.2). */
  readonly clipLow?: number;
  /** Ratios above 1 + clipHigh are clipped (default 0.2). */
  readonly clipHigh?: number;
  /** Weight beta of the k3 KL divergence from the reference policy (default 0). */
  readonly klCoef?: number;
  /** `seq-mean-token-mean` is GRPO as published (default); `token-mean` weighs all tokens alike. */
  readonly aggregation?: 'token-mean' | 'seq-mean-token-mean';
  /** What the sum is divided by: sequences or tokens of the whole step, where this is a part of it. */
  readonly denominator?: number;
  /** Temperature that the answers were sampled at (default 1): log-probs are those of the scaled logits. */
  readonly temperature?: number;
}

/** Sampled answers, packed. */
export interface GrpoBatch {
  /** [tokens] */
  readonly tokens: Int32Array;
  /** Log-probs under the policy that sampled them [tokens]. */
  readonly oldLogprobs: Float32Array;
  /** Log-probs under the reference policy [tokens]; needed where klCoef is not 0. */
  readonly refLogprobs?: Float32Array;
  /** [sequences] */
  readonly advantages: Float32Array;
  /** [sequences + 1] */
  readonly cuSeqlens: Int32Array;
}

export interface GrpoMetrics {
  readonly tokens: number;
  /** Tokens whose ratio was clipped from below and from above. */
  readonly clippedLow: number;
  readonly clippedHigh: number;
  /** Sum of the k3 estimate over tokens. */
  readonly klSum: number;
  /** Sum of the policy's entropy over tokens, nats. */
  readonly entropySum: number;
  /** Largest |log pi - log pi_old| of the batch: 0 on the policy that sampled it. */
  readonly largestDrift: number;
}

/**
 * The part of a GRPO step between a trainer's forward and backward pass: logits [tokens, vocab] to dLoss/dLogits, which
 * is written over the logits.
 */
export function grpoStep(
  logits: Float32Array,
  batch: GrpoBatch,
  options: GrpoLossOptions = {},
): { loss: number; dLogits: Float32Array; metrics: GrpoMetrics } {
  const { clipLow = 0.2, clipHigh = 0.2, klCoef = 0, aggregation = 'seq-mean-token-mean' } = options;
  const { denominator, temperature = 1 } = options;
  const { tokens, oldLogprobs, refLogprobs, advantages, cuSeqlens } = batch;
  const vocab = logits.length / tokens.length;
  const { logprob, entropy, state } = tokenLogprobs(logits, tokens, { vocab, temperature, entropy: true });
  const { loss, dLogprobs, metrics } = policyLoss(
    { logprobs: logprob, oldLogprobs, advantages, cuSeqlens, ...(refLogprobs === undefined ? {} : { refLogprobs }) },
    { clipLow, clipHigh, klCoef, aggregation, ...(denominator === undefined ? {} : { denominator }) },
  );
  logprobBackward(logits, tokens, { dLogprob: dLogprobs, state }, { vocab, temperature, out: logits });
  return {
    loss,
    dLogits: logits,
    metrics: {
      tokens: tokens.length,
      clippedLow: metrics.clippedLow,
      clippedHigh: metrics.clippedHigh,
      klSum: metrics.klSum,
      entropySum: entropy?.reduce((sum, value) => sum + value, 0) ?? 0,
      largestDrift: logprob.reduce((high, value, i) => Math.max(high, Math.abs(value - (oldLogprobs[i] ?? 0))), 0),
    },
  };
}
