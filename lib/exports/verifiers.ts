import { questionText, renderPrompt } from '../templates/prompt.js';
import { answerJson, type ExportFormat, goldText } from './format.js';

/** Prime Intellect's verifiers: `prompt`, `question`, `answer`, and `info` as JSON text (mixed schemas cannot be structs). */
export const verifiers: ExportFormat = {
  name: 'verifiers',
  follows: 'verifiers a60a606: SingleTurnEnv datasets',
  container: 'jsonl',
  row: (question, _index, options) => ({
    prompt: renderPrompt(question, options),
    question: questionText(question),
    answer: goldText(question),
    task: question.source,
    info: JSON.stringify({
      id: question.id,
      domain: question.domain,
      form: question.form,
      subject: question.subject ?? null,
      answer_json: answerJson(question),
    }),
  }),
};
