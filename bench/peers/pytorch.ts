import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface, type Interface } from 'node:readline';

import { TEMPERATURE, TOP_K, TOP_P, type Operation, type PeerCase, type Problem, type Results } from './problem.js';

/**
 * PyTorch eager in a Python beside this process, on a copy of the same arrays; it sleeps on its standard input while others
 * are timed. `CROSSTHINK_PYTHON` names the interpreter, default `python3`.
 */
export class PyTorch {
  readonly #child;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;
  readonly #folder = mkdtempSync(path.join(os.tmpdir(), 'crossthink-peers-'));

  constructor(problem: Problem) {
    writeFileSync(this.#file('logits'), problem.logits);
    writeFileSync(this.#file('tokens'), problem.tokens);
    const python = process.env['CROSSTHINK_PYTHON'] ?? 'python3';
    const script = path.join(__dirname, 'pytorch_peer.py');
    const settings = [problem.rows, problem.vocab, problem.threads, TEMPERATURE, TOP_K, TOP_P].map(String);
    this.#child = spawn(python, [script, this.#folder, ...settings], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.on('error', () => undefined); // Its output ends: the next line is missing.
    this.#reader = createInterface({ input: this.#child.stdout });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  #file(name: string): string {
    return path.join(this.#folder, name);
  }

  async #ask(line: string): Promise<string> {
    this.#child.stdin.write(`${line}\n`);
    return this.#answer();
  }

  async #answer(): Promise<string> {
    const next = await this.#lines.next();
    if (next.done === true) throw new Error('the Python process ended; does it have torch? (CROSSTHINK_PYTHON)');
    return next.value;
  }

  /** The version it runs, and its cases. */
  async cases(): Promise<{ version: string; cases: PeerCase[] }> {
    const { version, operations } = JSON.parse(await this.#answer()) as {
      version: string;
      operations: { operation: Operation; how: string }[];
    };
    const cases = operations.map(({ operation, how }) => ({
      ...{ operation, peer: 'PyTorch eager', how },
      run: async (times: number) => Number(await this.#ask(`run ${times} ${operation}`)),
      results: async () => this.#results(await this.#ask(`results ${operation}`)),
    }));
    return { version, cases };
  }

  #results(names: string): Results {
    const read = (name: string): ArrayBuffer => new Uint8Array(readFileSync(this.#file(name))).buffer;
    const has = (name: string): boolean => names.split(' ').includes(name);
    return {
      ...(has('logprobs') && { logprobs: new Float32Array(read('logprobs')) }),
      ...(has('entropies') && { entropies: new Float32Array(read('entropies')) }),
      ...(has('gradient') && { gradient: { values: new Float32Array(read('gradient')) } }),
      ...(has('drawn') && { tokens: new Int32Array(read('drawn')) }),
    };
  }

  close(): void {
    this.#reader.close();
    this.#child.stdin.end();
    this.#child.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
