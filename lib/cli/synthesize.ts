import type { Command } from 'commander';
import { invalidValue } from '../errors.js';
import { readSynthesisSpec } from '../synthetic/spec.js';
import {
  importSynthesis,
  runSynthesis,
  type SynthesisSummary,
  synthesisRequests,
  writeRequests,
} from '../synthetic/synthesis.js';
import { parseCount } from './arguments.js';
import { printJson } from './output.js';
import { startProgress } from './progress.js';

const EXAMPLES = `
A specification names topics, difficulties, the model that writes the questions, and how often each is solved:

  model: teacher
  topics: { Law: [contracts, torts], Biology: [cells] }
  difficulties: [undergraduate, graduate]
  count: 50
  samples: 8

The answer that most solutions agree on becomes the gold; ties and small majorities go to the ledger.

Examples:
  $ crossthink synthesize run spec.yaml --base-url http://localhost:8000 --out synthetic/law
  $ crossthink synthesize export spec.yaml --out questions.requests.jsonl
  $ crossthink synthesize export spec.yaml --candidates questions.answers.jsonl --out solutions.requests.jsonl
  $ crossthink synthesize import spec.yaml --candidates questions.answers.jsonl --solutions solutions.answers.jsonl --out synthetic/law
`;

interface Flags {
  out?: string;
  candidates?: string;
  solutions?: string;
  baseUrl?: string;
  apiKeyEnv: string;
  concurrency: number;
  tries: number;
  json?: boolean;
}

export function registerSynthesize(program: Command): void {
  const command = program
    .command('synthesize')
    .description('questions from a teacher model, golds by majority vote: resumable, any OpenAI-compatible endpoint')
    .addHelpText('after', EXAMPLES);
  command
    .command('run')
    .description('ask, solve and vote; the same command again goes on with an interrupted run')
    .argument('<spec>', 'YAML specification')
    .option('-o, --out <dir>', 'folder for answers, questions and ledger')
    .option('--base-url <url>', 'for example http://localhost:8000')
    .option('--api-key-env <name>', 'environment variable that holds the key', 'OPENAI_API_KEY')
    .option('--concurrency <n>', 'requests under way at once', parseCount, 8)
    .option('--tries <n>', 'tries for each request, with growing pauses', parseCount, 4)
    .option('--json', 'print the summary as one JSON object')
    .addHelpText('after', EXAMPLES)
    .action(run);
  command
    .command('export')
    .description('write the requests as a file of the OpenAI batch format')
    .argument('<spec>', 'YAML specification')
    .option('-o, --out <file>', 'file for the requests')
    .option('--candidates <file>', 'answers of the first stage: write the requests of the second, the solutions')
    .option('--json', 'print the number of requests as one JSON object')
    .addHelpText('after', EXAMPLES)
    .action(exportRequests);
  command
    .command('import')
    .description('answers of both stages → questions.jsonl and ledger.jsonl')
    .argument('<spec>', 'YAML specification')
    .option('--candidates <file>', 'answers of the first stage')
    .option('--solutions <file>', 'answers of the second stage')
    .option('-o, --out <dir>', 'folder for the results')
    .option('--json', 'print the summary as one JSON object')
    .addHelpText('after', EXAMPLES)
    .action(importAnswers);
}

async function run(specFile: string, flags: Flags): Promise<void> {
  const out = required('--out', 'a folder', flags.out);
  const baseUrl = required('--base-url', 'the address of an OpenAI-compatible endpoint', flags.baseUrl);
  const spec = await readSynthesisSpec(specFile);
  const apiKey = process.env[flags.apiKeyEnv];
  let progress: ReturnType<typeof startProgress> | undefined;
  let total = 0;
  try {
    const summary = await runSynthesis(spec, out, {
      baseUrl,
      concurrency: flags.concurrency,
      tries: flags.tries,
      ...(apiKey === undefined ? {} : { apiKey }),
      onProgress: (done, requests) => {
        if (requests !== total) {
          progress?.stop();
          progress = startProgress('synthesize', 'requests', requests, flags.json === true);
          total = requests;
        }
        progress?.update(done);
      },
    });
    progress?.stop();
    report(summary, out, flags.json === true);
  } finally {
    progress?.stop();
  }
}

async function exportRequests(specFile: string, flags: Flags): Promise<void> {
  const out = required('--out', 'a file', flags.out);
  const requests = await synthesisRequests(await readSynthesisSpec(specFile), flags.candidates);
  await writeRequests(requests, out);
  if (flags.json === true) printJson({ out, requests: requests.length });
  else process.stdout.write(`${requests.length} requests written to ${out}\n`);
}

async function importAnswers(specFile: string, flags: Flags): Promise<void> {
  const out = required('--out', 'a folder', flags.out);
  const files = {
    candidates: required('--candidates', 'the answers of the first stage', flags.candidates),
    solutions: required('--solutions', 'the answers of the second stage', flags.solutions),
  };
  report(await importSynthesis(await readSynthesisSpec(specFile), files, out), out, flags.json === true);
}

function required(flag: string, expected: string, value: string | undefined): string {
  if (value === undefined) throw invalidValue(flag, expected, value);
  return value;
}

function report(summary: SynthesisSummary, out: string, json: boolean): void {
  if (json) {
    printJson({ out, ...summary });
    return;
  }
  const reasons = Object.entries(summary.reasons).map(([reason, n]) => `  ${String(n).padStart(8)}  ${reason}\n`);
  process.stdout.write(
    `${summary.answers} answers, ${summary.candidates} questions, ${summary.solutions} solutions: ${summary.accepted} accepted, ${summary.dropped} dropped\n${reasons.join('')}written to ${out}\n`,
  );
}
