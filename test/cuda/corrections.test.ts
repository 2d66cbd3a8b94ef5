import { rolloutCorrection, secondMomentMask, selectByCovariance, selectByEntropy } from '../../lib/index.js';
import {
  deviceRolloutCorrection,
  deviceSecondMomentMask,
  deviceSelectByCovariance,
  deviceSelectByEntropy,
} from '../../lib/kernels/device/correctionTensors.js';
import { readCorrection } from '../../lib/kernels/rolloutCorrection.js';
import { runtimeInfo } from '../../lib/native/info.js';
import { DeviceTensor, deviceMemory } from '../../lib/native/tensor.js';
import { randomBatch } from '../kernels/batches.js';
import { digest, sameBits } from '../kernels/isas.js';

const cuda = runtimeInfo().cuda.available ? describe : describe.skip;

const batch = randomBatch(61, 15, 0, 1300);
const { logprobs, rolloutLogprobs, oldLogprobs, advantages, cuSeqlens, mask, entropies } = batch;
const rules = { reject: [{ level: 'token', form: 'k3', high: 0.08 }], normalize: true } as const;
const band = { method: 'clip-cov', ratio: 0.05, low: 0.1, high: 2, seed: 11n, firstSequence: 2 ** 40 } as const;

cuda('corrections and selections on CUDA', () => {
  it('have the bits of the CPU over sequences of several tiles', () => {
    sameBits((threads) => rolloutCorrection(batch, { ...rules, weights: 'token', threads }));
    sameBits((threads) => rolloutCorrection(batch, { ...rules, weights: 'sequence', threads }));
    sameBits(() => selectByCovariance(batch, band));
    sameBits(() => selectByCovariance(batch, { method: 'kl-cov', ratio: 0.3 }));
    const perToken = { ...batch, advantages: entropies, mask: undefined };
    sameBits(() => selectByCovariance(perToken, { method: 'kl-cov', ratio: 0.01 }));
    const none = new Uint8Array(mask.length);
    sameBits(() => selectByCovariance({ ...batch, mask: none }, { method: 'kl-cov' }));
    sameBits(() => secondMomentMask({ ...batch, mask: none }));
    sameBits(() => secondMomentMask(batch, { threshold: 0.01 }));
  });

  it('have them on device tensors, and leave nothing behind', () => {
    const before = deviceMemory();
    const made: DeviceTensor[] = [];
    const on = (array: Float32Array): DeviceTensor => {
      made.push(DeviceTensor.from(array));
      return made.at(-1)!;
    };
    const host = (tensor: DeviceTensor): unknown => {
      made.push(tensor);
      return tensor.toHost();
    };
    const lp = on(logprobs);
    const rollout = on(rolloutLogprobs);
    const got = deviceRolloutCorrection({ logprobs: lp, rolloutLogprobs: rollout, cuSeqlens, mask }, rules);
    const want = rolloutCorrection(batch, rules);
    expect(digest([host(got.weights), host(got.mask)])).toBe(digest([want.weights, want.mask]));
    expect(digest(readCorrection(host(got.results) as Float64Array))).toBe(digest(want.metrics));
    const covariance = deviceSelectByCovariance({ logprobs: lp, oldLogprobs, advantages, cuSeqlens, mask }, band);
    expect(host(covariance)).toEqual(selectByCovariance(batch, band));
    const byEntropy = deviceSelectByEntropy({ entropies: on(entropies), mask }, { ratio: 0.3 });
    expect(host(byEntropy)).toEqual(selectByEntropy({ entropies, mask }, { ratio: 0.3 }));
    const moments = deviceSecondMomentMask({ logprobs: lp, rolloutLogprobs: rollout, mask }, { threshold: 0.02 });
    expect(host(moments)).toEqual(secondMomentMask(batch, { threshold: 0.02 }));
    for (const tensor of made) tensor.dispose();
    expect(deviceMemory()).toEqual(before);
  });

  it('name the argument that does not fit', () => {
    using lp = DeviceTensor.from(logprobs);
    expect(() => deviceRolloutCorrection({ logprobs: lp, rolloutLogprobs, cuSeqlens: new Int32Array(0) })).toThrow(
      'cuSeqlens',
    );
    expect(() => deviceSelectByEntropy({ entropies: lp, mask: new Uint8Array(1) })).toThrow('mask');
    expect(() => deviceSecondMomentMask({ logprobs: lp, rolloutLogprobs }, { threshold: -1 })).toThrow('threshold');
  });
});
