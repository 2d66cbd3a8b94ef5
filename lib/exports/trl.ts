import { renderPrompt } from '../templates/prompt.js';
import { answerJson, type ExportFormat, goldText } from './format.js';

const LATEX: ReadonlySet<string> = new Set(['integer', 'decimal', 'fraction', 'expression']);

/** TRL's GRPOTrainer: chat `prompt`, and `solution` for `accuracy_reward`, which parses LaTeX; the rest reaches reward functions by name. */
export const trl: ExportFormat = {
  name: 'trl',
  follows: 'TRL f2cd577 (2026-07): dataset formats, accuracy_reward',
  container: 'jsonl',
  row: (question, _index, options) => ({
    prompt: renderPrompt(question, options),
    solution: LATEX.has(question.answer.type) ? `$${goldText(question)}$` : goldText(question),
    id: question.id,
    source: question.source,
    domain: question.domain,
    answer_json: answerJson(question),
  }),
};
