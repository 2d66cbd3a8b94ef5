import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { curateFiles } from '../../lib/curation/curate.js';
import { adapterByName } from '../../lib/data/adapters/registry.js';
import { temporaryFolder } from '../data/fixtures.js';

jest.setTimeout(120_000);

/**
 * The folders of real data files, which are no part of the repository. Where a file's own faults leave less than 95 % of
 * its rows: which reasons, and how much is left. Parquet cannot be read under Jest (ES module): see formats.test.ts.
 */
const FAULTS: Readonly<Record<string, { readonly share: number; readonly reasons: readonly string[] }>> = {
  // In 117 of the pool's 142 `X.` rows, letter and text of the gold disagree (PROVENANCE.md).
  'roll_general_CrossThink-QA_deal.jsonl': { share: 0.85, reasons: ['label-text-disagree', 'gold-not-an-option'] },
  // Rows whose picture is not in the file.
  'theoremqa_test.json': { share: 0.94, reasons: ['missing-figure'] },
  // Golds that are whole sentences: over the ten words of the paper's filter H(D).
  'tatqa_dataset_test_gold.json': { share: 0.9, reasons: ['answer-too-long'] },
};

const real = resolve(__dirname, '../../../shared/data/A_questions');
const folder = temporaryFolder();
const files = existsSync(real)
  ? readdirSync(real, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.endsWith('.parquet'))
      .map((entry) => join(entry.parentPath, entry.name))
  : [];
const onReal = files.length > 0 ? describe : describe.skip;
if (files.length === 0) console.warn(`skipped: no test data at ${real}`);

onReal('every real file', () => {
  it.each(files.map((file) => [file.slice(real.length + 1), file] as const))('%s', async (name, file) => {
    const password = { password: 'gpqa-not-plaintext' };
    const auto = await curateFiles([file], join(folder.path, 'auto', name), password);
    const fault = Object.entries(FAULTS).find(([ending]) => name.endsWith(ending))?.[1];
    expect(auto.accepted + auto.dropped).toBe(auto.rows);
    expect(auto.rows).toBeGreaterThan(0);
    expect(auto.accepted / auto.rows).toBeGreaterThanOrEqual(fault?.share ?? 0.95);
    expect(auto.reasons['unrecognised'] ?? 0).toBe(0);
    if (fault !== undefined) for (const reason of Object.keys(auto.reasons)) expect(fault.reasons).toContain(reason);
    // The folder's name is an adapter's name or alias, and that is the adapter found by itself.
    const named = adapterByName(name.split('/')[0] ?? '');
    expect(auto.inputs[0]?.adapter).toBe(named.name);
  });
});
