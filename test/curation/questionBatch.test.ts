import binding = require('#binding');

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { DuplicateStage } from '../../lib/curation/duplicates.js';
import { makePlan } from '../../lib/curation/plan.js';
import { type DuplicateKeys, MINHASH, QuestionBatch } from '../../lib/curation/questionBatch.js';
import { type Question, questionId } from '../../lib/data/question.js';
import { runtimeInfo } from '../../lib/index.js';
import { duplicateText } from '../../lib/filters/normalise.js';
import { choiceQuestion, openQuestion } from '../data/fixtures.js';
import { isas } from '../kernels/isas.js';
import { referenceMinima } from './minhashReference.js';

const encode = (questions: readonly Question[], keys: DuplicateKeys = 'none') => {
  const batch = new QuestionBatch(keys);
  for (const question of questions) batch.add(question);
  return batch.finish();
};
const linesOf = async (questions: readonly Question[]): Promise<string[]> =>
  Buffer.from((await encode(questions)).lines)
    .toString('utf8')
    .split('\n')
    .slice(0, -1);

/** Any string, lone surrogates and control characters included. */
const codeUnits = fc.array(fc.integer({ min: 0, max: 0xffff })).map((codes) => String.fromCharCode(...codes));
const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), codeUnits);
const answer = fc.record(
  {
    type: fc.constantFrom('integer' as const, 'text' as const, 'expression' as const),
    value: text,
    alternatives: fc.array(text, { minLength: 1, maxLength: 3 }),
    unit: text,
    tolerance: fc.double({ min: 0, max: 1, noNaN: true }),
  },
  { requiredKeys: ['type', 'value'] },
);
const question = fc
  .record(
    {
      source: fc.constantFrom('a', 'b "quoted"', 'ü'),
      domain: fc.constantFrom('math' as const, 'general' as const),
      subject: fc.constantFrom('x', 'y\n'),
      form: fc.constantFrom('open-ended' as const, 'multiple-choice' as const),
      question: text,
      options: fc.array(fc.record({ label: fc.constantFrom('A', 'B'), text }), { minLength: 2, maxLength: 4 }),
      answer,
      passRate: fc.double({ min: 0, max: 1, noNaN: true }),
      provenance: fc.record(
        {
          dataset: fc.constantFrom('d', 'e'),
          revision: fc.constant('1'),
          file: fc.constantFrom('f.jsonl', 'g\\h'),
          row: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
          licence: fc.constant('MIT'),
          steps: fc.array(fc.constantFrom('s', 't'), { maxLength: 2 }),
        },
        { requiredKeys: ['dataset', 'file', 'row', 'steps'] },
      ),
    },
    { requiredKeys: ['source', 'domain', 'form', 'question', 'answer', 'provenance'] },
  )
  .map((made): Question => ({ id: '', ...made }));

