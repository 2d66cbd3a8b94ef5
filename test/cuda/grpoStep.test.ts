import { grpoStep, grpoStepAsync, type GrpoBatch, type GrpoStepOptions } from '../../lib/index.js';
import { deviceGrpoStep, type DeviceGrpoBatch, type DeviceGrpoStepOptions } from '../../lib/kernels/device/grpoStep.js';
import { readPolicyLoss } from '../../lib/kernels/policyLoss.js';
import { runtimeInfo } from '../../lib/native/info.js';
import { CudaStream } from '../../lib/native/stream.js';
import { DeviceTensor, deviceMemory } from '../../lib/native/tensor.js';
import { digest } from '../kernels/isas.js';
import { Random, toBfloat16 } from '../kernels/random.js';

const cuda = runtimeInfo().cuda.available ? describe : describe.skip;

const random = new Random(5);
const [rows, vocab] = [29, 2300];
const logits = random.normals(rows * vocab, 3);
const batch: GrpoBatch = {
  tokens: Int32Array.from({ length: rows }, () => random.integer(vocab)),
  oldLogprobs: random.normals(rows).map((v) => v - 9),
  refLogprobs: random.normals(rows).map((v) => v - 9),
  advantages: Float32Array.of(1.5, -0.8, 0.4),
  cuSeqlens: Int32Array.of(0, 11, 16, rows),
  mask: Uint8Array.from({ length: rows }, (_, i) => (i % 4 === 2 ? 0 : 1)),
};
const options = { preset: 'dapo', klCoef: 0.04, entropyCoef: 0.01, temperature: 0.8 } as const;

/** The results of a step on a device as host arrays, as `grpoStep` returns them but for the drift. */
function onHost(step: ReturnType<typeof deviceGrpoStep>) {
  const { loss, metrics } = readPolicyLoss(step.results.toHost() as Float64Array);
  const { dLogits, logprobs, entropies, status } = step;
  const entropy = entropies && { entropies: entropies.toHost() };
  return { loss, metrics, dLogits: dLogits.toHost(), logprobs: logprobs.toHost(), ...entropy, status: status.toHost() };
}

function onCpu(x: Float32Array | Uint16Array, o: GrpoStepOptions) {
  const { metrics, ...step } = grpoStep(x.slice(), batch, o);
  const { largestDrift, ...sums } = metrics;
  expect(largestDrift).toBeGreaterThan(0);
  return { ...step, metrics: sums };
}

cuda('grpoStep on CUDA', () => {
  it('has the bits of the CPU on host arrays, in place and apart', async () => {
    const expected = grpoStep(logits.slice(), batch, options);
    const x = logits.slice();
    const step = grpoStep(x, batch, { ...options, device: 'cuda' });
    expect(step.dLogits).toBe(x);
    expect(digest(step)).toBe(digest(expected));
    const out = new Float32Array(x.length);
    expect(await grpoStepAsync(logits, batch, { ...options, out, device: 'cuda' })).toEqual(expected);
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(grpoStepAsync(logits, batch, { signal, out, device: 'cuda' })).rejects.toThrow('enough');
  });

  it('leaves the padding of rows alone', () => {
    const padded = new Float32Array(rows * (vocab + 5)).fill(7);
    for (let i = 0; i < rows; i++) padded.set(logits.subarray(i * vocab, (i + 1) * vocab), i * (vocab + 5));
    const strided = { ...options, vocab, stride: vocab + 5 };
    const expected = grpoStep(padded.slice(), batch, strided).dLogits;
    expect(grpoStep(padded, batch, { ...strided, device: 'cuda' }).dLogits).toEqual(expected);
    expect(padded[vocab]).toBe(7);
  });

  it('has the bits of the CPU on device tensors, on a stream, and leaves nothing behind', () => {
    const before = deviceMemory();
    using stream = CudaStream.create();
    const tensors = Object.fromEntries(
      Object.entries(batch).map(([name, array]) => [name, DeviceTensor.from(array as Float32Array, { stream })]),
    ) as unknown as DeviceGrpoBatch & Record<string, DeviceTensor>;
    const mixed = { ...tensors, advantages: batch.advantages, cuSeqlens: batch.cuSeqlens };
    for (const inputs of [tensors, mixed]) {
      for (const o of [options, { preset: 'gspo', entropy: false }, { preset: 'cispo', softcap: 20 }] as const) {
        using x = DeviceTensor.from(logits, { shape: [rows, vocab], stream });
        const step = deviceGrpoStep(x, inputs, o);
        expect(step.dLogits).toBe(x);
        expect(digest(onHost(step))).toBe(digest(onCpu(logits, o)));
        for (const tensor of [step.logprobs, step.entropies, step.status, step.results]) tensor?.dispose();
      }
    }
    for (const tensor of Object.values(tensors)) tensor.dispose();
    expect(deviceMemory()).toEqual(before);
  });

  it('writes into tensors that the caller owns, and halves as float32', () => {
    const halves = toBfloat16(logits);
    using x = DeviceTensor.from(halves, { dtype: 'bfloat16', shape: [rows, vocab] });
    using dLogits = DeviceTensor.allocate([rows, vocab]);
    using logprobs = DeviceTensor.allocate([rows]);
    using entropies = DeviceTensor.allocate([rows]);
    using status = DeviceTensor.allocate([rows], { dtype: 'uint8' });
    using results = DeviceTensor.allocate([14], { dtype: 'float64' });
    const memory = deviceMemory();
    const out = { dLogits, logprobs, entropies, status, results };
    const step = deviceGrpoStep(x, batch, { ...options, out });
    expect(step).toEqual(out);
    expect(digest(onHost(step))).toBe(digest(onCpu(halves, { ...options, dtype: 'bfloat16', outDtype: 'float32' })));
    expect(x.toHost()).toEqual(halves);
    expect(deviceMemory()).toEqual(memory);
  });

  it('names the argument that does not fit', () => {
    using x = DeviceTensor.from(logits, { shape: [rows, vocab] });
    using ids = DeviceTensor.from(batch.tokens);
    const call = (change: object, o: DeviceGrpoStepOptions = {}): unknown =>
      deviceGrpoStep(x, { ...batch, ...change }, o);
    expect(() => deviceGrpoStep(logits as unknown as DeviceTensor, batch)).toThrow('logits');
    expect(() => call({ tokens: batch.tokens.subarray(1) })).toThrow('logits must be of shape');
    expect(() => call({ oldLogprobs: ids })).toThrow('oldLogprobs must be of float32');
    expect(() => call({}, { out: { dLogits: ids } })).toThrow('options.out.dLogits');
    expect(() => call({}, { entropy: false, entropyCoef: 0.1 })).toThrow('entropyCoef');
    expect(x.toHost()).toEqual(logits);
  });
});
