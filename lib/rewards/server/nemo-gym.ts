import { z } from 'zod';
import { lookup } from '../lookup.js';
import { parseOptions } from '../row.js';
import { isSafePattern } from '../patterns.js';
import { resolveSettings, parseSettings, type VerifySettings } from '../settings.js';
import type { Source } from '../extraction/extract.js';
import { fromParts } from '../target.js';
import { verifyTarget } from '../verify.js';

/**
 * The resource-server protocol of NVIDIA NeMo Gym (nemo_gym/base_resources_server.py at 07d6b0d): `/verify` echoes the
 * request and adds the reward; fields it does not know pass through.
 */

const contentPart = z.looseObject({ type: z.string(), text: z.string().optional() });
const outputItem = z.looseObject({
  type: z.string().optional(),
  content: z.union([z.string(), z.array(contentPart)]).nullish(),
});
const scalar = z.union([z.string(), z.number(), z.boolean()]);

const verifyRequest = z.looseObject({
  response: z.union([
    z.string(),
    z.looseObject({ output: z.array(outputItem).optional(), output_text: z.string().optional() }),
  ]),
  expected_answer: z.union([scalar, z.array(scalar)]).nullish(),
  options: z.unknown().optional(),
  grading_mode: z.string().nullish(),
  template_metadata: z.looseObject({ output_regex: z.union([z.string(), z.array(z.string())]).nullish() }).nullish(),
  settings: z.record(z.string(), z.unknown()).nullish(),
});

export type VerifyRequest = z.infer<typeof verifyRequest>;

/** Throws zod's error where a field is wrong. */
export function parseVerifyRequest(body: unknown): VerifyRequest {
  return verifyRequest.parse(body);
}

/** The text a model answered with: all `output_text` parts of its messages, reasoning items left out. */
export function answerText(response: VerifyRequest['response']): string {
  if (typeof response === 'string') return response;
  if (response.output === undefined) return response.output_text ?? '';
  return response.output
    .filter(({ type }) => type === undefined || type === 'message')
    .map(({ content }) => {
      if (content == null) return '';
      if (typeof content === 'string') return content;
      return content.map(({ type, text = '' }) => (type === 'output_text' || type === 'text' ? text : '')).join('');
    })
    .join('\n');
}

/** Where each grading mode of the mcqa server looks for the answer. */
const gradingModes = lookup<readonly Source[]>({
  strict_single_letter_boxed: ['boxed'],
  lenient_boxed: ['boxed'],
  lenient_answer_colon: ['final', 'anchor'],
  lenient_answer_colon_md: ['final', 'anchor'],
});

export interface RewardBody {
  readonly reward: number | null;
  readonly extracted_answer: string | null;
  readonly reason: string;
  readonly reward_components: Readonly<Record<string, number | null>>;
}

/** Judges one request: what the row says (regex, grading mode, settings) wins over `defaults`. */
export function judgeRequest(request: VerifyRequest, defaults: VerifySettings): RewardBody {
  const patterns = [request.template_metadata?.output_regex ?? []].flat().filter(isSafePattern);
  const mode = gradingModes.get(request.grading_mode ?? '');
  const own = request.settings == null ? {} : parseSettings(request.settings);
  const settings = resolveSettings({
    template: 'none',
    ...defaults,
    ...(mode === undefined ? {} : { sources: mode }),
    ...(patterns.length === 0 ? {} : { patterns }),
    ...own,
  });
  const options = request.options == null ? [] : parseOptions(request.options);
  const target = fromParts(request.expected_answer ?? '', options);
  const verdict = verifyTarget(answerText(request.response), target, settings);
  const finite = (value: number): number | null => (Number.isNaN(value) ? null : value);
  return {
    reward: finite(verdict.reward),
    extracted_answer: verdict.extracted,
    reason: verdict.reason,
    reward_components: { accuracy: finite(verdict.accuracy), format: verdict.format },
  };
}

const aggregateRequest = z.looseObject({
  verify_responses: z.array(
    z.looseObject({ _ng_task_index: z.union([z.number(), z.string()]).nullish(), reward: z.number().nullish() }),
  ),
});

/** Mean reward, pass@1 and pass@k per task and over all tasks, from verify responses. */
export function aggregate(body: unknown): object {
  const { verify_responses: responses } = aggregateRequest.parse(body);
  const tasks = new Map<number | string, number[]>();
  let unscorable = 0;
  for (const [i, { _ng_task_index: task, reward }] of responses.entries()) {
    const key = task ?? `row ${i}`;
    const rewards = tasks.get(key) ?? [];
    tasks.set(key, rewards);
    if (reward == null) unscorable++;
    else rewards.push(reward);
  }
  const groups = [...tasks]
    .filter(([, rewards]) => rewards.length > 0)
    .map(([task, rewards]) => ({
      _ng_task_index: task,
      count: rewards.length,
      mean_reward: rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length,
      pass_at_k: rewards.some((reward) => reward > 0) ? 1 : 0,
      zero_variance: rewards.every((reward) => reward === rewards[0]),
    }));
  const all = [...tasks.values()].flat();
  const agent = {
    mean_reward: mean(all),
    'pass@1': mean(groups.map((group) => group.mean_reward)),
    'pass@k': mean(groups.map((group) => group.pass_at_k)),
    zero_variance_share: mean(groups.map((group) => (group.zero_variance ? 1 : 0))),
    rollouts: all.length,
    tasks: groups.length,
    unscorable,
  };
  return {
    group_level_metrics: groups,
    agent_metrics: agent,
    key_metrics: { 'pass@1': agent['pass@1'], mean_reward: agent.mean_reward },
  };
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
