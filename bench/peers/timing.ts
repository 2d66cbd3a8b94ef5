import { performance } from 'node:perf_hooks';

import type { PeerCase } from './problem.js';

export interface Timing {
  /** Least and median over the rounds, seconds of one run. */
  readonly least: number;
  readonly median: number;
  readonly rounds: number;
}

/** A round gives each case about this long. */
const SECONDS_PER_ROUND = 0.02;
/** Cases slower than this have two rounds only. */
const SLOW_SECONDS = 1;

async function secondsOf(one: PeerCase, times: number): Promise<number> {
  const begin = performance.now();
  const reported = await one.run(times);
  return (reported ?? (performance.now() - begin) / 1e3) / times;
}

/** Times the cases in turns, round by round, so that what disturbs the machine disturbs all of them. */
export async function timeAll(cases: readonly PeerCase[], rounds: number): Promise<Map<PeerCase, Timing>> {
  const taken = new Map<PeerCase, number[]>(cases.map((one) => [one, []]));
  const times = new Map<PeerCase, number>();
  for (const one of cases) {
    const first = await secondsOf(one, 1);
    times.set(one, Math.max(1, Math.min(500, Math.floor(SECONDS_PER_ROUND / first))));
    if (first > SLOW_SECONDS) taken.get(one)!.push(first);
  }
  for (let round = 0; round < rounds; round++) {
    for (const one of cases) {
      const seconds = taken.get(one)!;
      if (seconds.length >= 2 && seconds[0]! > SLOW_SECONDS) continue;
      seconds.push(await secondsOf(one, times.get(one)!));
    }
  }
  const timings = new Map<PeerCase, Timing>();
  for (const [one, seconds] of taken) {
    const sorted = seconds.sort((a, b) => a - b);
    timings.set(one, { least: sorted[0]!, median: sorted[sorted.length >> 1]!, rounds: sorted.length });
  }
  return timings;
}
