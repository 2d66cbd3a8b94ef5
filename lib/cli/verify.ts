import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { InvalidArgumentError, Option as CliOption, type Command } from 'commander';
import { CrossThinkError } from '../errors.js';
import { compareRow } from '../rewards/audit.js';
import { verifyLines } from '../rewards/batch/stream.js';
import { presets, type PresetName } from '../rewards/presets.js';
import { parseRow, type RowError, type RowVerdict } from '../rewards/row.js';
import { reasons } from '../rewards/verdict.js';
import { printJson } from './output.js';
import { startProgress } from './progress.js';

interface VerifyFlags {
  readonly input?: string;
  readonly preset?: PresetName;
  readonly comparePreset?: PresetName;
  readonly threads: number;
  readonly explain?: boolean;
}

const help = `
Each input line is {"id", "gold", "response", "options"?, "form"?, "settings"?}; each output line is
{"id", "reward", "accuracy", "format", "extracted", "reason"} in the same order. A line that cannot be read gives
{"id", "line", "reason": "bad_row", "error"} and does not stop the others. Where the gold cannot be scored, reward and
accuracy are null. The summary goes to stderr. With --compare-preset only rows whose verdict changes are written, as
{"id", "before", "after"}.

Examples:
  $ crossthink verify < rollouts.jsonl > verdicts.jsonl
  $ crossthink verify --input rollouts.jsonl --preset strict --explain
  $ crossthink verify --input rollouts.jsonl --preset strict --compare-preset default > changed.jsonl
  $ echo '{"id":1,"gold":"1/2","response":"<think>half</think>\\\\boxed{0.5}"}' | crossthink verify
`;

export function registerVerify(program: Command): void {
  const names = Object.keys(presets);
  program
    .command('verify')
    .description('judge responses against gold answers by rules: JSONL in, JSONL out')
    .option('--input <file>', 'read rows from a file instead of stdin')
    .addOption(new CliOption('--preset <name>', 'convention of the comparison').choices(names))
    .addOption(
      new CliOption('--compare-preset <name>', 'judge again under this preset and write what changed').choices(names),
    )
    .option('--threads <number>', 'worker threads; 0 takes all cores', threads, 1)
    .option('--explain', 'add an "explanation" of the reason code to every row')
    .addHelpText('after', help)
    .action(async (flags: VerifyFlags) => {
      const { lines, report, stop } = await openInput(flags.input);
      await (flags.comparePreset === undefined
        ? judge(lines, flags, report)
        : compare(lines, flags, flags.comparePreset, report));
      stop();
    });
}

function threads(text: string): number {
  if (!/^\d{1,3}$/.test(text)) throw new InvalidArgumentError('must be a whole number');
  return text === '0' ? availableParallelism() : Number(text);
}

interface Input {
  readonly lines: AsyncIterable<string>;
  /** Says how many rows are done; shown where it takes long. */
  readonly report: (rows: number) => void;
  readonly stop: () => void;
}

/** Rows from a file, with progress by its bytes; or from stdin, whose end is not known. */
async function openInput(file: string | undefined): Promise<Input> {
  const read = (input: Readable): AsyncIterable<string> => createInterface({ input, crlfDelay: Infinity });
  if (file === undefined) return { lines: read(process.stdin), report: countRows(), stop: () => undefined };
  const size = await stat(file).then(
    (info) => info.size,
    (cause: unknown) => {
      throw new CrossThinkError('ERR_FILE_NOT_FOUND', '--input: no such file, or not readable', { file, cause });
    },
  );
  const stream = createReadStream(file);
  const progress = startProgress('verify', 'bytes', size);
  return {
    lines: read(stream),
    report: (rows) => {
      progress.update(stream.bytesRead, `${rows} rows`);
    },
    stop: () => {
      progress.stop();
    },
  };
}

async function write(value: unknown): Promise<void> {
  printJson(value);
  if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain');
}

/** A line on stderr every few seconds. */
function countRows(): (rows: number) => void {
  let last = Date.now();
  return (rows) => {
    if (Date.now() - last < 5000) return;
    last = Date.now();
    process.stderr.write(`verify: ${rows} rows\n`);
  };
}

async function judge(lines: AsyncIterable<string>, flags: VerifyFlags, report: Input['report']): Promise<void> {
  const defaults = flags.preset === undefined ? {} : { preset: flags.preset };
  const tally = { rows: 0, right: 0, formatted: 0, rewarded: 0, unscorable: 0, bad: 0 };
  for await (const verdict of verifyLines(lines, defaults, { threads: flags.threads })) {
    tally.rows++;
    if (verdict.reason === 'bad_row') tally.bad++;
    else if (Number.isNaN(verdict.accuracy)) tally.unscorable++;
    tally.right += verdict.accuracy === 1 ? 1 : 0;
    tally.formatted += verdict.format === 1 ? 1 : 0;
    tally.rewarded += verdict.reward === 1 ? 1 : 0;
    await write(flags.explain === true ? explain(verdict) : verdict);
    report(tally.rows);
  }
  const scored = tally.rows - tally.bad - tally.unscorable;
  process.stderr.write(
    `${tally.rows} rows: ${tally.rewarded} rewarded, ${tally.right} of ${scored} right, ${tally.formatted} well formatted, ` +
      `${tally.unscorable} with unscorable gold, ${tally.bad} bad\n`,
  );
}

function explain(verdict: RowVerdict | RowError): object {
  return verdict.reason === 'bad_row' ? verdict : { ...verdict, explanation: reasons[verdict.reason] };
}

async function compare(
  lines: AsyncIterable<string>,
  flags: VerifyFlags,
  after: PresetName,
  report: Input['report'],
): Promise<void> {
  const before = flags.preset ?? 'default';
  const tally = { rows: 0, same: 0, gained: 0, lost: 0, other: 0, bad: 0 };
  let line = 0;
  for await (const text of lines) {
    line++;
    if (text.trim() === '') continue;
    tally.rows++;
    report(tally.rows);
    try {
      const change = compareRow(parseRow(JSON.parse(text)), { preset: before }, { preset: after });
      const [x, y] = [change.before.accuracy, change.after.accuracy];
      if (Object.is(x, y) && change.before.format === change.after.format) tally.same++;
      else {
        tally[x === 0 && y === 1 ? 'gained' : x === 1 && y === 0 ? 'lost' : 'other']++;
        await write(change);
      }
    } catch (error) {
      tally.bad++;
      await write({
        id: null,
        line,
        reason: 'bad_row',
        error: `line ${line}: ${error instanceof Error ? error.message : String(error)}`,
      });
    }
  }
  process.stderr.write(
    `${tally.rows} rows under ${before}, then ${after}: ${tally.same} the same, ${tally.gained} gained, ${tally.lost} lost, ` +
      `${tally.other} changed otherwise, ${tally.bad} bad\n`,
  );
}
