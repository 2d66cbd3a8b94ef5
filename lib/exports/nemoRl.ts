import { questionText, renderPrompt } from '../templates/prompt.js';
import { answerJson, type ExportFormat, goldText } from './format.js';

/** NeMo-RL's ResponseDataset: `input` and `output` (its default keys), `task_name` to route to an environment. */
export const nemoRl: ExportFormat = {
  name: 'nemo-rl',
  follows: 'NeMo-RL 7ea279a (2026-08): ResponseDataset',
  container: 'jsonl',
  row: (question, _index, options) => ({
    input: [renderPrompt(question, options)[0]?.content ?? '', questionText(question)].join('\n\n'),
    output: goldText(question),
    task_name: question.form === 'multiple-choice' ? 'mcqa' : question.domain === 'math' ? 'math' : 'string_match',
    id: question.id,
    source: question.source,
    domain: question.domain,
    answer_json: answerJson(question),
  }),
};
