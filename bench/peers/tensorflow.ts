import path from 'node:path';

import { drawTopP } from './plain.js';
import { TOP_K, type PeerCase, type Problem } from './problem.js';
import { repeat } from './repeat.js';

interface Tensor {
  dataSync(): Float32Array | Int32Array;
  dispose(): void;
}
export interface TensorFlow {
  setBackend(name: string): Promise<boolean>;
  tensor2d(values: ArrayBufferView, shape: readonly [number, number], type?: string): Tensor;
  tidy(work: () => void): void;
  logSoftmax(x: Tensor): Tensor;
  gatherND(x: Tensor, indices: Tensor): Tensor;
  exp(x: Tensor): Tensor;
  mul(a: Tensor, b: Tensor): Tensor;
  sum(x: Tensor, axis: number): Tensor;
  neg(x: Tensor): Tensor;
  softmax(x: Tensor): Tensor;
  topk(x: Tensor, k: number): { values: Tensor; indices: Tensor };
}
export interface WasmBackend {
  setWasmPaths(folder: string): void;
  setThreadsCount(threads: number): void;
}

/** TensorFlow.js on WebAssembly with SIMD. */
export async function tensorflowCases(
  problem: Problem,
  tf: TensorFlow,
  wasm: WasmBackend,
  folder: string,
): Promise<PeerCase[]> {
  wasm.setWasmPaths(`${path.join(folder, 'node_modules/@tensorflow/tfjs-backend-wasm/dist')}/`);
  wasm.setThreadsCount(problem.threads);
  await tf.setBackend('wasm');
  const { logits, tokens, rows, vocab } = problem;
  const x = tf.tensor2d(logits, [rows, vocab]);
  const picks = tf.tensor2d(
    Int32Array.from({ length: 2 * rows }, (_, i) => (i % 2 ? tokens[i >> 1]! : i >> 1)),
    [rows, 2],
    'int32',
  );
  const peer = 'tfjs (wasm)';
  let logprobs: ArrayLike<number> = [];
  let entropies: ArrayLike<number> = [];
  const drawn = new Int32Array(rows);
  const tidy = (work: () => void): ((times: number) => undefined) =>
    repeat(() => {
      tf.tidy(work);
    });
  return [
    {
      ...{ operation: 'log-prob', peer, how: 'logSoftmax, gatherND' },
      run: tidy(() => {
        logprobs = tf.gatherND(tf.logSoftmax(x), picks).dataSync();
      }),
      results: () => ({ logprobs }),
    },
    {
      ...{ operation: 'log-prob + entropy', peer, how: 'logSoftmax, gatherND, exp, mul, sum' },
      run: tidy(() => {
        const l = tf.logSoftmax(x);
        logprobs = tf.gatherND(l, picks).dataSync();
        entropies = tf.neg(tf.sum(tf.mul(tf.exp(l), l), 1)).dataSync();
      }),
      results: () => ({ logprobs, entropies }),
    },
    {
      ...{ operation: 'sample, top-k 50 + top-p 0.95', peer, how: 'topk, top-p and draw in JavaScript' },
      run: tidy(() => {
        const { values, indices } = tf.topk(x, TOP_K);
        const [v, ids] = [values.dataSync(), indices.dataSync()];
        for (let r = 0; r < rows; r++) {
          const [begin, end] = [r * TOP_K, (r + 1) * TOP_K];
          drawn[r] = drawTopP(v.subarray(begin, end), ids.subarray(begin, end));
        }
      }),
      results: () => ({ tokens: drawn }),
    },
  ];
}
