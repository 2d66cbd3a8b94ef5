import type { Question } from '../../lib/data/question.js';
import { needsOptions } from '../../lib/templates/completeness.js';
import { GoldPool } from '../../lib/templates/distractors.js';
import { toMultipleChoice } from '../../lib/templates/multipleChoice.js';
import { toOpenEnded } from '../../lib/templates/openEnded.js';
import { renderPrompt } from '../../lib/templates/prompt.js';
import { accepted, choiceQuestion, openQuestion, reasonOf } from '../data/fixtures.js';

describe('needsOptions', () => {
  it.each([
    'Which of the following ways can we file taxes?',
    'Which one of these is a mammal?',
    'All of these are gases EXCEPT',
    'The following statement is correct about heat:',
    'What is the best answer?',
    'Which is NOT a prime?',
    'Which choice best describes the author?',
  ])('holds for %p', (stem) => {
    expect(needsOptions(choiceQuestion(stem, ['x', 'y']))).toBeDefined();
  });

  it.each([
    'What is the capital of France?',
    'In what year did the war end?',
    'A body of mass 2 kg falls for 3 s. What is its speed?',
    'Consuls live in each of the above-named cities. Who sends them?',
    'The following table shows prices. How much does bread cost in May, in euros?',
  ])('does not hold for %p', (stem) => {
    expect(needsOptions(choiceQuestion(stem, ['x', 'y']))).toBeUndefined();
  });

  it.each(['All of the above', 'Both A and B', 'A and C only', 'Neither A nor B'])('holds for option %p', (text) => {
    expect(needsOptions(choiceQuestion('What is it?', ['x', text]))).toBeDefined();
  });

  it('holds for "none of these" where this is the gold, or the gold is not known', () => {
    const { question, options } = choiceQuestion('What is 2 + 2?', ['4', '5', 'none of these']);
    expect(needsOptions(choiceQuestion(question, ['4', '5', 'none of these'], 'A'))).toBeUndefined();
    expect(needsOptions(choiceQuestion(question, ['5', '6', 'none of these'], 'C'))?.rule).toBe('none-of-the-above');
    expect(needsOptions({ question, ...(options && { options }) })?.rule).toBe('none-of-the-above');
  });

  it('holds for statements to be judged, and nothing asked', () => {
    const stem = 'Statement 1 | Every cycle is even. Statement 2 | Every permutation is a cycle.';
    expect(needsOptions(choiceQuestion(stem, ['True, True', 'True, False']))?.rule).toBe('judged-statements');
    expect(needsOptions(choiceQuestion(`${stem} Is the first one true?`, ['yes', 'no']))).toBeUndefined();
  });
});

describe('toOpenEnded', () => {
  it('leaves the options out, types the gold and notes the step', () => {
    const question = choiceQuestion('How many legs has a spider?', ['6', '8', '10'], 'B');
    const open = accepted(toOpenEnded(question));
    expect(open).toMatchObject({ form: 'open-ended', answer: { type: 'integer', value: '8' }, domain: 'general' });
    expect(open.options).toBeUndefined();
    expect(open.id).not.toBe(question.id);
    expect(open.provenance.steps).toEqual(['template:open-ended']);
  });

  it('drops what is incomplete without options and leaves open questions alone', () => {
    expect(reasonOf(toOpenEnded(choiceQuestion('Which of the following is red?', ['a', 'b'])))).toBe(
      'incomplete-without-options',
    );
    const open = openQuestion();
    expect(toOpenEnded(open)).toBe(open);
  });
});

