import { numberIn } from './arguments.js';

export interface EntropyCoefficientOptions {
  /** Mean entropy per token to hold, nats. */
  readonly target: number;
  /** What the coefficient moves by in a step. Default 5e-3. */
  readonly step?: number;
  /** Where it starts, or {@link AdaptiveEntropyCoefficient.value} of a run to resume. Default 0. */
  readonly initial?: number;
  /** Bounds. Defaults 0 and Infinity. */
  readonly least?: number;
  readonly most?: number;
}

/**
 * The entropy bonus that holds the policy's entropy near a target (Skywork-OR1, arXiv 2505.22312): the coefficient c grows by
 * `step` after a training step whose entropy was below the target and shrinks after one above it, and is only applied
 * while the entropy is not above it.
 *
 * ```ts
 * const entropy = new AdaptiveEntropyCoefficient({ target: 0.2 });
 * policyLoss(inputs, { entropyCoef: entropy.next(meanEntropy) }); // of this batch: entropySum / tokens over all ranks
 * ```
 */
export class AdaptiveEntropyCoefficient {
  readonly target: number;
  readonly #step: number;
  readonly #least: number;
  readonly #most: number;
  #value: number;

  /** @throws CrossThinkError for numbers out of range. */
  constructor(options: EntropyCoefficientOptions) {
    this.target = numberIn('options.target', options.target, NaN, 0, Number.MAX_VALUE);
    this.#step = numberIn('options.step', options.step, 5e-3, 0, Number.MAX_VALUE);
    this.#least = numberIn('options.least', options.least, 0, -Number.MAX_VALUE);
    this.#most = numberIn('options.most', options.most, Infinity, this.#least);
    this.#value = numberIn('options.initial', options.initial, Math.max(0, this.#least), this.#least, this.#most);
  }

  /** c: what {@link next} starts from, and what a checkpoint keeps. */
  get value(): number {
    return this.#value;
  }

  /**
   * The coefficient for a step whose mean entropy is `entropy`: c where that is at most the target, else 0. Moves c for the
   * next step. @throws CrossThinkError where `entropy` is no finite number.
   */
  next(entropy: number): number {
    numberIn('entropy', entropy, NaN, -Number.MAX_VALUE, Number.MAX_VALUE);
    const used = entropy <= this.target ? this.#value : 0;
    const moved = this.#value + this.#step * Math.sign(this.target - entropy);
    this.#value = Math.min(this.#most, Math.max(this.#least, moved));
    return used;
  }
}
