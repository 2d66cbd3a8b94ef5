import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { VerifySettings } from '../../lib/rewards/index.js';
import { formatFault, tagCount, tokenF1, verify } from '../../lib/rewards/index.js';
import { parseOptions } from '../../lib/rewards/row.js';
import type { Option } from '../../lib/data/question.js';

/** One case of an equivalence, grading, choice or format suite (data/C_suites). */
export interface SuiteCase {
  readonly suite: string;
  readonly id: string;
  readonly kind: string;
  readonly gold?: unknown;
  readonly pred?: unknown;
  readonly input?: unknown;
  readonly expected: unknown;
  readonly settings?: Readonly<Record<string, unknown>> | null;
  readonly features: readonly string[];
}

export interface Outcome {
  readonly ours: unknown;
  readonly agrees: boolean;
  readonly detail: string;
}

export function readSuites(folder: string): SuiteCase[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl'))
    .sort()
    .flatMap((name) =>
      readFileSync(join(folder, name), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as SuiteCase),
    );
}

/** The settings of ours that state a suite's convention; undefined where a case is not about a verdict. */
export function conventionOf(row: SuiteCase): VerifySettings | undefined {
  const given = row.settings ?? {};
  switch (row.suite) {
    case 'math-verify':
    case 'lighteval': {
      const places = typeof given['precision'] === 'number' ? { decimalPlaces: given['precision'] } : {};
      if (given['metric'] === 'exact_match' || given['metric'] === 'drop')
        return { comparison: 'text', template: 'none' };
      return {
        preset: 'math-verify',
        ...places,
        ...(String(given['metric']).startsWith('gpqa') ? { letterCase: 'upper' } : {}),
      };
    }
    case 'hendrycks-math':
      return { preset: 'hendrycks-math' };
    case 'slime':
      return given['fn'] === 'grade_answer_verl' || given['strict_box_verify'] === true
        ? { preset: 'verl-dapo', sources: ['boxed'] }
        : { preset: 'verl-dapo' };
    case 'nemo-skills':
      return { preset: 'nemo-skills' };
    case 'nemo-gym':
      return nemoGym(given);
    case 'inspect-ai':
      return inspectAi(given);
    case 'open-instruct':
      return given['verifier'] === 'GSM8KVerifier' ? { sources: ['tail'] } : { preset: 'squad' };
    case 'trl':
    case 'open-r1':
      return { preset: 'math-verify', sources: ['boxed'], wordGolds: 'unscorable', ...reasoning(given) };
    default:
      return undefined;
  }
}

function reasoning(given: Readonly<Record<string, unknown>>): VerifySettings {
  if (given['fn'] !== 'reasoning_accuracy_reward') return {};
  const [close] = (given['reasoning_delimiters'] as string[] | undefined) ?? [];
  return { answerInThinking: 'ignore', ...(close === undefined ? {} : { thinkTags: ['<REASONING_START>', close] }) };
}

function nemoGym(given: Readonly<Record<string, unknown>>): VerifySettings {
  if (given['server'] === 'hotpotqa_qa') return { preset: 'squad' };
  if (given['server'] === 'string_match' || given['server'] === 'equivalence_rule')
    return { comparison: 'text', text: 'exact' };
  const metadata = given['template_metadata'] as { output_regex?: string | string[] } | null | undefined;
  const patterns = [metadata?.output_regex ?? []].flat().filter(compiles);
  const sources = {
    strict_single_letter_boxed: ['boxed'],
    lenient_boxed: ['boxed'],
    lenient_answer_colon: ['anchor'],
  } as const;
  const mode = given['grading_mode'] as keyof typeof sources | null;
  if (given['server'] === 'gpqa_diamond') return { patterns, sources: ['boxed', 'anchor'] };
  return { ...(patterns.length > 0 ? { patterns } : {}), ...(mode == null ? {} : { sources: sources[mode] }) };
}

function compiles(pattern: string): boolean {
  try {
    return new RegExp(pattern) instanceof RegExp;
  } catch {
    return false;
  }
}

function inspectAi(given: Readonly<Record<string, unknown>>): VerifySettings {
  if (given['scorer'] === 'pattern') {
    const pattern = (given['pattern'] as string | undefined) ?? (given['args'] as string[])[0] ?? '';
    const match = given['match_all'] === true ? 'all' : 'any';
    return {
      patterns: [pattern],
      sources: [],
      patternGroups: match,
      patternFlags: given['ignore_case'] === false ? '' : 'i',
      comparison: 'text',
    };
  }
  const [form] = (given['args'] as string[] | undefined) ?? [];
  if (given['scorer'] === 'answer' && form === 'word') {
    return { patterns: ['answer\\s*:\\s*(\\S+?)\\.?\\s*$'], patternFlags: 'i', sources: [] };
  }
  return {};
}

