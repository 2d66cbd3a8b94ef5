import type { GrpoRecord } from '../../lib/training/records';
import { ReferenceTrainer } from '../../lib/training/trainer';
import { tinyConfig, tinyData } from './fixtures';

const data = tinyData();

/** Runs all stages; pass@1 on held-out questions before and after GRPO, and the records of GRPO. */
function train(
  seed: number,
  grpo: Record<string, unknown> = {},
): { base: number; final: number; records: GrpoRecord[] } {
  const trainer = new ReferenceTrainer({ ...data, config: tinyConfig(seed, grpo) });
  const records: GrpoRecord[] = [];
  let base = NaN;
  while (trainer.position.stage !== 'done') {
    if (trainer.position.stage === 'grpo' && trainer.position.step === 0) {
      base = trainer.evaluate('sampled').all.passAt1.value;
    }
    const record = trainer.step();
    if (record.stage === 'grpo') records.push(record);
  }
  return { base, final: trainer.evaluate('sampled').all.passAt1.value, records };
}

function meanOf(records: readonly GrpoRecord[], of: (record: GrpoRecord) => number): number {
  return records.reduce((sum, record) => sum + of(record), 0) / records.length;
}

test('GRPO raises the reward on trained and on held-out questions', () => {
  for (const seed of [1, 2]) {
    const { base, final, records } = train(seed);
    expect(final).toBeGreaterThan(2 * base);
    const reward = ({ reward: value }: GrpoRecord): number => value;
    expect(meanOf(records.slice(-8), reward)).toBeGreaterThan(0.25 + meanOf(records.slice(0, 4), reward));
  }
});

test('with shuffled rewards it does not', () => {
  for (const seed of [1, 2]) {
    const { base, final } = train(seed, { control: 'shuffled-rewards' });
    expect(final).toBeLessThanOrEqual(base + 0.03);
  }
});

test('on the policy that sampled the answers the ratio is exactly 1: nothing is clipped', () => {
  const { records } = train(3, { steps: 5, clipLow: 0, clipHigh: 0 });
  for (const { clippedLow, clippedHigh } of records) expect([clippedLow, clippedHigh]).toEqual([0, 0]);
});

test('several minibatches leave the policy behind, and clipping takes effect', () => {
  const { records } = train(3, { steps: 6, minibatches: 4, clipLow: 0.001, clipHigh: 0.001 });
  expect(meanOf(records, ({ clippedLow, clippedHigh }) => clippedLow + clippedHigh)).toBeGreaterThan(0);
});

test('the KL term holds the policy near its start', () => {
  const free = train(1, { klCoef: 1e-9, steps: 20 });
  const held = train(1, { klCoef: 3, steps: 20 });
  const kl = ({ kl: value }: GrpoRecord): number => value;
  expect(free.records[0]?.kl).toBeCloseTo(0, 5);
  expect(meanOf(held.records.slice(-5), kl)).toBeLessThan(0.5 * meanOf(free.records.slice(-5), kl));
});

test('records count groups without a signal and prompts by source', () => {
  const { records } = train(2, { steps: 20 });
  for (const record of records) {
    expect(record.zeroVariance).toBeCloseTo(record.allRight + record.allWrong, 6);
    expect(Object.values(record.sources).reduce((a, b) => a + b, 0)).toBe(8);
    expect(record.reward).toBeLessThanOrEqual(Math.min(record.accuracy, record.format) + 1e-12);
  }
  expect(records.map(({ heldOut }) => heldOut !== undefined)).toEqual(records.map(({ step }) => (step + 1) % 20 === 0));
});

test('without worked steps there is no warm start', () => {
  const questions = { ...data.questions, train: data.questions.train.map((item) => ({ ...item, solution: '' })) };
  expect(() => new ReferenceTrainer({ ...data, questions, config: tinyConfig(1) })).toThrow(/worked steps/);
});
