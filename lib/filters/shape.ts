import { drop } from '../data/ledger.js';
import { optionAboutOptions } from '../data/options.js';
import type { Answer, Question } from '../data/question.js';
import type { Filter } from './filter.js';

/** The whole text that a question shows: stem and options. */
function shownText(question: Question): string {
  return [question.question, ...(question.options ?? []).map(({ text }) => text)].join('\n');
}

/** Drops multiple choice with an option such as "all of the above": shuffling breaks it (`all-of-the-above`). */
export function noOptionsAboutOptions(): Filter {
  return {
    name: 'no-all-of-the-above',
    check: ({ options }) => {
      const found = optionAboutOptions(options ?? []);
      return found === undefined
        ? undefined
        : drop('all-of-the-above', `option ${found.label} speaks of other options`);
    },
  };
}

/** Drops open-ended golds that name several final answers (`multi-answer`): `5, 10`, `x=1 or x=2`. */
export function singleAnswer(): Filter {
  return {
    name: 'single-answer',
    check: ({ form, answer }) => {
      if (form === 'multiple-choice' || answer.type !== 'expression') return undefined;
      const parts = topLevelParts(answer.value);
      return parts > 1 ? drop('multi-answer', `the gold names ${parts} answers`) : undefined;
    },
  };
}

/** Number of parts of a LaTeX answer at commas, semicolons, "and" and "or" outside any bracket. */
function topLevelParts(text: string): number {
  let depth = 0;
  let parts = 1;
  const plain = text
    .replace(/(\d),\\?!?(\d{3})(?!\d)/g, '$1$2')
    .replace(/\\(?:text|mathrm)\{\s*(and|or)\s*\}/g, ' $1 ');
  for (const token of plain.match(/\\[a-zA-Z]+|\\.|\b(?:and|or)\b|[^\\]/g) ?? []) {
    if (/^[([{]$/.test(token) || token === '\\{' || token === '\\left') depth++;
    else if (/^[)\]}]$/.test(token) || token === '\\}' || token === '\\right') depth--;
    else if (depth <= 0 && /^(?:,|;|and|or)$/.test(token)) parts++;
  }
  return parts;
}

const PROOF =
  /^(?:\([a-z0-9]+\)\s*)?(?:prove|show)\b(?! (?:me|that you))|\b(?:prove|show) (?:that|the following)\b[^?]*$|\bgive a proof\b|证明|求证/i;
