/** The stages of a run, in order. */
export const STAGES = ['skill', 'habit', 'grpo'] as const;
export type Stage = (typeof STAGES)[number];

/** One line of the metrics log: what a step of the warm start did. */
export interface SupervisedRecord {
  readonly stage: 'skill' | 'habit';
  /** From 0. */
  readonly step: number;
  readonly learningRate: number;
  /** Mean negative log-likelihood of the answer tokens, nats. */
  readonly loss: number;
  readonly gradientNorm: number;
}

/** One line of the metrics log: what a GRPO step did. */
export interface GrpoRecord {
  readonly stage: 'grpo';
  readonly step: number;
  readonly learningRate: number;
  /** Mean reward, accuracy and format of the sampled answers, 0 to 1; the reward before any shuffling. */
  readonly reward: number;
  readonly accuracy: number;
  readonly format: number;
  /** Mean tokens of all answers and of the rewarded ones (null: none was). */
  readonly tokens: number;
  readonly tokensCorrect: number | null;
  readonly truncated: number;
  /** Share of groups whose rewards were all equal; split by which. */
  readonly zeroVariance: number;
  readonly allRight: number;
  readonly allWrong: number;
  /** Of the tokens trained on: loss, entropy and KL per token (nats), clipped shares, gradient norm; 0 where none were. */
  readonly loss: number;
  readonly entropy: number;
  readonly kl: number;
  readonly clippedLow: number;
  readonly clippedHigh: number;
  readonly gradientNorm: number;
  /** Prompts by source of the blend. */
  readonly sources: Readonly<Record<string, number>>;
  /** Mean reward on held-out questions (a small set, one answer each), where it was measured after this step. */
  readonly heldOut?: number;
}

export type StepRecord = SupervisedRecord | GrpoRecord;
