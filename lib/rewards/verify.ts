import type { Option } from '../data/question.js';
import { invalidType } from '../errors.js';
import { Budget, BudgetExceeded } from './budget.js';
import { isMath, prepareGold, sameValue } from './equivalence/value.js';
import { readChoice } from './extraction/choice.js';
import { extractAnswers, type Extraction, type Source } from './extraction/extract.js';
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
  if (judged.reason === 'unscorable_gold_unparsable') return verdict(NaN, format, judged.extracted, judged.reason);
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
  const found = extractAnswers(response, settings);
  const first = found[0];
  if (first === undefined) return { extracted: null, reason: 'no_answer' };
  switch (target.kind) {
    case 'unscorable':
      return { extracted: first.answer, reason: 'wrong' };
    case 'option':
      return judgeOption(found, target, settings);
    case 'boolean':
      return judgeBoolean(found, target.value);
    case 'value':
      return judgeValue(first, target, settings);
  }
}

/** Sources that hold the answer and nothing else: what they say is the answer even where it names no option. */
const explicit: ReadonlySet<Source> = new Set(['boxed', 'answer-tag', 'regex', 'json']);

/** The most trusted span that says anything about the options decides. */
function judgeOption(
  found: readonly Extraction[],
  target: Extract<Target, { kind: 'option' }>,
  settings: ResolvedSettings,
): Judged {
  const { options, labels, every } = target;
  for (const extraction of found) {
    let unknown = false;
    for (const text of [extraction.answer, ...extraction.variants]) {
      const choice = readChoice(text, options, {
        letterCase: settings.letterCase,
        announced: extraction.source !== 'tail',
      });
      if (choice.kind === 'none') continue;
      if (choice.kind === 'unknown') {
        unknown = true;
        break;
      }
      const chosen = choice.labels;
      if (every) {
        const right = chosen.length === labels.length && labels.every((label) => chosen.includes(label));
        return { extracted: text, reason: right ? 'correct' : 'wrong' };
      }
      if (choice.kind === 'several') return { extracted: text, reason: 'several_answers' };
      return {
        extracted: extraction.answer,
        reason: chosen.every((label) => labels.includes(label)) ? 'correct' : 'wrong',
      };
    }
    const byValue = optionByValue(extraction.answer, options, settings);
    if (byValue !== null)
      return { extracted: extraction.answer, reason: labels.includes(byValue) ? 'correct' : 'wrong' };
    if (explicit.has(extraction.source) || unknown) return { extracted: extraction.answer, reason: 'unknown_option' };
  }
  return { extracted: found[0]?.answer ?? null, reason: 'no_answer' };
}

/** Whether a wrong answer is a list of which one item is right: an offer of candidates. */
function offersSeveral(answer: string, equal: (reading: string) => boolean): boolean {
  if (answer.length > 400) return false;
  const items = answer.split(/[,;]|\bor\b|\band\b/).map((item) => item.trim());
  return items.length > 1 && items.length < 10 && items.some((item) => item !== '' && equal(item));
}

/** The one option whose text equals the answer as a value (`0.5` for `\\frac{1}{2}`); null where none or several do. */
function optionByValue(answer: string, options: readonly Option[], settings: ResolvedSettings): string | null {
  const budget = new Budget(settings.budget);
  try {
    if (answer.length > 400 || /^[A-Za-z]$/.test(answer) || !isMath(answer, budget)) return null;
    const equal = options.filter(({ text }) => sameValue(prepareGold(text), answer, settings, budget));
    return equal.length === 1 ? (equal[0]?.label ?? null) : null;
  } catch (error) {
    if (error instanceof BudgetExceeded) return null;
    throw error;
  }
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
  const budget = new Budget(settings.budget);
  const equal = (reading: string): boolean =>
    target.golds.some((gold) => sameValue(gold, reading, settings, budget, target.tolerance));
  try {
    if (settings.wordGolds === 'unscorable' && !target.golds.some(({ text }) => isMath(text, budget))) {
      return { extracted: first.answer, reason: 'unscorable_gold_unparsable' };
    }
    if (first.groups !== undefined && settings.patternGroups !== 'first') {
      const right = settings.patternGroups === 'all' ? first.groups.every(equal) : first.groups.some(equal);
      return { extracted: first.groups.join(' '), reason: right ? 'correct' : 'wrong' };
    }
    for (const reading of [first.answer, ...first.variants]) {
      if (equal(reading)) return { extracted: reading, reason: 'correct' };
    }
    // Prose comes down to the formula or number in it, unless it is a formula itself.
    const wantsValue = target.golds.some(({ number, text }) => number !== null || isMath(text, budget));
    if (wantsValue && first.inner.length > 0 && !isMath(first.answer, budget)) {
      for (const reading of first.inner) {
        if (!isMath(reading, budget)) continue;
        return { extracted: reading, reason: equal(reading) ? 'correct' : 'wrong' };
      }
    }
    return { extracted: first.answer, reason: offersSeveral(first.answer, equal) ? 'several_answers' : 'wrong' };
  } catch (error) {
    if (error instanceof BudgetExceeded) return { extracted: first.answer, reason: 'budget_exhausted' };
    throw error;
  }
}
