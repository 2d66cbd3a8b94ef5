import { filterQuestions } from '../../lib/filters/filter.js';
import { verifiable } from '../../lib/filters/verifiable.js';
import { choiceQuestion, openQuestion } from '../data/fixtures.js';

const words = (n: number): string => Array.from({ length: n }, (_, i) => `w${i}`).join(' ');
const text = (value: string, domain: 'general' | 'math' = 'general') =>
  openQuestion({ domain, answer: { type: 'text', value } });

describe('the filter H(D)', () => {
  it('keeps what a rule can verify and says why the rest goes', () => {
    const questions = [
      choiceQuestion('Q1', ['a', 'b'], 'B'),
      choiceQuestion('Q2', ['a', 'b'], 'C'),
      text(words(10)),
      text(` ${words(11)} `),
      text(words(11), 'math'),
      text(' ', 'math'),
    ];
    const { accepted, ledger } = filterQuestions(questions, [verifiable()]);
    expect(accepted.map(({ id }) => id)).toEqual([questions[0]!.id, questions[2]!.id, questions[4]!.id]);
    expect(ledger.map(({ reason }) => reason)).toEqual(['gold-not-an-option', 'answer-too-long', 'empty-answer']);
    expect(ledger[1]).toMatchObject({ id: questions[3]!.id, source: 'test', file: 'test.jsonl', row: 1 });
    expect(ledger[1]?.detail).toBe('the gold has 11 words; at most 10');
    expect(accepted[0]?.provenance.steps).toEqual(['filter:verifiable']);
  });

  it('takes another limit of words', () => {
    expect(filterQuestions([text(words(11))], [verifiable({ maxWords: 11 })]).ledger).toEqual([]);
  });
});
