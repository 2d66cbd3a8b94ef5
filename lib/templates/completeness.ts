import type { Question } from '../data/question.js';

/** Why a multiple-choice question cannot be asked without its options. */
export interface Incompleteness {
  /** Name of the rule that fired. */
  readonly rule: string;
  /** The words that made it fire. */
  readonly evidence: string;
}

type Rule = readonly [name: string, pattern: RegExp];

/**
 * Stems that point at their options. The paper discards such questions ("Which of the following ways we can file
 * taxes?") without saying how it finds them; these rules are ours.
 */
const STEM_RULES: readonly Rule[] = [
  [
    'of-the-following',
    /\b(?:which|what|who|whom|whose|where|when|how many|one|any|all|each|none|some|most|two|three) (?:\w+ ){0,3}?(?:of|from|among) (?:the )?(?:\w+ ){0,2}?(?:following|these|those|below|above)\b(?!-)/i,
  ],
  ['except', /\b(?:EXCEPT|NOT|LEAST)\b|\ball [^?.]*\bexcept\b|\bexcept\b\s*[:?_.]*\s*$/],
  [
    'options-named',
    /\b(?:options?|choices?|alternatives|answers) (?:given |listed |shown )?(?:below|above)\b|\b(?:correct|best|right|most appropriate) (?:option|choice|alternative|answer|statement)\b|\bwhich (?:choice|option|answer)\b/i,
  ],
  ['judged-statements', /\bstatement (?:1|I|A)\b[\s\S]*\bstatement (?:2|II|B)\b(?![\s\S]*\?)/i],
  [
    'select',
    /^\s*(?:select|choose|pick|identify|mark|find) the\b[^.?]*\b(?:option|choice|answer|statement|one|word|sentence|pair)\b/i,
  ],
];

/** Rules for the last sentence only: earlier ones may introduce a table or a passage that is there. */
const ASKING_RULES: readonly Rule[] = [
  [
    'following-list',
    /\b(?:the|these) following\b(?! (?:table|passage|text|figure|graph|data|information|equation|expression|function|reaction|code|program|sequence|series|system|paragraph|excerpt|question|problem|integral|matrix|sum|limit)\b)/i,
  ],
];

/** "None of these" beside numbers: the stem stands alone unless this is the gold. */
const NO_OPTION: Rule = [
  'none-of-the-above',
  /\b(?:none|neither) (?:of )?(?:the |these |those )?(?:above|these|those|choices|options|answers|other choices)\b/i,
];

/** Option texts that mean nothing alone. */
const OPTION_RULES: readonly Rule[] = [
  [
    'all-of-the-above',
    /\b(?:all|both|any|either|some|two) (?:of )?(?:the |these |those )?(?:above|these|those|choices|options|answers|other choices)\b/i,
  ],
  [
    'refers-to-options',
    /^\(?[A-J]\)?\s*(?:,|and|or|&|but)\s*\(?[A-J]\)?(?:\s*(?:,|and|or)\s*\(?[A-J]\)?)*(?:\s+only)?\.?$|\b(?:both|either|neither) \(?[A-J]\)? (?:and|or|nor) \(?[A-J]\b/i,
  ],
];

/**
 * Says why a question needs its options, or undefined where it stands alone. Only meaningful for multiple choice: an
 * open-ended question stands alone by definition.
 */
export function needsOptions(
  question: Pick<Question, 'question' | 'options'> & Partial<Pick<Question, 'answer'>>,
): Incompleteness | undefined {
  const asking = lastSentence(question.question);
  const found = firstMatch(STEM_RULES, question.question) ?? firstMatch(ASKING_RULES, asking);
  if (found !== undefined) return found;
  const completion = openCompletion(asking, question.options ?? []);
  if (completion !== undefined) return completion;
  const gold = question.answer?.type === 'option' ? question.answer.value : undefined;
  for (const { label, text } of question.options ?? []) {
    const rules = gold === undefined || gold === label ? [...OPTION_RULES, NO_OPTION] : OPTION_RULES;
    const inOption = firstMatch(rules, text);
    if (inOption !== undefined) return inOption;
  }
  return undefined;
}

function firstMatch(rules: readonly Rule[], text: string): Incompleteness | undefined {
  for (const [rule, pattern] of rules) {
    const match = pattern.exec(text);
    if (match !== null) return { rule, evidence: match[0].slice(0, 80) };
  }
  return undefined;
}

function lastSentence(text: string): string {
  return (
    text
      .trim()
      .split(/(?<=[.!?])\s+/)
      .at(-1) ?? text
  );
}

const INTERROGATIVE =
  /\?|\b(?:what|which|who|whom|whose|when|where|why|how|find|calculate|compute|determine|evaluate|solve)\b/i;
const CLAUSE_WORDS = 8;

/**
 * A stem that its options continue ("Gene flow between populations results in"): when these are clauses rather than names
 * or numbers, many continuations are true and only the options say which is meant.
 */
function openCompletion(asking: string, options: readonly { readonly text: string }[]): Incompleteness | undefined {
  if (options.length === 0 || INTERROGATIVE.test(asking)) return undefined;
  const words = options.map(({ text }) => text.split(/\s+/).length).sort((a, b) => a - b);
  const median = words[Math.floor(words.length / 2)] ?? 0;
  return median >= CLAUSE_WORDS ? { rule: 'open-completion', evidence: asking.slice(-80) } : undefined;
}
