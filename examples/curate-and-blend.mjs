// Questions in, verifiable questions out, then an ordered blend of two domains.
// Run: node examples/curate-and-blend.mjs
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { BlendSchedule, blendRecipe, curateFiles } from 'crossthink';

const folder = await mkdtemp(path.join(tmpdir(), 'crossthink-example-'));
try {
  // Two tiny files in the layouts of MMLU (six columns, letter gold) and GSM8K (gold after ####).
  const history = path.join(folder, 'history_test.csv');
  await writeFile(
    history,
    [
      'Which river runs through Cairo?,Nile,Tigris,Danube,Ganges,A',
      'Which empire built Machu Picchu?,Aztec,Inca,Maya,Olmec,B',
      'Which year did the Berlin Wall fall?,1961,1968,1989,1991,C',
      'Which gold letter names no option?,one,two,three,four,Z', // goes to the ledger
    ].join('\n'),
  );
  const sums = path.join(folder, 'sums.jsonl');
  await writeFile(
    sums,
    [7, 12, 30]
      .map((n) =>
        JSON.stringify({
          question: `A crate holds ${n} eggs. How many in 3 crates?`,
          answer: `3 times ${n}.\n#### ${3 * n}`,
        }),
      )
      .join('\n'),
  );

  const sources = [];
  for (const [name, input, adapter] of [
    ['history', history, 'mmlu'],
    ['sums', sums, 'gsm8k'],
  ]) {
    const out = path.join(folder, name);
    const summary = await curateFiles([input], out, { adapter });
    const [first] = (await readFile(path.join(out, 'questions.jsonl'), 'utf8')).split('\n');
    const { domain, form } = JSON.parse(first);
    console.log(`${name}: ${summary.accepted} accepted, ${summary.dropped} in the ledger`, summary.reasons);
    sources.push({ name, domain, form, size: summary.accepted });
  }

  // Two general questions for each mathematical one, in every batch and every prefix: nothing is drawn at random.
  const schedule = new BlendSchedule(blendRecipe('gpr-up', sources), { seed: 7 });
  for (let step = 0; step < 2; step += 1) {
    const draws = schedule.batch(step, { size: 6 });
    console.log(`step ${step}:`, draws.map(({ source, index }) => `${source}#${index}`).join(' '));
  }
} finally {
  await rm(folder, { recursive: true });
}
