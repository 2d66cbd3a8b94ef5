import { renderPrompt } from '../templates/prompt.js';
import { answerJson, type ExportFormat, goldText } from './format.js';

/** NeMo Gym: rows of the servers mcqa (`lenient_boxed`), math_with_judge and equivalence_llm_judge, routed by `agent_ref`. */
export const nemoGym: ExportFormat = {
  name: 'nemo-gym',
  follows: 'NeMo Gym 07d6b0d (2026-08): resources_servers/{mcqa,math_with_judge,equivalence_llm_judge}',
  container: 'jsonl',
  row: (question, _index, options) => {
    const { id, source, domain, form, passRate } = question;
    const server =
      form === 'multiple-choice' ? 'mcqa' : domain === 'math' ? 'math_with_judge' : 'equivalence_llm_judge';
    return {
      responses_create_params: { input: renderPrompt(question, options) },
      ...(form === 'multiple-choice'
        ? { options: question.options?.map(({ label, text }) => ({ [label]: text })), grading_mode: 'lenient_boxed' }
        : {}),
      question: question.question,
      expected_answer: goldText(question),
      agent_ref: { type: 'responses_api_agents', name: `${server}_simple_agent` },
      uuid: id,
      ...(passRate === undefined ? {} : { pass_rate: passRate }),
      metadata: { source, domain, answer_json: answerJson(question) },
    };
  },
};
