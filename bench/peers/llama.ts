import { readdirSync } from 'node:fs';
import path from 'node:path';

import { settingsOf, TEMPERATURE, TOP_K, TOP_P, type Operation, type PeerCase, type Problem } from './problem.js';
import { repeat } from './repeat.js';

type Native = (...args: unknown[]) => unknown;
export interface Koffi {
  load(file: string, options: { global?: boolean; lazy?: boolean }): { func(prototype: string): Native };
  struct(name: string, members: Record<string, string>): unknown;
  alloc(type: string, length: number): unknown;
  address(pointer: unknown): bigint;
  view(pointer: unknown, bytes: number): ArrayBuffer;
}

/** 32-bit words of llama_token_data: id, logit, p. */
const WORDS = 3;

const chains: readonly Operation[] = ['sample', 'sample, top-k 50 + top-p 0.95', 'sample, top-p 0.95'];

/**
 * llama.cpp's sampler chain, row by row through its C API: node-llama-cpp has no sampler without a model, but ships the
 * library. The array of candidates is filled in JavaScript, as every caller of the chain has to do, and that is counted.
 */
export function llamaCases(problem: Problem, koffi: Koffi, folder: string): PeerCase[] {
  const bins = path.join(folder, 'node_modules/@node-llama-cpp/linux-x64/bins/linux-x64');
  const files = readdirSync(bins).sort();
  const load = (name: RegExp) =>
    koffi.load(path.join(bins, files.find((file) => name.test(file)) ?? name.source), { global: true, lazy: true });
  load(/^libggml-base\.(v[\d.]+)?so$/);
  load(/^libggml\.(v[\d.]+)?so$/);
  const library = load(/^libllama\.(v[\d.]+)?so$/);
  koffi.struct(`llama_sampler_chain_params_${problem.rows}`, { no_perf: 'bool' });
  const init = library.func(`void *llama_sampler_chain_init(llama_sampler_chain_params_${problem.rows} params)`);
  const add = library.func('void llama_sampler_chain_add(void *chain, void *sampler)');
  const apply = library.func('void llama_sampler_apply(void *chain, void *candidates)');
  const topK = library.func('void *llama_sampler_init_top_k(int k)');
  const topP = library.func('void *llama_sampler_init_top_p(float p, size_t min_keep)');
  const temperature = library.func('void *llama_sampler_init_temp(float t)');
  const draw = library.func('void *llama_sampler_init_dist(uint32_t seed)');

  const { logits, rows, vocab } = problem;
  const pointer = koffi.alloc('float', WORDS * vocab);
  const memory = koffi.view(pointer, 4 * WORDS * vocab);
  const [floats, ints] = [new Float32Array(memory), new Int32Array(memory)];
  // llama_token_data_array: data, size, selected, sorted.
  const array = new BigInt64Array(4);
  const drawn = new Int32Array(rows);
  return chains.map((operation) => {
    // llama.cpp applies the temperature last; here first, to draw from the same distribution as the others.
    const chain = init({ no_perf: true });
    add(chain, temperature(operation === 'sample' ? 1 : TEMPERATURE));
    if (settingsOf(operation)?.topK) add(chain, topK(TOP_K));
    if (operation !== 'sample') add(chain, topP(TOP_P, 1));
    add(chain, draw(42));
    const sampleRow = (r: number): void => {
      for (let j = 0, at = r * vocab; j < vocab; j++) {
        ints[WORDS * j] = j;
        floats[WORDS * j + 1] = logits[at + j]!;
      }
      array.set([koffi.address(pointer), BigInt(vocab), -1n, 0n]);
      apply(chain, array);
      drawn[r] = ints[WORDS * Number(array[2])]!;
    };
    return {
      ...{ operation, peer: 'llama.cpp', how: 'sampler chain, by koffi' },
      run: repeat(() => {
        for (let r = 0; r < rows; r++) sampleRow(r);
      }),
      results: () => ({ tokens: drawn }),
    };
  });
}
