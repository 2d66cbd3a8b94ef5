import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { exclusions } from '../../bench/rewards/exclusions.js';
import { judgeOutput, readOutputs } from '../../bench/rewards/outputs.js';
import { judge, readSuites } from '../../bench/rewards/suites.js';

const data = resolve(__dirname, '../../../shared/data');
const present = existsSync(data) ? describe : describe.skip;
if (!existsSync(data)) console.warn(`no test data at ${data}: agreement with the suites of others is not checked`);

present('agreement with others (bench/rewards/agreement.ts prints the tables)', () => {
  it('at least 97 % of the equivalence, grading and choice cases, each under its own convention', () => {
    const rows = readSuites(join(data, 'C_suites')).filter(
      ({ kind, id }) => /^(?:equiv|grade|choice)$/.test(kind) && !(id in exclusions),
    );
    const outcomes = rows.map((row) => judge(row)).filter((outcome) => outcome !== undefined);
    expect(outcomes.length).toBeGreaterThan(450);
    expect(outcomes.filter(({ agrees }) => agrees).length / outcomes.length).toBeGreaterThanOrEqual(0.97);
  });

  it('at least 99 % of the rule-derived verdicts on model outputs, with the default settings', () => {
    const outputs = readOutputs(join(data, 'B_outputs')).filter(({ kind }) => kind === 'rule');
    const agreeing = outputs.filter((output) => (judgeOutput(output).accuracy === 1) === output.theirs);
    expect(outputs.length).toBeGreaterThan(4000);
    expect(agreeing.length / outputs.length).toBeGreaterThanOrEqual(0.99);
  }, 60_000);
});
