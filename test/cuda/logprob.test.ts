import { deviceMergeLogprobs, logprobBackward, mergeLogprobs, tokenLogprobs } from '../../lib/index.js';
import { deviceLogprobBackward, deviceTokenLogprobs } from '../../lib/kernels/device/logprob.js';
import { runtimeInfo } from '../../lib/native/info.js';
import { CudaStream } from '../../lib/native/stream.js';
import { DeviceTensor, deviceMemory } from '../../lib/native/tensor.js';
import { Random, toBfloat16 } from '../kernels/random.js';

const cuda = runtimeInfo().cuda.available ? describe : describe.skip;

const [rows, vocab] = [3, 5000];
const random = new Random(11);
const logits = random.normals(rows * vocab, 4);
const tokens = Int32Array.from({ length: rows }, () => random.integer(vocab));
const gradients = { dLogprob: random.normals(rows), dEntropy: random.normals(rows) };

cuda('log-probs on device tensors', () => {
  it('have the bits of the CPU, from host or device arguments, and leave nothing behind', () => {
    const before = deviceMemory();
    const expected = tokenLogprobs(logits, tokens, { temperature: 0.8 });
    using x = DeviceTensor.from(logits, { shape: [rows, vocab] });
    using t = DeviceTensor.from(tokens);
    for (const given of [tokens, t]) {
      const result = deviceTokenLogprobs(x, given, { temperature: 0.8 });
      expect(result.logprob.toHost()).toEqual(expected.logprob);
      expect(result.entropy?.toHost()).toEqual(expected.entropy);
      expect(result.logsumexp.toHost()).toEqual(expected.logsumexp);
      expect(result.state.toHost()).toEqual(expected.state);
      expect(result.status.toHost()).toEqual(expected.status);
      for (const tensor of Object.values(result) as DeviceTensor[]) tensor.dispose();
    }
    x.dispose();
    t.dispose();
    expect(deviceMemory()).toEqual(before);
  });

  it('write gradients in place, in the type of the logits, on a stream', () => {
    const halves = toBfloat16(logits);
    const dtype = 'bfloat16';
    const expected = logprobBackward(halves, tokens, gradients, { dtype });
    using stream = CudaStream.create();
    using x = DeviceTensor.from(halves, { dtype, shape: [rows, vocab], stream });
    const forward = deviceTokenLogprobs(x, tokens);
    const { state } = forward;
    using full = DeviceTensor.allocate([rows, vocab], { stream });
    deviceLogprobBackward(x, tokens, { ...gradients, state }, { out: full });
    expect(full.toHost()).toEqual(logprobBackward(halves, tokens, gradients, { dtype, outDtype: 'float32' }));
    expect(deviceLogprobBackward(x, tokens, { ...gradients, state }, { out: x })).toBe(x);
    expect(x.toHost()).toEqual(expected);
    for (const tensor of Object.values(forward) as DeviceTensor[]) tensor.dispose();
    full.dispose();
    x.dispose();
  });

  it('read strided logits that another library owns', () => {
    const stride = vocab + 3;
    const padded = new Float32Array(rows * stride).fill(NaN);
    for (let i = 0; i < rows; i++) padded.set(logits.subarray(i * vocab, (i + 1) * vocab), i * stride);
    using memory = DeviceTensor.from(padded);
    const view = DeviceTensor.wrap({ address: memory.address, shape: [rows, vocab], strides: [stride, 1] });
    const result = deviceTokenLogprobs(view, tokens, { entropy: false });
    expect(result.logprob.toHost()).toEqual(tokenLogprobs(logits, tokens).logprob);
    expect(result.entropy).toBeUndefined();
    for (const tensor of Object.values(result) as DeviceTensor[]) tensor.dispose();
  });

  it('merge the states of vocabulary shards, one tensor each or all in one', () => {
    const before = deviceMemory();
    const half = vocab / 2;
    const shards = [0, 1].map((k) => {
      const part = new Float32Array(rows * half);
      for (let i = 0; i < rows; i++)
        part.set(logits.subarray(i * vocab + k * half, i * vocab + (k + 1) * half), i * half);
      return tokenLogprobs(part, tokens, { vocabOffset: k * half, sumSquares: true }).state;
    });
    shards[1]!.fill(NaN, 5, 10); // The second row had a NaN in this shard.
    const expected = mergeLogprobs(shards);
    expect(mergeLogprobs(shards, { device: 'cuda' })).toEqual(expected);
    const states = shards.map((state) => DeviceTensor.from(state));
    const gathered = DeviceTensor.from(Float64Array.from(shards.flatMap((state) => Array.from(state))), {
      shape: [2, rows, 5],
    });
    const status = DeviceTensor.allocate([rows], { dtype: 'uint8' });
    for (const given of [states, gathered]) {
      const merged = deviceMergeLogprobs(given, { out: { status } });
      expect(merged.status).toBe(status);
      for (const [name, tensor] of Object.entries(merged)) {
        expect(tensor.toHost()).toEqual(expected[name as keyof typeof expected]);
        if (tensor !== status) tensor.dispose();
      }
    }
    expect(() => deviceMergeLogprobs([])).toThrow('states');
    expect(() => deviceMergeLogprobs([states[0]!, status])).toThrow('states[1]');
    expect(() => deviceMergeLogprobs(status)).toThrow('states');
    for (const tensor of [...states, gathered, status]) tensor.dispose();
    expect(deviceMemory()).toEqual(before);
  });

  it('name the argument that does not fit', () => {
    using x = DeviceTensor.from(logits, { shape: [rows, vocab] });
    using ids = DeviceTensor.from(tokens);
    expect(() => deviceTokenLogprobs(ids, tokens)).toThrow('logits must be of float32, bfloat16 or float16');
    expect(() => deviceTokenLogprobs(x, tokens.subarray(1))).toThrow('logits must be of shape [2, vocab]');
    expect(() => deviceTokenLogprobs(x, tokens, { temperature: 0 })).toThrow('options.temperature');
    expect(() => deviceTokenLogprobs(x, tokens, { out: { logprob: ids } })).toThrow('options.out.logprob');
  });
});
