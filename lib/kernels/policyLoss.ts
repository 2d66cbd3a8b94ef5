import { invalidValue } from '../errors.js';
import { type Device } from '../native/device.js';
import { apart, badOffset, checkOffsets, float32, offsets, optional, threadCount, uint8 } from './arguments.js';
import { kernelsOn } from './device/backend.js';
import { frameFloat64, newFloat32 } from './host.js';
import { encodeLossSettings, resultCount, type LossSettings, type PolicyLossPreset } from './lossSettings.js';

export type { Aggregation, PolicyLossPreset } from './lossSettings.js';

/** Packed sequences: sequence s holds tokens `[cuSeqlens[s], cuSeqlens[s + 1])` of every token array. */
export interface PolicyLossInputs {
  /** Log-probs of the tokens under the policy being trained. */
  readonly logprobs: Float32Array;
  /** The same under the policy the ratio refers to: the one before this batch's first update, or the rollout's own. */
  readonly oldLogprobs: Float32Array;
  /** The same as sampled, for `offPolicyLimit`. Default: `oldLogprobs`. */
  readonly rolloutLogprobs?: Float32Array | undefined;
  /** The same under the reference policy; without it there is no KL. */
  readonly refLogprobs?: Float32Array | undefined;
  /** Entropies of the tokens' distributions, for the entropy bonus and its metric. */
  readonly entropies?: Float32Array | undefined;
  /** One per sequence, or one per token. */
  readonly advantages: Float32Array;
  /** One per token: multiplies the policy term. From `rolloutCorrection`. */
  readonly weights?: Float32Array | undefined;
  /** Offsets of the sequences: the first is 0, the last the number of tokens. */
  readonly cuSeqlens: Int32Array;
  /** One byte per token: 0 leaves the token out (prompt, padding). Default: every token counts. */
  readonly mask?: Uint8Array | undefined;
  /** One byte per token, from `selectByCovariance`: the selected have no policy term (Clip-Cov), or, with
   * `loss: 'kl-cov'`, the penalty. */
  readonly selected?: Uint8Array | undefined;
  /** For `'prompt-mean'`: prompt p has sequences `[promptOffsets[p], promptOffsets[p + 1])`. */
  readonly promptOffsets?: Int32Array | undefined;
}

export interface PolicyLossOptions extends LossSettings {
  /** Settings of a paper or a trainer; the other fields override them. Default `'grpo'`: seq-mean-token-mean. */
  readonly preset?: PolicyLossPreset;
  /** Threads to use at most; default: all of the pool. The result does not depend on it. */
  readonly threads?: number;
  /** Where to compute; default `'cpu'`. On a GPU the arrays are copied there and back: the bits are the same. */
  readonly device?: Device;
  /** Arrays to write into instead of new ones; they must not share memory with the inputs. */
  readonly out?: { readonly dLogprobs?: Float32Array; readonly dEntropies?: Float32Array };
}

/**
 * Sums over this call; those of micro-batches and ranks add up. Counts are exact, sums are float64 partials per sequence
 * folded in sequence order. Divide by `tokens` or `sequences` for means.
 */
export interface PolicyLossMetrics {
  /** Valid tokens. */
  readonly tokens: number;
  /** Sequences with a valid token. */
  readonly sequences: number;
  /** Sum over tokens of the policy term, weighted, without aggregation, KL and entropy. */
  readonly policyLossSum: number;
  /** Sum of the KL estimate to the reference, nats. */
  readonly klSum: number;
  /** Sum of the entropies, nats. */
  readonly entropySum: number;
  /** Sum of logprob - oldLogprob, nats: minus the k1 estimate of KL(old, policy). */
  readonly logRatioSum: number;
  /** Sum of the ratios. */
  readonly ratioSum: number;
  /** Sum of the weights; 0 without weights. */
  readonly weightSum: number;
  /** Tokens where the low bound acted: for the clip, ratio below it and A < 0. */
  readonly clippedLow: number;
  /** The same of the high bound: for the clip, ratio above it and A > 0. */
  readonly clippedHigh: number;
  /** Tokens where dual clip or delta acted. */
  readonly clippedDual: number;
  /** Tokens without policy term: selected by Clip-Cov, or of a sequence beyond `offPolicyLimit`. */
  readonly dropped: number;
  /** Valid tokens whose loss is NaN or infinite. */
  readonly nonFinite: number;
}

export interface PolicyLoss {
  /** NaN where an unmasked input is NaN. */
  readonly loss: number;
  /** dL/dlogprob, one per token, exactly 0 at masked tokens. */
  readonly dLogprobs: Float32Array;
  /** dL/dentropy, where `entropies` were given. */
  readonly dEntropies?: Float32Array;
  readonly metrics: PolicyLossMetrics;
}

