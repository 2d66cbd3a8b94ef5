import { needsOptions } from '../../lib/templates/completeness.js';
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
  ])('holds for %p', (stem) => {
    expect(needsOptions(choiceQuestion(stem, ['x', 'y']))).toBeDefined();
  });

  it.each([
    'What is the capital of France?',
    'In what year did the war end?',
    'A body of mass 2 kg falls for 3 s. What is its speed?',
    'The following table shows prices. How much does bread cost in May, in euros?',
  ])('does not hold for %p', (stem) => {
    expect(needsOptions(choiceQuestion(stem, ['x', 'y']))).toBeUndefined();
  });

  it.each(['All of the above', 'none of these', 'Both A and B', 'A and C only', 'Neither A nor B'])(
    'holds for option %p',
    (text) => {
      expect(needsOptions(choiceQuestion('What is it?', ['x', text]))).toBeDefined();
    },
  );
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
