import { compareSettings, verify, verifyBatch, verifyBatchAsync, verifyLines } from '../../lib/rewards/index.js';
import { reasonCodes } from '../../lib/rewards/batch/batch.js';
import { parseRow } from '../../lib/rewards/row.js';

const questions = Array.from({ length: 40 }, (_, i) => (i % 7 === 3 ? '' : String(i)));
const responses = questions.flatMap((_, i) => [
  `<think>t</think>\\boxed{${i}}`,
  `\\boxed{${i}}`,
  `<think>t</think>\\boxed{${i + 1}}`,
  'no idea',
]);

describe('verifyBatch', () => {
  it('is verify, row by row, with one question per group', () => {
    const verdicts = verifyBatch({ responses, questions });
    for (const [i, response] of responses.entries()) {
      const one = verify(response, questions[Math.floor(i / 4)] ?? '');
      expect([verdicts.reward[i], verdicts.accuracy[i], verdicts.format[i]]).toEqual([
        one.reward,
        one.accuracy,
        one.format,
      ]);
      expect(reasonCodes[verdicts.reason[i] ?? -1]).toBe(one.reason);
      expect(verdicts.extracted[i]).toBe(one.extracted);
    }
  });

  it('refuses responses that do not divide among the questions', () => {
    expect(() => verifyBatch({ responses: ['1', '2', '3'], questions: ['1', '2'] })).toThrow(/questions must be/);
  });

  it('gives the same on worker threads', async () => {
    const here = verifyBatch({ responses, questions });
    const there = await verifyBatchAsync({ responses, questions }, { threads: 2 });
    expect(Buffer.from(there.reward.buffer)).toEqual(Buffer.from(here.reward.buffer));
    expect([...there.reason]).toEqual([...here.reason]);
    expect(there.extracted).toEqual(here.extracted);
  }, 60_000);
});

describe('verifyLines', () => {
  const lines = Array.from({ length: 1500 }, (_, i) =>
    i % 100 === 7 ? 'broken' : i % 100 === 8 ? '' : JSON.stringify({ id: i, gold: i, response: `\\boxed{${i}}` }),
  );
  async function* source(): AsyncGenerator<string> {
    for (const line of lines) yield await Promise.resolve(line);
  }
  const collect = async (threads: number): Promise<unknown[]> => {
    const rows: unknown[] = [];
    for await (const row of verifyLines(source(), {}, { threads })) rows.push(row);
    return rows;
  };

  it('keeps the order on threads, and the numbers of bad lines', async () => {
    const [one, two] = [await collect(1), await collect(2)];
    expect(two).toEqual(one);
    expect(one).toHaveLength(1485);
    expect(one[7]).toMatchObject({ reason: 'bad_row', line: 8 });
  }, 60_000);

  it('ends its threads when the consumer leaves', async () => {
    let first: unknown;
    for await (const row of verifyLines(source(), {}, { threads: 2 })) {
      first = row;
      break;
    }
    expect(first).toMatchObject({ id: 0, accuracy: 1 });
  }, 60_000);
});

it('compareSettings tells what two conventions change', () => {
  const rows = [
    { id: 1, gold: '1/2', response: '\\boxed{2/4}' },
    { id: 2, gold: '7', response: '\\boxed{7}' },
    { id: 3, gold: '10', response: '\\boxed{10\\%}' },
    { id: 4, gold: null, response: '7' },
  ].map(parseRow);
  const comparison = compareSettings(rows, { preset: 'verl-dapo' }, { preset: 'strict' });
  expect(comparison).toMatchObject({ rows: 4, bothRight: 1, bothWrong: 0, lost: 1, gained: 1, unscorable: 1 });
  expect(comparison.changes.map(({ id }) => id)).toEqual([1, 3]);
});
