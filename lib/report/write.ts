import { join } from 'node:path';
import { writeAtomically } from '../data/writers/atomic.js';
import { drawFigures } from './figures.js';
import { renderPage } from './page.js';
import type { RunReport } from './run.js';

/** Names of the files that `writeReport` writes. */
export const REPORT_FILES = { page: 'report.html', metrics: 'metrics.json' } as const;

/** Writes a run's report (one static HTML page) and its metrics (JSON) into `out`; returns their paths. */
export async function writeReport(run: RunReport, out: string): Promise<{ page: string; metrics: string }> {
  const html = renderPage(run, await drawFigures(run));
  const paths = { page: join(out, REPORT_FILES.page), metrics: join(out, REPORT_FILES.metrics) };
  await writeAtomically([paths.page, paths.metrics], async ([page, metrics]) => {
    await page?.write(html);
    await metrics?.write(`${JSON.stringify(run, null, 2)}\n`);
  });
  return paths;
}
