import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Option } from '../../lib/data/question.js';
import { verify, type Gold, type Verdict } from '../../lib/rewards/index.js';
import { parseOptions } from '../../lib/rewards/row.js';

/** One model output with a recorded verdict (data/B_outputs). */
export interface Output {
  readonly file: string;
  readonly id: string;
  readonly dataset: string;
  readonly gold: Gold;
  readonly options: readonly Option[];
  readonly response: string;
  readonly theirs: boolean;
  readonly extracted: string | null;
  /** `rule`: recomputable by a rule; `judged`: humans or a language model. */
  readonly kind: 'rule' | 'judged';
}

type Row = Readonly<Record<string, unknown>>;

export function readOutputs(folder: string): Output[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl'))
    .sort()
    .flatMap((name) => {
      const rows = readFileSync(join(folder, name), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Row);
      return rows.flatMap((row, i) =>
        name.startsWith('gsm8k') ? fromGsm8k(row, i) : fromRow(name.replace('.jsonl', ''), row),
      );
    });
}

function fromGsm8k(row: Row, index: number): Output[] {
  const gold = String(row['ground_truth']).split('\nA: ').at(-1) ?? '';
  return ['6b_finetuning', '6b_verification', '175b_finetuning', '175b_verification'].map((model) => {
    const { solution, is_correct } = row[model] as { solution: string; is_correct: boolean };
    return {
      file: 'gsm8k_example_model_solutions',
      id: `${index}/${model}`,
      dataset: 'gsm8k',
      gold,
      options: [],
      response: solution,
      theirs: is_correct,
      extracted: null,
      kind: 'rule',
    };
  });
}

function fromRow(file: string, row: Row): Output[] {
  if (typeof row['is_correct'] !== 'boolean') return [];
  const dataset = String(row['dataset']);
  const multiple = /MMLU|mmlu|gpqa|MedQA|PubMedQA|MedMCQA|mcqa/.test(dataset);
  const options = row['options'] == null ? [] : parseOptions(row['options']);
  // The verdicts of the evaluator's fixtures accept any of the aliases.
  const gold = (Array.isArray(row['aliases']) ? row['aliases'] : row['gold']) as Gold;
  const judged = file.startsWith('efficientqa') || row['judged_by_llm'] === true;
  return [
    {
      file,
      id: String(row['id']),
      dataset,
      gold: multiple && Array.isArray(row['aliases']) ? (row['gold'] as Gold) : gold,
      options: multiple ? options : [],
      response: String(row['response']),
      theirs: row['is_correct'],
      extracted: row['extracted'] == null ? null : (row['extracted'] as string),
      kind: judged ? 'judged' : 'rule',
    },
  ];
}

export function judgeOutput({ gold, options, response }: Output): Verdict {
  if (options.length === 0) return verify(response, gold);
  const [first] = [gold].flat();
  const value = typeof first === 'object' ? first.value : String(first);
  return verify(response, { form: 'multiple-choice', options, answer: { type: 'option', value } });
}
