import { procedural } from '../../lib/data/adapters/procedural';
import { generateRows } from '../../lib/data/procedural/generate';
import type { Question } from '../../lib/data/question';
import { parseTrainConfig, type TrainConfig } from '../../lib/training/config';
import { answerText, buildTokenizer, promptText } from '../../lib/training/format';
import { type QuestionSplit, splitQuestions } from '../../lib/training/questions';
import type { CompactTokenizer } from '../../lib/training/tokenizer';

/** A few dozen open-ended questions of one subject: enough to learn from in a second. */
export function tinyData(family = 'biology'): { tokenizer: CompactTokenizer; questions: QuestionSplit } {
  const rows = generateRows({ perForm: 120 }).filter((row) => row.family === family && row.options === undefined);
  const questions = rows.map((row, i) => procedural.parse(row, { file: 'rows', row: i + 1 }) as Question);
  const texts = questions.map((question, i) => promptText(question) + answerText(rows[i]!.steps, rows[i]!.answer));
  const tokenizer = buildTokenizer(texts, ['a ', 'an '], 160);
  const solutions = new Map(questions.map(({ id }, i) => [id, rows[i]!.steps]));
  return { tokenizer, questions: splitQuestions(questions, tokenizer, solutions) };
}

/** Settings of a run of about a second. */
export function tinyConfig(seed: number, grpo: Record<string, unknown> = {}): TrainConfig {
  return parseTrainConfig({
    seed,
    policy: { width: 32, heads: 2, layers: 1 },
    skill: { steps: 250, batch: 16, learningRate: 5e-3 },
    habit: {
      steps: 40,
      batch: 16,
      learningRate: 2e-3,
      annotator: { skipGeneral: 0, skipMath: 0, wrong: 0.3, unboxed: 0.6 },
    },
    grpo: { steps: 40, prompts: 8, learningRate: 1e-3, blend: 'even', maxNewTokens: 24, ...grpo },
    evaluation: { perSource: 24, samples: 8, every: 20 },
  });
}
