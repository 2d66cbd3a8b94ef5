import { type Command, Option } from 'commander';
import { exportQuestions } from '../exports/export.js';
import { exportFormats } from '../exports/registry.js';
import { invalidValue } from '../errors.js';
import { PROMPT_PRESETS, type PromptOptions, type PromptPreset } from '../templates/prompt.js';
import { printJson } from './output.js';

interface ExportFlags {
  input?: string[];
  format: string;
  out?: string;
  preset: PromptPreset;
  answerForm: NonNullable<PromptOptions['answerForm']>;
  split: string;
  json?: boolean;
}

const FORMATS = exportFormats.map(
  ({ name, container, follows }) => `  ${name.padEnd(10)} ${container.padEnd(8)} ${follows}`,
);

const EXAMPLES = `
Formats, and whose documented fields they follow:
${FORMATS.join('\n')}

Examples:
  $ crossthink export --input curated/mmlu --format verl --out train.parquet
  $ crossthink export --input blends/gpr-up/blend.jsonl --format nemo-gym --out train.jsonl
`;

export function registerExport(program: Command): void {
  program
    .command('export')
    .description("curated questions → a trainer's rows")
    .option('-i, --input <path...>', 'curated files or folders, or a blend.jsonl')
    .addOption(
      new Option('-f, --format <name>', 'row format').choices(exportFormats.map(({ name }) => name)).default('verl'),
    )
    .option('-o, --out <file>', 'file to write')
    .addOption(new Option('--preset <name>', 'wording of the prompt').choices(PROMPT_PRESETS).default('think-boxed'))
    .addOption(
      new Option('--answer-form <form>', 'what multiple-choice prompts ask for')
        .choices(['label', 'label-text'])
        .default('label'),
    )
    .option('--split <name>', 'name of the split, where the format has one', 'train')
    .option('--json', 'print one JSON object')
    .addHelpText('after', EXAMPLES)
    .action(async ({ input = [], out, format, preset, answerForm, split, json }: ExportFlags) => {
      if (input.length === 0) throw invalidValue('--input', 'one or more curated files or folders', undefined);
      if (out === undefined) throw invalidValue('--out', 'a file', undefined);
      const rows = await exportQuestions(input, out, format, { preset, answerForm, split });
      if (json === true) printJson({ out, format, rows });
      else process.stdout.write(`${rows} rows written to ${out} (${format})\n`);
    });
}
