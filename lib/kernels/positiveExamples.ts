import { type Device } from '../native/device.js';
import { checkOffsets, float32, numberIn, offsets, optional, threadCount, uint8 } from './arguments.js';
import { policyLoss } from './policyLoss.js';

export interface PositiveExampleOptions {
  /** Weight of the term, > 0. Default 0.1, VAPO's. */
  readonly coefficient?: number;
  /** Tokens to divide by; default: the valid ones of the positive sequences of this call. Give the global count where a
   * batch is split: the parts then add up. */
  readonly denominator?: number;
  /** Gradients of the policy loss: the term's are added to them in place, in float32. */
  readonly addTo?: Float32Array;
  readonly threads?: number;
  /** Where to compute; default `'cpu'`. The bits are the same. */
  readonly device?: Device;
}

export interface PositiveExampleLoss {
  /** coefficient · sum of -logprob / denominator, to add to the policy loss; 0 without a positive token. */
  readonly loss: number;
  /** dL/dlogprob: -coefficient / denominator at the valid tokens of positive sequences, else 0; or the sum, in `addTo`. */
  readonly dLogprobs: Float32Array;
  /** Additive: valid tokens of the positive sequences, and the sum of their -logprob. */
  readonly metrics: { readonly tokens: number; readonly nllSum: number };
}

/**
 * VAPO's positive-example term (arXiv 2504.05118): the negative log-likelihood of the responses that were right, beside the
 * policy loss. It is the REINFORCE loss with advantage 1 on those sequences, so every backend has it with the same bits.
 *
 * @param inputs `positives`: one byte per sequence, not 0 where the response was right.
 * @throws CrossThinkError for wrong types, lengths, offsets out of order, options out of range.
 */
export function positiveExampleLoss(
  inputs: {
    readonly logprobs: Float32Array;
    readonly cuSeqlens: Int32Array;
    readonly positives: Uint8Array;
    readonly mask?: Uint8Array | undefined;
  },
  options: PositiveExampleOptions = {},
): PositiveExampleLoss {
  const { logprobs } = inputs;
  const tokens = float32('logprobs', logprobs).length;
  const cuSeqlens = offsets('cuSeqlens', inputs.cuSeqlens);
  checkOffsets('cuSeqlens', cuSeqlens, tokens, 'tokens');
  const positives = uint8('positives', inputs.positives, cuSeqlens.length - 1);
  const mask = inputs.mask ? uint8('mask', inputs.mask, tokens).slice() : new Uint8Array(tokens).fill(1);
  positives.forEach((positive, s) => positive === 0 && mask.fill(0, cuSeqlens[s], cuSeqlens[s + 1]));
  const coefficient = numberIn('options.coefficient', options.coefficient, 0.1, Number.MIN_VALUE, Number.MAX_VALUE);
  const counted = mask.reduce((count, m) => count + (m === 0 ? 0 : 1), 0);
  const denominator = numberIn('options.denominator', options.denominator, Math.max(1, counted), Number.MIN_VALUE);
  const addTo = optional(float32, 'options.addTo', options.addTo, tokens);
  const advantages = new Float32Array(positives.length).fill(1);
  const { loss, dLogprobs, metrics } = policyLoss(
    { logprobs, oldLogprobs: logprobs, advantages, cuSeqlens, mask },
    {
      loss: 'reinforce',
      aggregation: 'token-mean',
      denominator: denominator / coefficient,
      threads: threadCount('options.threads', options.threads),
      ...(options.device && { device: options.device }),
    },
  );
  addTo?.forEach((gradient, t) => (addTo[t] = gradient + (dLogprobs[t] ?? 0)));
  return {
    loss,
    dLogprobs: addTo ?? dLogprobs,
    metrics: { tokens: metrics.tokens, nllSum: metrics.policyLossSum },
  };
}
