import { invalidType } from '../errors.js';
import { sameValue } from './equivalence/value.js';
import { readChoice } from './extraction/choice.js';
import { extractAnswers, type Extraction } from './extraction/extract.js';
import { formatFault } from './format.js';
import { resolveSettings, type ResolvedSettings, type VerifySettings } from './settings.js';
import { readBoolean, readTarget, type Target, type VerifyQuestion } from './target.js';
import type { Reason, Verdict } from './verdict.js';

/**
 * Judges one response against a gold answer by rules alone.
 *
 * `accuracy` is 1 where the response's final answer equals the gold answer, whatever the format; `format` is 1 where
 * the response is `<think>…</think>` followed by a `\boxed{}`; `reward` is their AND (paper.md, section 5). Where the
 * gold cannot be scored, `accuracy` and `reward` are NaN and `reason` starts with `unscorable_gold_`. The verdict is a
 * function of the arguments alone: no clock, no state. Throws CrossThinkError where an argument has the wrong type.
 */
export function verify(response: string, question: VerifyQuestion, settings?: VerifySettings): Verdict {
  return verifyTarget(response, readTarget(question), resolveSettings(settings));
}

/** `verify` with gold and settings already read: for many responses to one question. */
export function verifyTarget(response: string, target: Target, settings: ResolvedSettings): Verdict {
  if (typeof response !== 'string') throw invalidType('response', 'a string', response);
  if (response.length > settings.maximumLength) return verdict(0, 0, null, 'input_too_long');
  const fault = formatFault(response, settings);
  const format = fault === null ? 1 : 0;
  const judged = judge(response, target, settings);
  const accuracy = judged.reason === 'correct' ? 1 : 0;
  if (target.kind === 'unscorable') return verdict(NaN, format, judged.extracted, target.reason);
  return verdict(accuracy, format, judged.extracted, accuracy === 1 && fault !== null ? fault : judged.reason);
}

function verdict(accuracy: number, format: number, extracted: string | null, reason: Reason): Verdict {
  return { reward: accuracy * format, accuracy, format, extracted, reason };
}

interface Judged {
  readonly extracted: string | null;
  readonly reason: Reason;
}

function judge(response: string, target: Target, settings: ResolvedSettings): Judged {
  const found = extractAnswers(response, {
    sources: settings.patterns.length > 0 ? ['regex', ...settings.sources] : settings.sources,
    patterns: settings.patterns,
  });
  const first = found[0];
  if (first === undefined) return { extracted: null, reason: 'no_answer' };
  switch (target.kind) {
    case 'unscorable':
      return { extracted: first.answer, reason: 'wrong' };
    case 'option':
      return judgeOption(found, target);
    case 'boolean':
      return judgeBoolean(found, target.value);
    case 'value':
      return judgeValue(first, target, settings);
  }
}

/** The most trusted span that says anything about the options decides. */
function judgeOption(found: readonly Extraction[], target: Extract<Target, { kind: 'option' }>): Judged {
  for (const extraction of found) {
    for (const text of [extraction.answer, ...extraction.variants]) {
      const choice = readChoice(text, target.options);
      if (choice.kind === 'none') continue;
      if (choice.kind === 'unknown') return { extracted: text, reason: 'unknown_option' };
      if (choice.kind === 'several') return { extracted: text, reason: 'several_answers' };
      const right = choice.labels.every((label) => target.labels.includes(label));
      return { extracted: extraction.answer, reason: right ? 'correct' : 'wrong' };
    }
    // A box or a tag is the answer even where it names no option.
    if (extraction.source === 'boxed' || extraction.source === 'answer-tag' || extraction.source === 'regex') {
      return { extracted: extraction.answer, reason: 'unknown_option' };
    }
  }
  return { extracted: null, reason: 'no_answer' };
}

function judgeBoolean(found: readonly Extraction[], gold: boolean): Judged {
  for (const extraction of found) {
    for (const text of [extraction.answer, ...extraction.variants]) {
      const value = readBoolean(text) ?? readBoolean(/^\W*([a-zA-Z]+)\b/.exec(text)?.[1] ?? '');
      if (value !== null) return { extracted: extraction.answer, reason: value === gold ? 'correct' : 'wrong' };
    }
  }
  return { extracted: found[0]?.answer ?? null, reason: 'wrong' };
}

function judgeValue(first: Extraction, target: Extract<Target, { kind: 'value' }>, settings: ResolvedSettings): Judged {
  const readings = [first.answer, ...first.variants, ...numbersIn(first)];
  const right = readings.some((reading) =>
    target.golds.some((gold) => sameValue(gold, reading, settings, target.tolerance)),
  );
  return { extracted: first.answer, reason: right ? 'correct' : 'wrong' };
}

const literal = /(?<![\w.])[-−]?(?:\\?\$)?(?:\d[\d,]*(?:\.\d+)?|\.\d+)(?:\s?\\?%)?(?![\w])/g;

/** The number prose comes down to: the last of a line, the first after an announcement. */
function numbersIn(extraction: Extraction): string[] {
  if (extraction.source !== 'tail' && extraction.source !== 'anchor' && extraction.source !== 'hash') return [];
  const all = extraction.answer.match(literal) ?? [];
  const number = extraction.source === 'tail' || extraction.answer.includes('=') ? all.at(-1) : all[0];
  return number === undefined ? [] : [number.replace(/,$/, '')];
}