describe('a batch of questions', () => {
  it('becomes the lines that JSON.stringify writes, ids filled in', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(question, { maxLength: 8 }), async (questions) => {
        const expected = questions.map((q) => JSON.stringify({ ...q, id: questionId(q) }));
        expect(await linesOf(questions)).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it.each([0, 1, 55, 56, 63, 64, 65, 119, 120, 1000, 70_000])(
    'hashes ids of %d characters as node:crypto does',
    async (n) => {
      const q = openQuestion({ id: '', question: 'x'.repeat(n) });
      expect((JSON.parse((await linesOf([q]))[0]!) as Question).id).toBe(questionId(q));
    },
  );

  it('grows where every character needs an escape, and keeps lines, ends and profiles in step', async () => {
    const questions = [
      openQuestion({ question: '\u0001'.repeat(5000) }),
      openQuestion({ question: '"\\', domain: 'general' }),
    ];
    const encoded = await encode([...questions, ...questions]);
    expect(encoded.count).toBe(4);
    const second = Buffer.from(encoded.lines.subarray(encoded.lineEnds[0], encoded.lineEnds[1])).toString();
    expect(second.endsWith('\n')).toBe(true);
    expect(JSON.parse(second)).toEqual(questions[1]);
    expect([...encoded.profileOf]).toEqual([0, 1, 0, 1]);
    expect(encoded.profiles.map(({ domain }) => domain)).toEqual(['math', 'general']);
  });
});

describe('keys of duplicates', () => {
  it('are those of the normalised text and the form, whatever the script', async () => {
    await fc.assert(
      fc.asyncProperty(question, async (q) => {
        const text = `${q.form}\0${duplicateText(q)}`;
        const expected = createHash('sha256').update(text).digest().subarray(0, 16);
        expect(Buffer.from((await encode([q], 'exact')).keys!)).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it('case, punctuation, spacing and order of options do not count; short stems need their options', async () => {
    const key = async (q: Question): Promise<string> => Buffer.from((await encode([q], 'exact')).keys!).toString('hex');
    const ask = (text: string): Question => openQuestion({ question: text });
    expect(await key(ask('What is  2+2?'))).toBe(await key(ask('what is 2 2')));
    const which = (texts: string[]): Promise<string> => key(choiceQuestion('Which is true?', texts));
    expect(await which(['a', 'b'])).toBe(await which(['B', 'A.']));
    expect(await which(['a', 'b'])).not.toBe(await which(['a', 'c']));
  });
});

describe('signatures', () => {
  const signature = async (text: string): Promise<Uint8Array> =>
    (await encode([openQuestion({ question: text })], 'near')).signatures!;
  const words =
    'alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau upsilon'.split(
      ' ',
    );
  const long = (changed: number): string => words.map((word, i) => (i < changed ? `${word}x` : word)).join(' ');

  it.each(isas)('on %s are the lowest bytes of the reference', async (isa) => {
    const size = MINHASH.bands * MINHASH.rows;
    binding.useKernels(isa);
    try {
      await fc.assert(
        fc.asyncProperty(fc.oneof(text, fc.constantFrom(long(0), long(3), '', '?')), async (made) => {
          const reference = referenceMinima(duplicateText({ question: made }), size, MINHASH.shingle);
          expect([...(await signature(made))]).toEqual([...reference].map((value) => value & 255));
        }),
      );
    } finally {
      binding.useKernels(runtimeInfo().isa);
    }
  });

  it('estimate the similarity of the sets of shingles', async () => {
    const shingles = (text: string): Set<string> =>
      new Set(Array.from({ length: text.length - 7 }, (_, i) => text.slice(i, i + 8)));
    const [a, b] = [long(0), long(4)];
    const [sa, sb] = [shingles(a), shingles(b)];
    const both = [...sa].filter((s) => sb.has(s)).length;
    const truth = both / (sa.size + sb.size - both);
    const [ha, hb] = [await signature(a), await signature(b)];
    expect(Math.abs(ha.filter((value, i) => value === hb[i]).length / ha.length - truth)).toBeLessThan(0.12);
  });

  it('near duplicates are found, far ones not; the earliest is named; answers do not depend on batches', async () => {
    const stage = (): DuplicateStage =>
      new DuplicateStage(makePlan([{ file: 'x', adapter: 'auto' }], { duplicates: 'near' }));
    const questions = [
      long(0),
      `${long(0)} phi`,
      long(12),
      'Another question about rivers and mountains?',
      long(0),
    ].map((text) => openQuestion({ question: text }));
    const together = stage().check(await encode(questions, 'near'));
    expect([...together].map(([i, { reason }]) => [i, reason])).toEqual([
      [1, 'near-duplicate'],
      [4, 'duplicate'],
    ]);
    expect(together.get(1)?.detail).toContain(questions[0]!.id);
    expect(together.get(4)?.detail).toContain(questions[0]!.id);
    const apart = stage();
    const entries = [];
    for (const q of questions) entries.push(...apart.check(await encode([q], 'near')).values());
    expect(entries).toEqual([...together.values()]);
  });

  it('thousands of distinct questions stay distinct, and are found again after the index has grown', async () => {
    const made = Array.from({ length: 10_000 }, (_, i) => {
      const hash = createHash('sha256').update(String(i)).digest('hex');
      return openQuestion({ id: '', question: `${hash} ${hash.split('').reverse().join('')}` });
    });
    const stage = new DuplicateStage(makePlan([{ file: 'x', adapter: 'auto' }], { duplicates: 'near' }));
    const encoded = await encode(made, 'near');
    expect(stage.check(encoded).size).toBe(0);
    expect(stage.check(encoded).size).toBe(made.length);
  });
});