/** Checks what a loss takes besides log-probs and entropies; `entropies`: whether there will be some. */
export function checkLossInputs(
  inputs: Omit<PolicyLossInputs, 'logprobs' | 'entropies'>,
  tokens: number,
  entropies: boolean,
  settings: LossSettings & { readonly preset?: PolicyLossPreset },
) {
  const cuSeqlens = offsets('cuSeqlens', inputs.cuSeqlens);
  const sequences = cuSeqlens.length - 1;
  const { advantages, promptOffsets } = inputs;
  const tokenAdvantages = float32('advantages', advantages).length !== sequences;
  if (tokenAdvantages && advantages.length !== tokens) {
    throw invalidValue('advantages', `one per sequence (${sequences}) or per token (${tokens})`, advantages);
  }
  if (promptOffsets) checkOffsets('promptOffsets', offsets('promptOffsets', promptOffsets), sequences, 'sequences');
  const { oldLogprobs, rolloutLogprobs, refLogprobs, weights, mask, selected } = inputs;
  return {
    cuSeqlens,
    sequences,
    advantages,
    tokenAdvantages,
    promptOffsets,
    prompts: promptOffsets ? promptOffsets.length - 1 : 0,
    parameters: encodeLossSettings(settings, {
      refLogprobs: refLogprobs !== undefined,
      entropies,
      promptOffsets: promptOffsets !== undefined,
      tokenAdvantages,
    }),
    oldLogprobs: float32('oldLogprobs', oldLogprobs, tokens),
    rolloutLogprobs: optional(float32, 'rolloutLogprobs', rolloutLogprobs, tokens),
    refLogprobs: optional(float32, 'refLogprobs', refLogprobs, tokens),
    weights: optional(float32, 'weights', weights, tokens),
    mask: optional(uint8, 'mask', mask, tokens),
    selected: optional(uint8, 'selected', selected, tokens),
  };
}

/** Where the loss and its metrics are written. */
const results = frameFloat64(resultCount);

/**
 * Policy loss with its gradient to the log-probs (and entropies) in one pass: PPO's clip and its relatives, KL to a
 * reference, entropy bonus, any aggregation. The result is bit-identical on every instruction set and thread count; a
 * sequence's gradients depend on nothing but the sequence and the denominators. Formulas and sources: docs/losses.md.
 *
 * @throws CrossThinkError for wrong types or lengths, offsets out of order, options out of range or without their input.
 */
export function policyLoss(
  inputs: PolicyLossInputs,
  options: PolicyLossPreset | PolicyLossOptions = 'grpo',
): PolicyLoss {
  const given: PolicyLossOptions = typeof options === 'string' ? { preset: options } : options;
  const tokens = float32('logprobs', inputs.logprobs).length;
  const entropies = optional(float32, 'entropies', inputs.entropies, tokens);
  const checked = checkLossInputs(inputs, tokens, entropies !== undefined, given);
  const { cuSeqlens } = checked;
  const { out } = given;
  const dLogprobs = float32('options.out.dLogprobs', out?.dLogprobs ?? newFloat32(tokens), tokens);
  const dEntropies = entropies && float32('options.out.dEntropies', out?.dEntropies ?? newFloat32(tokens), tokens);
  if (out !== undefined) {
    const { oldLogprobs, advantages, rolloutLogprobs, refLogprobs, weights } = checked;
    const arrays = [inputs.logprobs, oldLogprobs, advantages, rolloutLogprobs, refLogprobs, entropies, weights];
    apart('options.out.dLogprobs', dLogprobs, arrays);
    if (dEntropies) apart('options.out.dEntropies', dEntropies, [...arrays, dLogprobs]);
  }
  // prettier-ignore
  const bad = kernelsOn(given.device).policyLoss(
    tokens, checked.sequences, checked.tokenAdvantages, checked.prompts,
    threadCount('options.threads', given.threads), checked.parameters, cuSeqlens,
    inputs.logprobs, checked.oldLogprobs, checked.advantages, checked.rolloutLogprobs,
    checked.refLogprobs, entropies, checked.weights,
    checked.mask, checked.selected, checked.promptOffsets, dLogprobs, dEntropies, results,
  );
  if (bad >= 0) throw badOffset('cuSeqlens', cuSeqlens, bad, tokens, 'tokens');
  const { loss, metrics } = readPolicyLoss(results);
  return dEntropies ? { loss, dLogprobs, dEntropies, metrics } : { loss, dLogprobs, metrics };
}

/** Names the numbers of `results`: the loss, then the LossSum entries of native/kernels/policy_loss/policy_loss.h. */
export function readPolicyLoss(results: Float64Array): { loss: number; metrics: PolicyLossMetrics } {
  const at = (index: number): number => results[index] ?? NaN;
  const metrics = {
    tokens: at(1),
    sequences: at(2),
    policyLossSum: at(3),
    klSum: at(4),
    entropySum: at(5),
    logRatioSum: at(6),
    ratioSum: at(7),
    weightSum: at(8),
    clippedLow: at(9),
    clippedHigh: at(10),
    clippedDual: at(11),
    dropped: at(12),
    nonFinite: at(13),
  };
  return { loss: at(0), metrics };
}
