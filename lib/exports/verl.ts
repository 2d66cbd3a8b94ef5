import { questionText, renderPrompt } from '../templates/prompt.js';
import { answerJson, type ExportFormat, goldText } from './format.js';

/**
 * verl: `data_source` picks the scorer (set a reward function for `crossthink/…`), `ground_truth` is always text;
 * alternatives and type travel in `extra_info.answer_json`.
 */
export const verl: ExportFormat = {
  name: 'verl',
  follows: 'verl 1dda039 (2026-08): docs/preparation/prepare_data',
  container: 'parquet',
  columns: {
    data_source: 'string',
    prompt: [{ role: 'string', content: 'string' }],
    ability: 'string',
    reward_model: { style: 'string', ground_truth: 'string' },
    extra_info: {
      split: 'string',
      index: 'int64',
      question: 'string',
      answer: 'string',
      answer_json: 'string',
      id: 'string',
      source: 'string',
    },
  },
  row: (question, index, options) => ({
    data_source: `crossthink/${question.source}`,
    prompt: renderPrompt(question, options),
    ability: question.domain,
    reward_model: { style: 'rule', ground_truth: goldText(question) },
    extra_info: {
      split: options.split ?? 'train',
      index,
      question: questionText(question),
      answer: goldText(question),
      answer_json: answerJson(question),
      id: question.id,
      source: question.source,
    },
  }),
};
