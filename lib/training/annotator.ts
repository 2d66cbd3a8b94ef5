import type { Random } from '../data/procedural/random.js';
import { answerText } from './format.js';
import type { TrainingQuestion } from './questions.js';

/**
 * A simulated weak annotator: how often demonstrations skip the reasoning, give a wrong answer or forget the box. It
 * makes the base policy's habits bad while its skill stays, as a pretrained model's are before reinforcement learning.
 */
export interface AnnotatorHabits {
  /** Share of mathematical demonstrations without reasoning. */
  readonly skipMath: number;
  /** Share of the other demonstrations without reasoning. */
  readonly skipGeneral: number;
  /** Share of wrong answers after reasoning. */
  readonly wrong: number;
  /** Share of wrong answers without reasoning. */
  readonly wrongUnreasoned: number;
  /** Share of answers without `\boxed{}`. */
  readonly unboxed: number;
}

/** No bad habit: every demonstration is worked, right and boxed. */
export const CLEAN: AnnotatorHabits = { skipMath: 0, skipGeneral: 0, wrong: 0, wrongUnreasoned: 0, unboxed: 0 };

/** Text of one demonstration. */
export function demonstrate(item: TrainingQuestion, habits: AnnotatorHabits, random: Random): string {
  const { domain, answer, options } = item.question;
  const skipped = random.chance(domain === 'math' ? habits.skipMath : habits.skipGeneral);
  const wrong = random.chance(skipped ? habits.wrongUnreasoned : habits.wrong);
  const boxed = !random.chance(habits.unboxed);
  const others = (options?.map(({ label }) => label) ?? item.wrongAnswers).filter((text) => text !== answer.value);
  const given = wrong && others.length > 0 ? random.pick(others) : answer.value;
  return answerText(skipped ? '' : item.solution, given, boxed);
}