describe('toMultipleChoice', () => {
  it('makes options with the gold once, in an order that only seed and id decide', () => {
    const question = openQuestion({ answer: { type: 'text', value: 'blue' } });
    const distractors = ['red', 'Blue', 'green', 'red', 'black', 'white'];
    const made = accepted(toMultipleChoice(question, { distractors, seed: 5 }));
    expect(made.options).toHaveLength(4);
    expect(made.options?.map(({ text }) => text).sort()).toEqual(['black', 'blue', 'green', 'red']);
    expect(made.options?.find(({ label }) => label === made.answer.value)?.text).toBe('blue');
    expect(toMultipleChoice(question, { distractors, seed: 5 })).toEqual(made);
    const orders = new Set(
      Array.from({ length: 12 }, (_, seed) => accepted(toMultipleChoice(question, { distractors, seed })).answer.value),
    );
    expect(orders.size).toBeGreaterThan(1);
  });

  it.each([
    ['integer', '7', /^\d+$/],
    ['decimal', '-2.50', /^-?\d+\.\d{2}$/],
  ] as const)('finds near numbers for %s %s', (type, value, shape) => {
    const made = accepted(toMultipleChoice(openQuestion({ answer: { type, value } }), { count: 6 }));
    const texts = made.options?.map(({ text }) => text) ?? [];
    expect(new Set(texts).size).toBe(6);
    for (const text of texts) expect(text).toMatch(shape);
    expect(texts).toContain(value);
  });

  it('drops without distractors and rejects a wrong count', () => {
    expect(reasonOf(toMultipleChoice(openQuestion({ answer: { type: 'text', value: 'blue' } })))).toBe(
      'no-distractors',
    );
    expect(() => toMultipleChoice(openQuestion(), { count: 1 })).toThrow(/options\.count must be 2 to 10/);
  });
});

describe('renderPrompt', () => {
  it('asks for think and boxed, and shows labelled options', () => {
    const [system, user] = renderPrompt(choiceQuestion('What is red?', ['Mars', 'Moon']));
    expect(system?.content).toContain('<think> </think>');
    expect(system?.content).toContain('\\boxed{A}');
    expect(user).toEqual({ role: 'user', content: 'What is red?\nA. Mars\nB. Moon' });
    expect(renderPrompt(choiceQuestion('Q', ['a', 'b']), { answerForm: 'label-text' })[0]?.content).toContain(
      '\\boxed{A. text}',
    );
    expect(renderPrompt(openQuestion())[1]?.content).toBe('What is two plus two?');
  });
});

describe('golds of other questions as options', () => {
  const text = (value: string, subject: string): Question =>
    openQuestion({
      domain: 'general',
      subject,
      question: `Which colour is ${value}?`,
      answer: { type: 'text', value },
    });
  const golds = new GoldPool();
  const colours = ['red', 'green', 'blue', 'black', 'white', 'grey'];
  for (const colour of colours) golds.add(text(colour, 'colours'));
  golds.add(text('Red.', 'colours'));
  golds.add(text('Paris', 'cities'));
  golds.add(choiceQuestion('Where?', ['Rome', 'Oslo'], 'B'));
  golds.add(openQuestion({ answer: { type: 'integer', value: '5' } }));

  it('come from the same subject first, never repeat, and never are the gold or an alternative', () => {
    expect(golds.size).toBe(9);
    for (let seed = 0; seed < 40; seed++) {
      const asked = text('blue', 'colours');
      const answer = { ...asked.answer, alternatives: ['Black'] };
      const made = accepted(toMultipleChoice({ ...asked, answer }, { golds, count: 4, seed }));
      const options = made.options!.map((option) => option.text);
      expect(new Set(options).size).toBe(4);
      expect(options).toContain('blue');
      expect(options).not.toContain('black');
      expect(options.filter((option) => colours.includes(option)).length).toBeGreaterThanOrEqual(3);
      expect(made.options!.find(({ label }) => label === made.answer.value)?.text).toBe('blue');
      expect(made.provenance.steps).toContain('template:multiple-choice(other-golds)');
    }
  });

  it('depend on seed and question alone; too few of them drop the question', () => {
    const of = (seed: number): string => JSON.stringify(toMultipleChoice(text('blue', 'colours'), { golds, seed }));
    expect(of(1)).toBe(of(1));
    expect(new Set([1, 2, 3, 4, 5].map(of)).size).toBeGreaterThan(1);
    expect(reasonOf(toMultipleChoice(text('blue', 'colours'), { golds: new GoldPool() }))).toBe('no-distractors');
    const expression = openQuestion({ answer: { type: 'expression', value: 'x^2' } });
    expect(reasonOf(toMultipleChoice(expression, { golds }))).toBe('no-distractors');
  });
});
