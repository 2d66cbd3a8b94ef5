import { createHash } from 'node:crypto';
import type { BlendSource } from '../blend/recipe.js';
import { isHeldOut } from '../data/procedural/generate.js';
import type { Question } from '../data/question.js';
import { readTarget, type Target } from '../rewards/index.js';
import { promptText } from './format.js';
import type { CompactTokenizer } from './tokenizer.js';

/** A question made ready for training. */
export interface TrainingQuestion {
  readonly question: Question;
  readonly prompt: readonly number[];
  /** Gold as the reward reads it. */
  readonly target: Target;
  /** Worked steps for the warm start; empty where there are none. */
  readonly solution: string;
  /** Answers of the same kind that are not the question's, for the weak annotator. */
  readonly wrongAnswers: readonly string[];
}

/** Questions split by hash of their text: no question that is tested is ever trained on, in either form. */
export interface QuestionSplit {
  readonly train: readonly TrainingQuestion[];
  readonly test: readonly TrainingQuestion[];
}

/** Makes questions ready and splits them; `solutions` maps question ids to worked steps. */
export function splitQuestions(
  questions: readonly Question[],
  tokenizer: CompactTokenizer,
  solutions: ReadonlyMap<string, string>,
  testShare = 0.2,
): QuestionSplit {
  const answersOf = new Map<string, Set<string>>();
  for (const { subject = '', answer } of questions) {
    if (answer.type === 'option') continue;
    const key = `${subject}/${answer.type}`;
    answersOf.set(key, (answersOf.get(key) ?? new Set()).add(answer.value));
  }
  const lists = new Map([...answersOf].map(([key, answers]) => [key, [...answers]]));
  const ready = questions.map((question): TrainingQuestion => {
    const { subject = '', answer } = question;
    return {
      question,
      prompt: tokenizer.encode(promptText(question)),
      target: readTarget(question),
      solution: solutions.get(question.id) ?? '',
      wrongAnswers: lists.get(`${subject}/${answer.type}`) ?? [],
    };
  });
  const held = new Set(ready.filter(({ question }) => isHeldOut(question.question, testShare)));
  return { train: ready.filter((item) => !held.has(item)), test: [...held] };
}

/** Questions by source of the blend: one source for each subject and form. */
export class QuestionPool {
  readonly #bySource = new Map<string, TrainingQuestion[]>();
  readonly sources: readonly BlendSource[];

  constructor(items: readonly TrainingQuestion[]) {
    for (const item of items) {
      const name = sourceName(item.question);
      const list = this.#bySource.get(name);
      if (list === undefined) this.#bySource.set(name, [item]);
      else list.push(item);
    }
    this.sources = [...this.#bySource].map(([name, list]) => {
      const [first] = list as [TrainingQuestion];
      const hash = createHash('sha256');
      for (const { question } of list) hash.update(question.id);
      const { domain, form } = first.question;
      return { name, domain, form, size: list.length, fingerprint: hash.digest('hex') };
    });
  }

  /** The question a draw of the blend points to. */
  at({ source, index }: { readonly source: string; readonly index: number }): TrainingQuestion {
    const item = this.#bySource.get(source)?.[index];
    if (item === undefined) throw new RangeError(`no question ${index} in source ${source}`);
    return item;
  }
}

/** Name of the blend source that a question belongs to: `subject/form`. */
export function sourceName({ subject = 'other', form }: Pick<Question, 'subject' | 'form'>): string {
  return `${subject}/${form}`;
}