function optionsOf(row: SuiteCase): readonly Option[] {
  const given = row.settings ?? {};
  const options =
    (given['options'] as unknown[] | null | undefined) ??
    (row.kind === 'choice' ? (given['choices'] as unknown[] | null | undefined) : null);
  return options == null || options.length === 0 ? [] : parseOptions(options);
}

/** Judges a case as its suite would ask, and compares with what the suite expects. */
export function judge(row: SuiteCase, override?: VerifySettings): Outcome | undefined {
  if (row.kind === 'format') return judgeFormat(row);
  const convention = conventionOf(row);
  const settings = convention === undefined ? undefined : (override ?? convention);
  if (settings === undefined) return undefined;
  const wanted = expectation(row.expected);
  const responses = Array.isArray(row.pred)
    ? row.pred.map(String)
    : [String((row.pred as string | number | null | undefined) ?? '')];
  const given = row.settings ?? {};
  const gold = row.gold as string | number | readonly string[];
  if (given['verifier'] === 'F1Verifier' || given['metric'] === 'f1_score' || given['fn'] === 'answer_f1_score') {
    const golds = Array.isArray(gold) ? (gold as readonly string[]) : [String(gold)];
    const answer =
      /<answer>([^]*)<\/answer>/.exec(responses[0] ?? '')?.[1] ?? (responses[0] ?? '').replace(/^[^]*<\/think>/, '');
    const score = Math.max(
      ...golds.map((text) => tokenF1(answer, text, { keepArticles: given['metric'] === 'f1_score' })),
    );
    return { ours: score, agrees: Math.abs(score - Number(wanted)) < 1e-9, detail: 'token F1' };
  }
  const options = optionsOf(row);
  const verdicts = responses.map((response) => {
    const question =
      options.length === 0
        ? (gold as string)
        : ({
            form: 'multiple-choice',
            options,
            answer: { type: 'option', value: Array.isArray(gold) ? gold.join('') : String(gold) },
          } as const);
    return verify(response, question, settings);
  });
  const right = verdicts.filter(({ accuracy }) => accuracy === 1).length;
  const first = verdicts[0];
  const detail = `${String(first?.extracted)} ${String(first?.reason)}`;
  if (row.expected === null) return { ours: first?.accuracy, agrees: Number.isNaN(first?.accuracy), detail };
  if (typeof wanted === 'object') {
    return {
      ours: right,
      agrees: sharesOf(wanted, right, responses.length),
      detail: `${right}/${responses.length} ${detail}`,
    };
  }
  return { ours: right === responses.length, agrees: (right === responses.length ? 1 : 0) === wanted, detail };
}

type Shares = Readonly<Record<string, number>>;

function expectation(expected: unknown): number | Shares {
  if (typeof expected === 'boolean') return expected ? 1 : 0;
  if (typeof expected === 'number') return expected > 0 ? (expected === 1 ? 1 : expected) : 0;
  if (typeof expected === 'string') return expected === '42' ? 1 : 0;
  if (Array.isArray(expected)) return Number(expected[0]);
  if (typeof expected === 'object' && expected !== null) {
    const scores = expected as Readonly<Record<string, number | boolean>>;
    if ('acc' in scores) return scores['acc'] === true ? 1 : 0;
    const [only] = Object.values(scores);
    if (Object.keys(scores).every((key) => /^(?:em|f1|extractive_match)$/.test(key))) return Number(only);
    return scores as Shares;
  }
  return 0;
}

function choose(n: number, k: number): number {
  if (k > n || k < 0) return 0;
  let value = 1;
  for (let i = 1; i <= k; i++) value = (value * (n - k + i)) / i;
  return value;
}

/** pass@k, avg@k and G-Pass@k of `right` of `n` samples against what the suite states. */
function sharesOf(wanted: Shares, right: number, n: number): boolean {
  return Object.entries(wanted).every(([key, value]) => {
    const k = Number(/@(?:k:k=)?(\d+)/.exec(key)?.[1] ?? 1);
    const threshold = /@\d+_([\d.]+)$/.exec(key)?.[1];
    if (key.startsWith('m') && threshold === undefined && !key.startsWith('maj')) return true;
    const needed = threshold === undefined ? 1 : Math.max(1, Math.ceil(k * Number(threshold)));
    let share = 0;
    for (let j = needed; j <= k; j++) share += (choose(right, j) * choose(n - right, k - j)) / choose(n, k);
    return Math.abs(share - value) < 0.01;
  });
}

function judgeFormat(row: SuiteCase): Outcome {
  const text = String(row.input);
  const fn = row.settings?.['fn'];
  if (fn === 'tag_count_reward') {
    const ours = tagCount(text, ['<think>\n', '\n</think>\n', '\n<answer>\n', '\n</answer>']);
    return { ours, agrees: ours === row.expected, detail: 'tag count' };
  }
  const template = fn === 'think_format_reward' ? 'think' : 'answer-tag';
  const fault = formatFault(text, { template, allowEmptyThink: true });
  return { ours: fault ?? 'ok', agrees: (fault === null ? 1 : 0) === row.expected, detail: String(fault) };
}
