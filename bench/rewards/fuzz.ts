/**
 * Random pairs against crashes, budget overruns and leaks of state: `npx tsx bench/rewards/fuzz.ts [pairs] [seed]`. Every
 * pair is judged twice, in different surroundings; the verdicts must be the same.
 */
import { verify } from '../../lib/rewards/index.js';
import { generator } from './generator.js';

/** Milliseconds of processor time: other processes do not count. */
function cpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const pairs = Number(process.argv[2] ?? 100_000);
const next = generator(Number(process.argv[3] ?? 1));
const block = 1000;
let slowest = { ms: 0, gold: '', response: '' };
const reasons = new Map<string, number>();
for (let done = 0; done < pairs; done += block) {
  const batch = Array.from({ length: block }, () => ({ gold: next(), response: `<think>x</think>\\boxed{${next()}}` }));
  const first = batch.map(({ gold, response }) => {
    const started = cpu();
    const verdict = verify(response, gold);
    const ms = cpu() - started;
    if (ms > slowest.ms) slowest = { ms, gold, response };
    reasons.set(verdict.reason, (reasons.get(verdict.reason) ?? 0) + 1);
    return JSON.stringify(verdict);
  });
  for (let i = block - 1; i >= 0; i--) {
    const { gold, response } = batch[i] ?? { gold: '', response: '' };
    const again = JSON.stringify(verify(response, gold));
    if (again !== first[i])
      throw new Error(`verdict changed: ${JSON.stringify({ gold, response })} ${first[i] ?? ''} ${again}`);
  }
}
console.log(`${pairs} pairs, slowest ${slowest.ms.toFixed(1)} ms: ${JSON.stringify(slowest).slice(0, 300)}`);
console.log(Object.fromEntries(reasons));