const ASKS =
  /[?？]|_{2,}|\\(?:quad|qquad|underline)|\b(?:find|what|which|who|whom|whose|when|where|why|how|determine|compute|calculate|evaluate|solve|simplify|express|factor|give|name|list|write|state|identify|choose|select|estimate|convert|round|order|sort|arrange|count|complete|explain|describe|define|is|are|was|were|does|do|did|can|could|will|would|should|has|have)\b|[=:：(]\s*$|求|则|是|为|下列|多少|几|何|哪/i;

/** Drops proofs (`proof`) and texts that ask nothing (`not-a-question`): a rule cannot verify them. */
export function questionsOnly(): Filter {
  return {
    name: 'questions-only',
    check: ({ question, form, answer }) => {
      const text = question.trim();
      const yesNo = answer.type === 'boolean' || form === 'multiple-choice';
      if (!yesNo && PROOF.test(text)) return drop('proof', 'the question asks for a proof');
      if (form === 'multiple-choice' || ASKS.test(text)) return undefined;
      return drop('not-a-question', 'nothing in the text asks for an answer');
    },
  };
}

const FIGURE =
  /!\[[^\]]*\]\(|<img\b|\.(?:jpe?g|png|gif|svg)\b|\b(?:in|see|from|on|of|the) (?:the )?(?:figures?|diagrams?|pictures?|images?|photographs?|graphs?|drawings?)(?: \d+| [A-Z]\b)? ?(?:below|above|shown|at right|to the right|opposite|provided|given|attached)?|\b(?:as )?(?:shown|pictured|illustrated|depicted) (?:below|above|here|at right|in the)\b|如图|图中|下图|上图/i;
const DRAWN = /\[asy\]|\\begin\{(?:tikzpicture|picture|asy)\}/;
const TABLE =
  /\b(?:the|following|see) tables?(?: \d+)? (?:below|above|shows?|gives?|lists?)|\bin the (?:following )?tables?\b|下表|上表|表中/i;
const TABULAR = /\\begin\{(?:tabular|array|matrix)\}|\|[^|\n]*\|[^|\n]*\||\t|\n[^\n]+,[^\n]+,[^\n]+\n/;
const PASSAGE =
  /\b(?:in|of|from|by|to|the) (?:the )?passage\b|\b(?:the|this) (?:passage|author|narrator|excerpt)(?:'s)?\b|\blines? \d+(?:[-–]\d+)?\b|\bparagraph \d+\b/i;
const MIN_PASSAGE_CHARS = 600;

/** Drops questions whose figure, table or passage is not there (`missing-figure`, `missing-table`, `missing-passage`). */
export function selfContained(): Filter {
  return {
    name: 'self-contained',
    check: (question) => {
      const text = shownText(question);
      const figure = FIGURE.exec(text);
      if (figure !== null && !DRAWN.test(text)) return drop('missing-figure', `speaks of "${figure[0].trim()}"`);
      const table = TABLE.exec(text);
      if (table !== null && !TABULAR.test(text)) return drop('missing-table', `speaks of "${table[0].trim()}"`);
      const passage = PASSAGE.exec(text);
      if (passage !== null && text.length < MIN_PASSAGE_CHARS) {
        return drop('missing-passage', `speaks of "${passage[0].trim()}", and there is none`);
      }
      return undefined;
    },
  };
}

/** Bounds of a question's length; absent bounds do not count. */
export interface LengthBounds {
  readonly minChars?: number;
  readonly maxChars?: number;
  readonly maxWords?: number;
}

/** Drops questions outside the bounds (`too-short`, `too-long`), options included. */
export function lengthWithin(bounds: LengthBounds): Filter {
  const { minChars = 0, maxChars = Infinity, maxWords = Infinity } = bounds;
  return {
    name: 'length',
    check: (question) => {
      const text = shownText(question);
      if (text.length < minChars) return drop('too-short', `${text.length} characters; at least ${minChars}`);
      if (text.length > maxChars) return drop('too-long', `${text.length} characters; at most ${maxChars}`);
      if (maxWords === Infinity) return undefined;
      const words = text.split(/\s+/).length;
      return words > maxWords ? drop('too-long', `${words} words; at most ${maxWords}`) : undefined;
    },
  };
}

/** Keeps only answers of these types (`answer-type`). */
export function answerTypes(keep: readonly Answer['type'][]): Filter {
  return {
    name: 'answer-type',
    check: ({ answer }) =>
      keep.includes(answer.type)
        ? undefined
        : drop('answer-type', `the answer is of type ${answer.type}; kept: ${keep.join(', ')}`),
  };
}

/** Band of pass rates to keep, both ends included. */
export interface PassRateBand {
  readonly min?: number;
  readonly max?: number;
  /** What to do without a measured pass rate; default `keep`. */
  readonly missing?: 'keep' | 'drop';
}

/**
 * Difficulty by measured pass rate: `too-hard` below the band, `too-easy` above it. The paper's "drop what the small model
 * solves" is `{ max: 0 }` over rollouts of that model.
 */
export function passRateWithin(band: PassRateBand): Filter {
  const { min = 0, max = 1, missing = 'keep' } = band;
  return {
    name: 'pass-rate',
    check: ({ passRate }) => {
      if (passRate === undefined) {
        return missing === 'drop' ? drop('no-pass-rate', 'no pass rate was measured for the question') : undefined;
      }
      if (passRate < min) return drop('too-hard', `pass rate ${passRate}; at least ${min}`);
      return passRate > max ? drop('too-easy', `pass rate ${passRate}; at most ${max}`) : undefined;
    },
  };
}

/** Drops questions whose prompt has more tokens (`too-many-tokens`). */
export function tokensWithin(max: number, count: (question: Question) => number): Filter {
  return {
    name: 'tokens',
    check: (question) => {
      const tokens = count(question);
      return tokens > max ? drop('too-many-tokens', `the prompt has ${tokens} tokens; at most ${max}`) : undefined;
    },
  };
}
