import type { RowContext } from '../../lib/data/adapters/adapter.js';
import { adapterByName, recogniseAdapter } from '../../lib/data/adapters/registry.js';
import { questionSchema } from '../../lib/data/question.js';
import { accepted, reasonOf } from './fixtures.js';

const at = (file = 'data/river_test.csv', row = 3): RowContext => ({ file, row });

describe('registry', () => {
  it.each([
    'MMLU',
    'mmlu_original_csv',
    'mmlu-header-index-csv',
    'nemotron_crossthink',
    'Nemotron-CrossThink-ROLL',
    'GSM8K',
  ])('knows %s', (name) => {
    expect(adapterByName(name).licence).not.toBe('');
  });

  it('names the known adapters for an unknown one', () => {
    expect(() => adapterByName('mmlv')).toThrow(/unknown adapter "mmlv".*mmlu/);
  });
});

describe('mmlu', () => {
  const { parse } = adapterByName('mmlu');

  it('reads the headerless layout with letter gold', () => {
    const question = accepted(parse(['Longest river?', 'Nile', 'Rhine', 'Po', 'Elbe', 'B'], at()));
    expect(questionSchema.parse(question)).toEqual(question);
    expect(question).toMatchObject({
      source: 'mmlu',
      domain: 'general',
      form: 'multiple-choice',
      subject: 'river',
      answer: { type: 'option', value: 'B' },
      provenance: { file: 'data/river_test.csv', row: 3, steps: ['adapter:mmlu'] },
    });
    expect(question.options?.map(({ label, text }) => `${label} ${text}`)).toEqual([
      'A Nile',
      'B Rhine',
      'C Po',
      'D Elbe',
    ]);
  });

  it('reads header and index, and Hugging Face rows, to the same question', () => {
    const row = { question: 'Q?', choice0: 'w', choice1: 'x', choice2: 'y', choice3: 'z', answer: '2' };
    const hub = { question: 'Q?', subject: 'river', choices: ['w', 'x', 'y', 'z'], answer: 2 };
    const [a, b] = [accepted(parse(row, at())), accepted(parse(hub, at('hub.jsonl')))];
    expect(a.answer.value).toBe('C');
    expect(b.id).toBe(a.id);
    expect(b.subject).toBe('river');
  });

  it.each([
    [['Q?', 'a', 'b', 'c', 'd', 'E'], 'gold-not-an-option'],
    [['Q?', 'a', 'b', 'c', 'd', '7'], 'gold-not-an-option'],
    [[' ', 'a', 'b', 'c', 'd', 'A'], 'empty-question'],
    [['Q?', 'a', '', 'c', 'd', 'A'], 'empty-option'],
    [['Q?', 'A'], 'wrong-type'],
    [{ question: 5, choice0: 'a', choice1: 'b', answer: 0 }, 'wrong-type'],
    [{ choice0: 'a', choice1: 'b', answer: 0 }, 'missing-field'],
    [{ question: 'Q?', choices: 'abc', answer: 0 }, 'wrong-type'],
    ['text', 'wrong-type'],
    [null, 'wrong-type'],
  ])('drops %j as %s', (row, reason) => {
    expect(reasonOf(parse(row, at()))).toBe(reason);
  });
});

describe('gsm8k', () => {
  const { parse } = adapterByName('gsm8k');

  it('takes the gold after the last ####', () => {
    const question = accepted(parse({ question: 'Sum?', answer: 'a <<1+1=2>>2\n#### 2 no\n#### 1,250' }, at()));
    expect(question).toMatchObject({ domain: 'math', form: 'open-ended', answer: { type: 'integer', value: '1250' } });
  });

  it('drops rows without a gold', () => {
    expect(reasonOf(parse({ question: 'Sum?', answer: 'no mark' }, at()))).toBe('missing-field');
    expect(reasonOf(parse({ question: 'Sum?', answer: 'a ####  ' }, at()))).toBe('empty-answer');
  });
});

describe('nemotron-crossthink-roll', () => {
  const { parse } = adapterByName('nemotron_crossthink');
  const instruction = 'Answer the following single choice question. Put the letter inside \\boxed{}. \n';
  const row = (prompt: string, gold: string): object => ({
    prompt: instruction + prompt,
    ground_truth: gold,
    tag: 'crossthinkqa',
  });

  it.each([
    ['Which planet is red?\nA: Mars\nB: Venus\nC: Earth', 'A: Mars'],
    ['Which planet is red?\nA. Mars\nB. Venus\nC. Earth', 'A. mars.'],
    ['Which planet is red?\nA: Mars\nB: Venus\nC: Earth', 'A'],
    ['Which planet is red?\nA: Mars\nB: Venus\nC: Earth', 'Mars'],
  ])('reads %j with gold %j', (prompt, gold) => {
    const question = accepted(parse(row(prompt, gold), at()));
    expect(question.question).toBe('Which planet is red?');
    expect(question.options).toHaveLength(3);
    expect(question.answer).toEqual({ type: 'option', value: 'A' });
  });

  it('takes the last list where question and options are repeated, and keeps lines that continue an option', () => {
    const prompt = 'Pick. A: x B: y\nA: one\nB: two\nPick.\nA: three\nmore\nB: four';
    const question = accepted(parse(row(prompt, 'B: four'), at()));
    expect(question.question).toBe('Pick. A: x B: y\nA: one\nB: two\nPick.');
    expect(question.options?.map(({ text }) => text)).toEqual(['three\nmore', 'four']);
  });

  it('catches gold letters that disagree with their text', () => {
    const prompt = 'Which planet is red?\nA. Venus\nB. Mars\nC. Earth';
    expect(reasonOf(parse(row(prompt, 'A. Mars'), at()))).toBe('label-text-disagree');
    expect(reasonOf(parse(row(prompt, 'B. Pluto'), at()))).toBe('gold-not-an-option');
    expect(reasonOf(parse(row(prompt, 'J'), at()))).toBe('gold-not-an-option');
    expect(reasonOf(parse(row('no options here', 'A'), at()))).toBe('too-few-options');
  });

  it('accepts a letter whose text occurs twice, but no text alone that does', () => {
    const prompt = 'Which?\nA. yes\nB. no\nC. yes';
    expect(accepted(parse(row(prompt, 'C. yes'), at())).answer.value).toBe('C');
    expect(reasonOf(parse(row(prompt, 'yes'), at()))).toBe('ambiguous-gold');
  });
});

describe('auto', () => {
  it.each([
    [['Q?', 'a', 'b', 'c', 'd', 'A'], 'mmlu'],
    [{ question: 'Q', choice0: 'a', choice1: 'b', answer: '0' }, 'mmlu'],
    [{ question: 'Q', answer: 'w\n#### 3' }, 'gsm8k'],
    [{ prompt: 'Q', ground_truth: 'A: x', tag: 'crossthinkqa' }, 'nemotron-crossthink-roll'],
    [{ foo: 1 }, undefined],
  ])('recognises %j as %s', (row, name) => {
    expect(recogniseAdapter(row, at())?.name).toBe(name);
  });
});
