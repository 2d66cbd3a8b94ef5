import { z } from 'zod';
import { BLEND_NAMES } from '../blend/recipe.js';
import { CrossThinkError } from '../errors.js';

const share = z.number().min(0).max(1);
const count = z.number().int().positive();
const rate = z.number().positive();

const policySchema = z.strictObject({
  width: count.default(128),
  layers: count.default(2),
  heads: count.default(4),
  /** Longest prompt and answer together, in tokens. */
  context: count.default(64),
});

const skillSchema = z.strictObject({
  steps: z.number().int().nonnegative().default(2500),
  batch: count.default(32),
  /** Peak; rises over the first 50 steps and falls to 30 % along a cosine. */
  learningRate: rate.default(2e-3),
  weightDecay: z.number().nonnegative().default(0.01),
});

const habitSchema = z.strictObject({
  steps: z.number().int().nonnegative().default(120),
  batch: count.default(32),
  /** Peak; rises over the first 50 steps and falls to 10 % along a cosine. */
  learningRate: rate.default(1e-3),
  weightDecay: z.number().nonnegative().default(0.01),
  /** The simulated weak annotator (annotator.ts). */
  annotator: z
    .strictObject({
      skipMath: share.default(0.5),
      skipGeneral: share.default(0.95),
      wrong: share.default(0.25),
      wrongUnreasoned: share.default(0.4),
      unboxed: share.default(0.12),
    })
    .prefault({}),
});

const grpoSchema = z.strictObject({
  steps: z.number().int().nonnegative().default(200),
  /** Different prompts of a step. */
  prompts: count.default(32),
  /** G: answers sampled per prompt. */
  samples: z.number().int().min(2).default(8),
  temperature: z.number().positive().default(1),
  topP: z.number().positive().max(1).default(1),
  maxNewTokens: count.default(40),
  /** Constant, as in the paper. */
  learningRate: rate.default(1e-4),
  estimator: z.enum(['grpo', 'dr_grpo']).default('grpo'),
  clipLow: z.number().min(0).default(0.2),
  clipHigh: z.number().min(0).default(0.2),
  /** beta of the k3 KL to the policy that the stage started from. */
  klCoef: z.number().min(0).default(0.001),
  aggregation: z.enum(['seq-mean-token-mean', 'token-mean']).default('seq-mean-token-mean'),
  /** Optimiser steps per batch of answers; above 1 the later ones are off-policy and clipping takes effect. */
  minibatches: count.default(1),
  /** Groups whose rewards are all equal teach nothing: `drop` leaves them out of the step, `keep` leaves them in. */
  zeroVariance: z.enum(['drop', 'keep']).default('drop'),
  /** `even`: each subject and form alike; the others are the paper's. */
  blend: z.enum(['even', ...BLEND_NAMES]).default('gpr-up'),
  /** `shuffled-rewards` deals each step's rewards out at random: a control in which nothing can be learned. */
  control: z.enum(['none', 'shuffled-rewards']).default('none'),
});

const evaluationSchema = z.strictObject({
  /** Held-out questions per subject and form. */
  perSource: count.default(40),
  /** Answers per question for pass@1 and pass@8. */
  samples: z.number().int().min(1).default(8),
  /** GRPO steps between small evaluations for the figures. */
  every: count.default(10),
  /** Questions per subject and form in those. */
  smallPerSource: count.default(12),
});

/** Settings of a training run with the reference trainer. Every field has a default. */
export const trainConfigSchema = z.strictObject({
  /** Everything that is drawn follows from it. */
  seed: z.number().int().nonnegative().default(1),
  policy: policySchema.prefault({}),
  skill: skillSchema.prefault({}),
  habit: habitSchema.prefault({}),
  grpo: grpoSchema.prefault({}),
  evaluation: evaluationSchema.prefault({}),
});

export type TrainConfig = z.infer<typeof trainConfigSchema>;

/** Checks settings and fills in defaults; throws `ERR_SCHEMA` naming the field. */
export function parseTrainConfig(value: unknown, file?: string): TrainConfig {
  const parsed = trainConfigSchema.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join('.') ?? '';
  throw new CrossThinkError('ERR_SCHEMA', `setting ${field === '' ? '(top level)' : field}: ${issue?.message ?? ''}`, {
    field,
    ...(file === undefined ? {} : { file }),
  });
}
