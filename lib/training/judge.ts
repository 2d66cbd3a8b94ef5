import type { JudgedAnswer } from '../evaluation/summary.js';
import { SamplingPlan } from '../kernels/sampling.js';
import { resolveSettings, verifyTarget, type Verdict } from '../rewards/index.js';
import { responseText } from './format.js';
import type { ReferencePolicy } from './policy.js';
import type { TrainingQuestion } from './questions.js';
import { generate, type Generation } from './rollout.js';
import type { CompactTokenizer } from './tokenizer.js';

/** An empty reasoning block counts as formatted: what is rewarded is the right answer, not the length of a thought. */
const SETTINGS = resolveSettings({ allowEmptyThink: true });

/** The reward of one answer; an answer that was cut off has no end and so no format. */
export function judge(item: TrainingQuestion, tokenizer: CompactTokenizer, generation: Generation): Verdict {
  const text = responseText(tokenizer, generation.tokens);
  const verdict = verifyTarget(text, item.target, SETTINGS);
  if (generation.status === 'finished') return verdict;
  return { ...verdict, reward: 0, format: 0 };
}

export interface JudgeOptions {
  readonly samples: number;
  /** 0: greedy. */
  readonly temperature: number;
  readonly maxNewTokens: number;
  readonly seed: number;
}

/** Samples and judges answers to held-out questions. */
export function judgeQuestions(
  policy: ReferencePolicy,
  tokenizer: CompactTokenizer,
  items: readonly TrainingQuestion[],
  { samples, temperature, maxNewTokens, seed }: JudgeOptions,
): JudgedAnswer[] {
  const prompts = items.map(({ prompt }) => prompt);
  const plan = new SamplingPlan({ temperature, outputs: ['token', 'logprob'] });
  const generations = generate(policy, prompts, { plan, samples, seed, endId: tokenizer.endId, maxNewTokens });
  return generations.flatMap((generation) => {
    const item = items[generation.prompt];
    if (item === undefined) return [];
    const { reward, accuracy, format } = judge(item, tokenizer, generation);
    return [{ question: item.question, reward, accuracy, format, tokens: generation.tokens.length }];
  });
}
