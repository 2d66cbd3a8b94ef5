import { operations, type Operation, type PeerCase } from './problem.js';
import type { Timing } from './timing.js';

export interface Row {
  readonly operation: Operation;
  readonly peer: string;
  readonly how: string;
  readonly milliseconds: number;
  readonly medianMilliseconds: number;
  readonly rounds: number;
  /** Least time over CrossThink's least time. */
  readonly ratio: number;
  /** The same of the medians. */
  readonly medianRatio: number;
}

export interface Shape {
  readonly title: string;
  readonly rows: readonly Row[];
  /** Contestants whose results differ: not timed. */
  readonly differing: Readonly<Record<string, string>>;
}

export function rowsOf(timings: ReadonlyMap<PeerCase, Timing>): Row[] {
  const own = new Map<Operation, Timing>();
  for (const [one, timing] of timings) if (one.peer === 'crossthink') own.set(one.operation, timing);
  const rows = Array.from(timings, ([{ operation, peer, how }, { least, median, rounds }]): Row => {
    const { least: ownLeast, median: ownMedian } = own.get(operation)!;
    const times = { milliseconds: least * 1e3, medianMilliseconds: median * 1e3, rounds };
    return { ...{ operation, peer, how }, ...times, ratio: least / ownLeast, medianRatio: median / ownMedian };
  });
  return operations.flatMap((operation) => rows.filter((row) => row.operation === operation));
}

const digits = (x: number): string => (x >= 100 ? x.toFixed(0) : x >= 10 ? x.toFixed(1) : x.toPrecision(2));

/** A Markdown table: operations down, contestants across; milliseconds of ours, and times as slow. */
export function tableOf({ title, rows }: Shape): string {
  const peers = [...new Set(rows.map((row) => row.peer))].filter((peer) => peer !== 'crossthink');
  const find = (operation: Operation, peer: string) =>
    rows.find((row) => row.operation === operation && row.peer === peer);
  const measured = operations.filter((operation) => find(operation, 'crossthink') !== undefined);
  const lines = measured.map((operation) => {
    const cells = peers.map((peer) => {
      const row = find(operation, peer);
      return row === undefined ? '' : `${digits(row.ratio)}x`;
    });
    return `| ${operation} | ${find(operation, 'crossthink')!.milliseconds.toPrecision(3)} ms | ${cells.join(' | ')} |`;
  });
  const head = `| | crossthink | ${peers.join(' | ')} |\n|${' --- |'.repeat(peers.length + 2)}`;
  return `### ${title}\n\n${head}\n${lines.join('\n')}\n`;
}
