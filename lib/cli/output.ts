import pc from 'picocolors';
import { CrossThinkError } from '../errors.js';

/** One line of JSON on stdout: what `--json` promises. Everything meant for people goes to stderr then. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** Prints an error for people on stderr: no stack for errors of use, the whole stack for faults of ours. */
export function reportError(error: unknown): void {
  if (error instanceof CrossThinkError) {
    const place = [error.file, error.line].filter((part) => part !== undefined).join(':');
    process.stderr.write(`${pc.red('error')} ${error.code}: ${place === '' ? '' : `${place}: `}${error.message}\n`);
    return;
  }
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
}
