import { renderPrompt } from '../templates/prompt.js';
import { answerJson, type ExportFormat, goldText } from './format.js';

/** OpenRLHF: `--input_key input --label_key label --apply_chat_template`; `datasource` reaches the reward function. */
export const openrlhf: ExportFormat = {
  name: 'openrlhf',
  follows: 'OpenRLHF 3c3be62: PromptDataset',
  container: 'jsonl',
  row: (question, _index, options) => ({
    input: renderPrompt(question, options),
    label: goldText(question),
    datasource: `crossthink/${question.source}`,
    id: question.id,
    domain: question.domain,
    answer_json: answerJson(question),
  }),
};
