import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { adapterOf } from '../../lib/curation/block.js';
import { isDrop } from '../../lib/data/ledger.js';
import type { Question } from '../../lib/data/question.js';
import { readRows } from '../../lib/data/readers/index.js';
import { needsOptions } from '../../lib/templates/completeness.js';

const real = resolve(__dirname, '../../../shared/data/A_questions');
const FILES = [
  'mmlu_original_csv/test/anatomy_test.csv',
  'mmlu_original_csv/test/college_biology_test.csv',
  'mmlu_header_index_csv/test/philosophy_test.csv',
  'mmlu_header_index_csv/test/high_school_microeconomics_test.csv',
  'mmlu_header_index_csv/test/world_religions_test.csv',
  'mmlu_header_index_csv/test/high_school_statistics_test.csv',
  'mmlu_pro/test.jsonl',
  'medqa/US_4_options_test.jsonl',
  'nemotron_crossthink/roll_general_CrossThink-QA_deal.jsonl',
  'medmcqa/dev.json',
  'mmlu_stem/test.jsonl',
  'aqua/test.json',
];
const { labels } = JSON.parse(readFileSync(join(__dirname, 'completeness.labels.json'), 'utf8')) as {
  labels: Readonly<Record<string, 0 | 1>>;
};
const onReal = existsSync(real) ? it : it.skip;
if (!existsSync(real)) console.warn(`skipped: no test data at ${real}`);

async function questionsOf(file: string): Promise<Question[]> {
  const path = join(real, file);
  const questions: Question[] = [];
  for await (const items of await readRows(path)) {
    const adapter = adapterOf({ file: path, adapter: 'auto' }, items);
    for (const item of items) {
      const parsed = 'value' in item ? adapter?.parse(item.value, { file: path, row: item.row }) : undefined;
      if (parsed !== undefined && !isDrop(parsed)) questions.push(parsed);
    }
  }
  return questions;
}

onReal(
  'the detector of questions that need their options: precision and recall on hand-labelled questions',
  async () => {
    const counts = { truePositive: 0, falsePositive: 0, falseNegative: 0, trueNegative: 0 };
    for (const file of FILES) {
      for (const question of await questionsOf(file)) {
        const label = labels[question.id.slice(0, 8)];
        if (label === undefined) continue;
        const found = needsOptions(question) !== undefined;
        if (label === 1) counts[found ? 'truePositive' : 'falseNegative']++;
        else counts[found ? 'falsePositive' : 'trueNegative']++;
      }
    }
    const { truePositive, falsePositive, falseNegative } = counts;
    const precision = truePositive / (truePositive + falsePositive);
    const recall = truePositive / (truePositive + falseNegative);
    console.info(
      `needsOptions: precision ${precision.toFixed(2)}, recall ${recall.toFixed(2)}, ${JSON.stringify(counts)}`,
    );
    expect(Object.values(counts).reduce((a, b) => a + b, 0)).toBe(Object.keys(labels).length);
    expect(precision).toBeGreaterThanOrEqual(0.8);
    expect(recall).toBeGreaterThanOrEqual(0.8);
  },
);
