import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { access } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { Option as CliOption, type Command } from 'commander';
import { CrossThinkError } from '../errors.js';
import { presets, type PresetName } from '../rewards/presets.js';
import { verifyLine } from '../rewards/row.js';
import { reasons } from '../rewards/verdict.js';

interface VerifyFlags {
  readonly input?: string;
  readonly preset?: PresetName;
  readonly explain?: boolean;
}

const help = `
Each input line is {"id", "gold", "response", "options"?, "form"?, "settings"?}; each output line is
{"id", "reward", "accuracy", "format", "extracted", "reason"} in the same order. A line that cannot be read gives
{"id", "line", "reason": "bad_row", "error"} and does not stop the others. Where the gold cannot be scored, reward and
accuracy are null. The summary goes to stderr.

Examples:
  $ crossthink verify < rollouts.jsonl > verdicts.jsonl
  $ crossthink verify --input rollouts.jsonl --preset strict --explain
  $ echo '{"id":1,"gold":"1/2","response":"<think>half</think>\\\\\\\\boxed{0.5}"}' | crossthink verify
`;

export function registerVerify(program: Command): void {
  program
    .command('verify')
    .description('judge responses against gold answers by rules: JSONL in, JSONL out')
    .option('--input <file>', 'read rows from a file instead of stdin')
    .addOption(new CliOption('--preset <name>', 'convention of the comparison').choices(Object.keys(presets)))
    .option('--explain', 'add an "explanation" of the reason code to every row')
    .addHelpText('after', help)
    .action(async (flags: VerifyFlags) => {
      await run(await openInput(flags.input), flags);
    });
}

async function openInput(file: string | undefined): Promise<Readable> {
  if (file === undefined) return process.stdin;
  await access(file).catch((cause: unknown) => {
    throw new CrossThinkError('ERR_FILE_NOT_FOUND', `--input: no such file, or not readable`, { file, cause });
  });
  return createReadStream(file);
}

async function run(input: Readable, flags: VerifyFlags): Promise<void> {
  const defaults = flags.preset === undefined ? {} : { preset: flags.preset };
  const tally = { rows: 0, right: 0, formatted: 0, rewarded: 0, unscorable: 0, bad: 0 };
  let line = 0;
  for await (const text of createInterface({ input, crlfDelay: Infinity })) {
    line++;
    if (text.trim() === '') continue;
    const verdict = verifyLine(text, line, defaults);
    tally.rows++;
    if (verdict.reason === 'bad_row') tally.bad++;
    else if (Number.isNaN(verdict.accuracy)) tally.unscorable++;
    tally.right += verdict.accuracy === 1 ? 1 : 0;
    tally.formatted += verdict.format === 1 ? 1 : 0;
    tally.rewarded += verdict.reward === 1 ? 1 : 0;
    const explained =
      flags.explain === true && verdict.reason !== 'bad_row'
        ? { ...verdict, explanation: reasons[verdict.reason] }
        : verdict;
    if (!process.stdout.write(`${JSON.stringify(explained)}\n`)) await once(process.stdout, 'drain');
  }
  const scored = tally.rows - tally.bad - tally.unscorable;
  process.stderr.write(
    `${tally.rows} rows: ${tally.rewarded} rewarded, ${tally.right} of ${scored} right, ${tally.formatted} well formatted, ` +
      `${tally.unscorable} with unscorable gold, ${tally.bad} bad\n`,
  );
}
