import benny = require('benny');

/** One timed case: `bytes` is what it has to read and write, the common scale of every case of a suite. */
export interface Case {
  readonly name: string;
  readonly bytes: number;
  readonly run: () => void;
}

export interface Measured {
  readonly name: string;
  readonly milliseconds: number;
  /** Half width of benny's 95 % confidence interval, percent. */
  readonly margin: number;
  readonly gigabytesPerSecond: number;
  /** Bandwidth as a fraction of the suite's first case, its ceiling. */
  readonly fraction: number;
}

/** Runs the cases of one suite; the first is the ceiling that the others are fractions of. */
export async function measure(title: string, cases: readonly Case[]): Promise<Measured[]> {
  const options = { minSamples: 15, maxTime: 1 };
  const summary = await benny.suite(title, ...cases.map(({ name, run }) => benny.add(name, run, options)));
  const rows = summary.results.map(({ name, margin, details }, i) => {
    const seconds = details.median;
    const gigabytesPerSecond = (cases[i]?.bytes ?? 0) / seconds / 1e9;
    return { name, milliseconds: seconds * 1e3, margin, gigabytesPerSecond };
  });
  const ceiling = rows[0]?.gigabytesPerSecond ?? NaN;
  const measured = rows.map((row) => ({ ...row, fraction: row.gigabytesPerSecond / ceiling }));
  console.log(`\n${title}`);
  for (const m of measured) {
    const columns = [m.milliseconds.toFixed(3).padStart(10), `±${m.margin.toFixed(1)}%`.padStart(7)];
    const speed = [m.gigabytesPerSecond.toFixed(2).padStart(8), m.fraction.toFixed(3).padStart(7)];
    console.log(`  ${m.name.padEnd(44)} ${columns.join(' ')} ms ${speed[0]} GB/s  ${speed[1]} of the ceiling`);
  }
  return measured;
}
