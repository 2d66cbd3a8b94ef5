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
  'mmlu_original_csv/test/professional_medicine_test.csv',
  'mmlu_header_index_csv/test/abstract_algebra_test.csv',
  'mmlu_header_index_csv/test/college_physics_test.csv',
  'mmlu_header_index_csv/test/high_school_european_history_test.csv',
  'mmlu_header_index_csv/test/machine_learning_test.csv',
  'mmlu_header_index_csv/test/professional_law_test.csv',
  'agieval/aqua-rat.jsonl',
  'agieval/lsat-lr.jsonl',
  'agieval/sat-en-without-passage.jsonl',
  'commonsenseqa/dev_rand_split.jsonl',
  'mmlu_pro/test.jsonl',
  'medqa/US_4_options_test.jsonl',
  'nemotron_crossthink/roll_general_CrossThink-QA_deal.jsonl',
  'medmcqa/dev.json',
  'mmlu_stem/test.jsonl',
  'aqua/test.json',
];
type Labels = Readonly<Record<string, 0 | 1>>;
const sets = JSON.parse(readFileSync(join(__dirname, 'completeness.labels.json'), 'utf8')) as Record<
  'labels' | 'heldOut',
  Labels
>;
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

function measure(labels: Labels, questions: readonly Question[]) {
  const counts = { truePositive: 0, falsePositive: 0, falseNegative: 0, trueNegative: 0 };
  const byId = new Map(questions.map((question) => [question.id.slice(0, 8), question]));
  for (const [id, label] of Object.entries(labels)) {
    const question = byId.get(id);
    if (question === undefined) throw new Error(`no question ${id} in the files of this test`);
    const found = needsOptions(question) !== undefined;
    if (label === 1) counts[found ? 'truePositive' : 'falseNegative']++;
    else counts[found ? 'falsePositive' : 'trueNegative']++;
  }
  const { truePositive, falsePositive, falseNegative } = counts;
  return {
    precision: truePositive / (truePositive + falsePositive),
    recall: truePositive / (truePositive + falseNegative),
    counts,
  };
}

onReal(
  'the detector of questions that need their options: precision and recall on hand-labelled questions',
  async () => {
    const questions = (await Promise.all(FILES.map(questionsOf))).flat();
    const seen = measure(sets.labels, questions);
    const heldOut = measure(sets.heldOut, questions);
    console.info(`needsOptions: seen ${JSON.stringify(seen)}, held out ${JSON.stringify(heldOut)}`);
    expect(seen.precision).toBeGreaterThanOrEqual(0.85);
    expect(seen.recall).toBeGreaterThanOrEqual(0.85);
    expect(heldOut.precision).toBeGreaterThanOrEqual(0.7);
    expect(heldOut.recall).toBeGreaterThanOrEqual(0.8);
  },
);
