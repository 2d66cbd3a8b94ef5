import type { AddressInfo } from 'node:net';
import { InvalidArgumentError, Option as CliOption, type Command } from 'commander';
import { presets, type PresetName } from '../rewards/presets.js';
import { createRewardServer } from '../rewards/server/server.js';

interface ServeFlags {
  readonly host: string;
  readonly port: number;
  readonly preset?: PresetName;
  readonly maxBody: number;
  readonly maxInFlight: number;
  readonly timeout: number;
  readonly json?: boolean;
}

const help = `
POST /verify, /seed_session, /aggregate_metrics and GET /reverify_mode are the resource-server protocol of NeMo Gym;
POST /v1/verify takes a row of \`crossthink verify\`, or {"rows": [...]}. GET /health and GET /metrics (Prometheus).
SIGTERM and SIGINT let the requests under way finish.

Examples:
  $ crossthink serve --port 8080
  $ crossthink serve --host 0.0.0.0 --port 0 --preset math-verify --json
  $ curl -s localhost:8080/v1/verify -d '{"gold": "1/2", "response": "<think>half</think>\\\\boxed{0.5}"}'
`;

export function registerServe(program: Command): void {
  program
    .command('serve')
    .description('answer verification requests over HTTP: NeMo Gym resource server and plain JSON')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <number>', 'port; 0 takes a free one', whole, 8080)
    .addOption(new CliOption('--preset <name>', 'convention of the comparison').choices(Object.keys(presets)))
    .option('--max-body <bytes>', 'largest request body', whole, 8 * 2 ** 20)
    .option('--max-in-flight <number>', 'requests answered at once', whole, 256)
    .option('--timeout <ms>', 'time in which a request must arrive', whole, 30_000)
    .option('--json', 'print {"host", "port"} once listening')
    .addHelpText('after', help)
    .action(serve);
}

function whole(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('must be a whole number');
  return Number(text);
}

async function serve(flags: ServeFlags): Promise<void> {
  const server = createRewardServer({
    settings: flags.preset === undefined ? {} : { preset: flags.preset },
    maximumBody: flags.maxBody,
    maximumInFlight: flags.maxInFlight,
    requestTimeout: flags.timeout,
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(flags.port, flags.host, resolve);
  });
  const { address, port } = server.address() as AddressInfo;
  if (flags.json === true) process.stdout.write(`${JSON.stringify({ host: address, port })}\n`);
  else process.stderr.write(`listening on http://${address}:${port}\n`);
  await new Promise<void>((resolve) => {
    const stop = (): void => {
      server.close(() => {
        resolve();
      });
      server.closeIdleConnections();
    };
    process.once('SIGTERM', stop);
    process.once('SIGINT', stop);
  });
}
