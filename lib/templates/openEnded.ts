import { typedAnswer } from '../data/answer.js';
import { type Drop, drop } from '../data/ledger.js';
import { type Question, questionId } from '../data/question.js';
import { needsOptions } from './completeness.js';

/**
 * The paper's template T_Open: a multiple-choice question without its options, the gold being the right option's text.
 * Questions that are incomplete without options are dropped (`incomplete-without-options`). Open-ended questions stay
 * as they are. One whose id is empty, to be computed later, keeps it so.
 */
export function toOpenEnded(question: Question): Question | Drop {
  if (question.form === 'open-ended') return question;
  const why = needsOptions(question);
  if (why !== undefined) {
    return drop('incomplete-without-options', `the question needs its options (${why.rule}: "${why.evidence}")`);
  }
  const gold = question.options?.find(({ label }) => label === question.answer.value);
  if (gold === undefined) return drop('gold-not-an-option', 'the gold label is none of the options');

  const { source, domain, subject, passRate } = question;
  const answer = typedAnswer(gold.text, domain);
  return {
    id: question.id === '' ? '' : questionId({ source, question: question.question, answer }),
    source,
    domain,
    ...(subject === undefined ? {} : { subject }),
    form: 'open-ended',
    question: question.question,
    answer,
    ...(passRate === undefined ? {} : { passRate }),
    provenance: { ...question.provenance, steps: [...question.provenance.steps, 'template:open-ended'] },
  };
}
