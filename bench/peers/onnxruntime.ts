import { constant, model, node, tensor } from './onnxGraph.js';
import { drawTopP } from './plain.js';
import { TOP_K, type PeerCase, type Problem } from './problem.js';
import { repeatAsync } from './repeat.js';

interface Tensor {
  readonly data: ArrayLike<number | bigint>;
}
interface Session {
  run(feeds: Record<string, Tensor>, fetches?: Record<string, Tensor>): Promise<Record<string, Tensor>>;
}
export interface OnnxRuntime {
  readonly Tensor: new (type: string, data: ArrayBufferView, dims: readonly number[]) => Tensor;
  readonly InferenceSession: { create(model: Buffer, options: object): Promise<Session> };
}

const AXIS = { axis: -1 };
const x = tensor('x', 'float32', ['N', 'V']);
const t = tensor('t', 'int64', ['N', 1]);
const y = tensor('y', 'float32', ['N', 1]);
const pick = (from: string): Buffer => node('GatherElements', [from, 't'], ['y'], AXIS);

const models = {
  logprob: model([node('LogSoftmax', ['x'], ['l'], AXIS), pick('l')], [x, t], [y]),
  entropy: model(
    [
      node('LogSoftmax', ['x'], ['l'], AXIS),
      node('Exp', ['l'], ['p']),
      node('Mul', ['l', 'p'], ['lp']),
      node('ReduceSum', ['lp', 'axes'], ['s'], { keepdims: 1 }),
      node('Neg', ['s'], ['h']),
      pick('l'),
    ],
    [x, t],
    [y, tensor('h', 'float32', ['N', 1])],
    [constant('axes', -1)],
  ),
  softmax: model([node('Softmax', ['x'], ['p'], AXIS)], [x], [tensor('p', 'float32', ['N', 'V'])]),
  topK: model(
    [node('TopK', ['x', 'k'], ['v', 'i'], { ...AXIS, largest: 1, sorted: 1 })],
    [x],
    [tensor('v', 'float32', ['N', TOP_K]), tensor('i', 'int64', ['N', TOP_K])],
    [constant('k', TOP_K)],
  ),
};

/** onnxruntime-node on its CPU provider; its log-prob kernels with outputs it allocates, softmax into a given one. */
export async function onnxruntimeCases(problem: Problem, ort: OnnxRuntime): Promise<PeerCase[]> {
  const { logits, tokens, rows, vocab, threads } = problem;
  const options = { intraOpNumThreads: threads, interOpNumThreads: 1, executionMode: 'sequential' };
  const session = (m: Buffer): Promise<Session> => ort.InferenceSession.create(m, options);
  const input = new ort.Tensor('float32', logits, [rows, vocab]);
  const target = new ort.Tensor('int64', BigInt64Array.from(tokens, BigInt), [rows, 1]);
  const probabilities = new ort.Tensor('float32', new Float32Array(logits.length), [rows, vocab]);
  const [logprob, entropy, softmax, topK] = [
    await session(models.logprob),
    await session(models.entropy),
    await session(models.softmax),
    await session(models.topK),
  ];
  const peer = 'onnxruntime-node';
  let out: Record<string, Tensor> = {};
  const drawn = new Int32Array(rows);
  const numbers = (name: string): Float32Array => out[name]!.data as Float32Array;
  return [
    {
      ...{ operation: 'log-prob', peer, how: 'LogSoftmax, GatherElements' },
      run: repeatAsync(async () => (out = await logprob.run({ x: input, t: target }))),
      results: () => ({ logprobs: numbers('y') }),
    },
    {
      ...{ operation: 'log-prob + entropy', peer, how: 'LogSoftmax, Exp, Mul, ReduceSum' },
      run: repeatAsync(async () => (out = await entropy.run({ x: input, t: target }))),
      results: () => ({ logprobs: numbers('y'), entropies: numbers('h') }),
    },
    {
      ...{ operation: 'backward', peer, how: 'Softmax only, output preallocated' },
      run: repeatAsync(() => softmax.run({ x: input }, { p: probabilities })),
      results: () => ({ gradient: { values: probabilities.data as Float32Array, softmaxOnly: true } }),
    },
    {
      ...{ operation: 'sample, top-k 50 + top-p 0.95', peer, how: 'TopK, top-p and draw in JavaScript' },
      run: repeatAsync(async () => {
        const { v, i } = await topK.run({ x: input });
        const [values, ids] = [v!.data as Float32Array, i!.data as BigInt64Array];
        for (let r = 0; r < rows; r++) {
          const [begin, end] = [r * TOP_K, (r + 1) * TOP_K];
          drawn[r] = drawTopP(values.subarray(begin, end), ids.subarray(begin, end));
        }
      }),
      results: () => ({ tokens: drawn }),
    },
  ];
}
