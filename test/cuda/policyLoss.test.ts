import { policyLoss, type LossSettings } from '../../lib/index.js';
import { devicePolicyLoss, type DevicePolicyLossInputs } from '../../lib/kernels/device/policyLoss.js';
import { readPolicyLoss } from '../../lib/kernels/policyLoss.js';
import { runtimeInfo } from '../../lib/native/info.js';
import { CudaStream } from '../../lib/native/stream.js';
import { DeviceTensor, deviceMemory } from '../../lib/native/tensor.js';
import { randomBatch } from '../kernels/batches.js';
import { digest } from '../kernels/isas.js';

const cuda = runtimeInfo().cuda.available ? describe : describe.skip;

const batch = randomBatch(41, 12, 0, 1500);
const options: LossSettings = { clipHigh: 0.28, dualClip: 3, klCoef: 0.04, entropyCoef: 0.01 };

cuda('policyLoss on CUDA', () => {
  it('is what the CPU computes, from host arrays', () => {
    const expected = policyLoss(batch, options);
    expect(digest(policyLoss(batch, { ...options, device: 'cuda' }))).toBe(digest(expected));
    const bad = { ...batch, cuSeqlens: Int32Array.of(0, 5, 3) };
    expect(() => policyLoss({ ...bad, advantages: new Float32Array(2) }, { device: 'cuda' })).toThrow('cuSeqlens[2]');
  });

  it('has the bits of the CPU on device tensors, on a stream, and leaves nothing behind', () => {
    const before = deviceMemory();
    const expected = policyLoss(batch, options);
    using stream = CudaStream.create();
    const tensors = Object.fromEntries(
      Object.entries(batch).map(([name, array]) => [name, DeviceTensor.from(array, { stream })]),
    ) as unknown as DevicePolicyLossInputs & Record<string, DeviceTensor>;
    const mixed = { ...tensors, advantages: batch.advantages, cuSeqlens: batch.cuSeqlens };
    for (const inputs of [tensors, mixed]) {
      const { dLogprobs, dEntropies, results } = devicePolicyLoss(inputs, options);
      const { loss, metrics } = readPolicyLoss(results.toHost() as Float64Array);
      expect(digest({ loss, metrics, dLogprobs: dLogprobs.toHost(), dEntropies: dEntropies?.toHost() })).toBe(
        digest(expected),
      );
      for (const tensor of [dLogprobs, dEntropies, results]) tensor?.dispose();
    }
    for (const tensor of Object.values(tensors)) tensor.dispose();
    expect(deviceMemory()).toEqual(before);
  });

  it('writes into tensors that the caller owns', () => {
    const { entropies, ...inputs } = batch;
    using logprobs = DeviceTensor.from(inputs.logprobs);
    using dLogprobs = DeviceTensor.allocate([inputs.logprobs.length]);
    const got = devicePolicyLoss({ ...inputs, logprobs }, { preset: 'dapo', out: { dLogprobs } });
    expect(got.dLogprobs).toBe(dLogprobs);
    expect(dLogprobs.toHost()).toEqual(policyLoss(inputs, 'dapo').dLogprobs);
    expect(got.dEntropies).toBeUndefined();
    got.results.dispose();
    expect(entropies).toHaveLength(inputs.logprobs.length);
  });

  it('reads nothing out of bounds where offsets on the device are wrong', () => {
    using logprobs = DeviceTensor.from(batch.logprobs);
    for (const wrong of [
      [0, 5, 3],
      [-7, 2 ** 31 - 1, -1],
      [9, 1e9, 1e9],
    ]) {
      using cuSeqlens = DeviceTensor.from(Int32Array.from(wrong));
      const got = devicePolicyLoss({ ...batch, logprobs, advantages: Float32Array.of(1, -1), cuSeqlens }, 'gspo');
      expect(got.results.toHost()).toHaveLength(14);
      for (const tensor of [got.dLogprobs, got.dEntropies, got.results]) tensor?.dispose();
    }
  });

  it('names the argument that does not fit', () => {
    using logprobs = DeviceTensor.from(batch.logprobs);
    using ids = DeviceTensor.from(batch.cuSeqlens);
    const call = (change: object): unknown => devicePolicyLoss({ ...batch, logprobs, ...change });
    expect(() => call({ logprobs: batch.logprobs })).toThrow('logprobs');
    expect(() => call({ oldLogprobs: batch.logprobs.subarray(1) })).toThrow('oldLogprobs must be of');
    expect(() => call({ mask: ids })).toThrow('mask must be of uint8');
    expect(() => call({ advantages: new Float32Array(5) })).toThrow('advantages must be of');
    expect(() => call({ cuSeqlens: new Int32Array(0) })).toThrow('cuSeqlens');
  });
});
