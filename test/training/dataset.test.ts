import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Question } from '../../lib/data/question';
import { Random } from '../../lib/data/procedural/random';
import { CLEAN, demonstrate } from '../../lib/training/annotator';
import { parseTrainConfig } from '../../lib/training/config';
import { embeddedData, fileData } from '../../lib/training/dataset';
import { QuestionPool } from '../../lib/training/questions';
import { ReferenceTrainer } from '../../lib/training/trainer';
import { openQuestion, temporaryFolder } from '../data/fixtures';

jest.setTimeout(120_000); // A machine busy with other work needs many times the usual second or two.

const folder = temporaryFolder();

test('the embedded questions go through curation, and no question text lies on both sides of the split', async () => {
  const { curation, split, tokenizer } = await embeddedData(folder.path, { perForm: 40 });
  expect(curation).toMatchObject({ rows: 806, accepted: 800, dropped: 6, reasons: { 'answer-too-long': 6 } });
  const ledger = readFileSync(join(folder.path, 'curated', 'ledger.jsonl'), 'utf8')
    .trimEnd()
    .split('\n');
  expect(ledger).toHaveLength(6);
  expect(split.train.length + split.test.length).toBe(800);
  const trained = new Set(split.train.map(({ question }) => question.question));
  expect(split.test.filter(({ question }) => trained.has(question.question))).toEqual([]);
  for (const { solution, prompt } of [...split.train, ...split.test]) {
    expect(solution).not.toBe('');
    expect(tokenizer.decode(prompt)).toContain('think');
  }
  const { sources } = new QuestionPool(split.train);
  expect(sources).toHaveLength(20);
  expect(sources.reduce((sum, { size }) => sum + size, 0)).toBe(split.train.length);
});

test("the caller's questions are read with their worked steps; a bad row is named by file and line", async () => {
  const questions: Question[] = ['1+1?', '2+2?', '3+3?'].map((question, i) =>
    openQuestion({ question, id: `q${i}`, answer: { type: 'integer', value: String(2 * i + 2) } }),
  );
  const file = folder.write('questions.jsonl', questions.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const steps = folder.write('steps.jsonl', '{"id":"q1","steps":"2 and 2"}\n');
  const { split, tokenizer } = await fileData(file, steps);
  const all = [...split.train, ...split.test];
  expect(all.map(({ question }) => question.id).sort()).toEqual(['q0', 'q1', 'q2']);
  expect(all.find(({ question }) => question.id === 'q1')?.solution).toBe('2 and 2');
  expect(() => tokenizer.encode('<think>2 and 2</think>')).not.toThrow();

  const bad = folder.write('bad.jsonl', `${JSON.stringify(questions[0])}\n{"id":"x"}\n`);
  await expect(fileData(bad)).rejects.toMatchObject({ code: 'ERR_SCHEMA', file: bad, line: 2 });
  const config = parseTrainConfig({
    policy: { context: 4, width: 16, heads: 1 },
    skill: { steps: 0 },
    habit: { steps: 0 },
    grpo: { blend: 'even' },
  });
  expect(() => new ReferenceTrainer({ config, tokenizer, questions: split })).toThrow(
    /policy\.context must be at least \d+/,
  );
});

test('the weak annotator skips, errs and forgets the box as often as it is told to', async () => {
  const { split } = await embeddedData(folder.path, { perForm: 40 });
  const general = split.train.filter(({ question }) => question.domain === 'general');
  const random = new Random(3);
  const habits = { skipMath: 0, skipGeneral: 0.7, wrong: 0.2, wrongUnreasoned: 0.5, unboxed: 0.1 };
  const texts = Array.from({ length: 8 }, () => general)
    .flat()
    .map((item) => ({ item, text: demonstrate(item, habits, random) }));
  const share = (holds: (entry: (typeof texts)[number]) => boolean): number =>
    texts.filter(holds).length / texts.length;
  const skipped = share(({ text }) => text.startsWith('<think></think>'));
  const boxed = share(({ text }) => text.includes('\\boxed{'));
  const wrong = share(({ item, text }) => !new RegExp(`(\\{| )${item.question.answer.value}\\}?$`).test(text));
  expect(Math.abs(skipped - 0.7)).toBeLessThan(0.03);
  expect(Math.abs(boxed - 0.9)).toBeLessThan(0.03);
  expect(Math.abs(wrong - (0.7 * 0.5 + 0.3 * 0.2))).toBeLessThan(0.04);
  for (const item of general.slice(0, 50)) {
    expect(demonstrate(item, CLEAN, random)).toBe(
      `<think>${item.solution}</think>\\boxed{${item.question.answer.value}}`,
    );
  }
});
