import {
  gaeAdvantages,
  gdpoAdvantages,
  groupAdvantages,
  optimalTokenBaseline,
  whiten,
  type GroupEstimator,
} from '../../lib/index.js';
import {
  deviceGaeAdvantages,
  deviceGroupAdvantages,
  deviceOptimalTokenBaseline,
  deviceWhiten,
} from '../../lib/kernels/device/advantageTensors.js';
import { runtimeInfo } from '../../lib/native/info.js';
import { DeviceTensor, deviceMemory } from '../../lib/native/tensor.js';
import { randomBatch, randomOffsets } from '../kernels/batches.js';
import { digest, sameBits } from '../kernels/isas.js';
import { Random } from '../kernels/random.js';

const cuda = runtimeInfo().cuda.available ? describe : describe.skip;

const random = new Random(31);
const groupOffsets = randomOffsets(random, 150, 0, 30);
const count = groupOffsets[150]!;
const rewards = Float32Array.from({ length: count }, () => (random.uniform() < 0.03 ? NaN : random.integer(5) / 4));
const lengths = rewards.map(() => 1 + random.integer(900));
const batch = randomBatch(17, 20, 0, 700);
const tokens = batch.logprobs.length;
const values = random.normals(tokens);
const tokenRewards = random.normals(tokens);

cuda('advantages on CUDA have the bits of the CPU', () => {
  it.each<GroupEstimator>(['gpg', 'batch-std'])('%s over more rewards than one block takes at a time', (estimator) => {
    const many = Float32Array.from({ length: 140_000 }, () => random.integer(3));
    sameBits((threads) => groupAdvantages(many, { groupSize: 8, estimator, threads }));
  });

  it.each(['zero', 'raw'] as const)('lone responses: %s', (singletons) => {
    const single = Int32Array.of(0, 1, 1, 4, 5, 6);
    const some = Float32Array.of(2, NaN, 3, NaN, 0.5, NaN);
    for (const estimator of ['grpo', 'opo', 'pass-k', 'leave-one-out'] as const) {
      const one = { groupOffsets: single, estimator, singletons, lengths: new Float32Array(6).fill(3) };
      sameBits((threads) => groupAdvantages(some, { ...one, threads }));
    }
  });

  it('whitening and what is made of it', () => {
    for (const options of [
      {},
      { bessel: false, keepMean: true },
      { epsilonAt: 'std' },
      { epsilonAt: 'floor' },
    ] as const) {
      sameBits(() => whiten(values, { ...options, mask: batch.mask, weights: batch.weights }));
    }
    sameBits(() =>
      whiten(
        values.map((x, i) => (batch.mask[i] === 0 ? NaN : x)),
        { mask: batch.mask },
      ),
    );
    sameBits(() => whiten(new Float32Array(0)));
    sameBits(() => gdpoAdvantages([rewards, lengths], { groupOffsets, weights: [1, 0.01] }));
  });

  it('generalised advantage estimation of long sequences, with and without values', () => {
    const inputs = { rewards: tokenRewards, cuSeqlens: batch.cuSeqlens };
    const lambda = Float32Array.from({ length: 20 }, (_, s) => s / 20);
    sameBits((threads) => gaeAdvantages({ ...inputs, values, mask: batch.mask }, { gamma: 0.99, lambda, threads }));
    sameBits((threads) => gaeAdvantages(inputs, { gamma: 0.9, threads }));
  });

  it('optimal token baseline of long sequences', () => {
    const { cuSeqlens, mask, logprobs, weights } = batch;
    const sumSquares = logprobs.map(() => random.uniform());
    const groups = Int32Array.of(0, 1, 8, 8, 20);
    const inputs = { rewards: tokenRewards, cuSeqlens, mask, groupOffsets: groups, logprobs, sumSquares, weights };
    sameBits((threads) => optimalTokenBaseline(inputs, { threads }));
  });
});

cuda('advantages on device tensors', () => {
  it('have the bits of the CPU and leave nothing behind', () => {
    const before = deviceMemory();
    const r = DeviceTensor.from(rewards);
    const offsets = DeviceTensor.from(groupOffsets);
    const t = DeviceTensor.from(tokenRewards);
    const v = DeviceTensor.from(values);
    const made: DeviceTensor[] = [r, offsets, t, v];
    const host = (tensor: DeviceTensor): unknown => {
      made.push(tensor);
      return tensor.toHost();
    };
    for (const estimator of ['grpo', 'opo', 'gpg', 'leave-one-out'] as const) {
      const options = { estimator, ...(estimator === 'opo' && { lengths }) };
      const got = deviceGroupAdvantages(r, { ...options, groupOffsets: offsets });
      const want = groupAdvantages(rewards, { ...options, groupOffsets });
      expect(digest([host(got.advantages), host(got.zeroVariance)])).toBe(digest([want.advantages, want.zeroVariance]));
    }
    const { cuSeqlens, mask, logprobs } = batch;
    const gae = deviceGaeAdvantages({ rewards: t, values: v, mask, cuSeqlens }, { gamma: 0.9, lambda: 0.8 });
    const wantGae = gaeAdvantages({ rewards: tokenRewards, values, mask, cuSeqlens }, { gamma: 0.9, lambda: 0.8 });
    expect(digest([host(gae.advantages), host(gae.returns)])).toBe(digest([wantGae.advantages, wantGae.returns]));
    const baseline = { cuSeqlens, mask, groupOffsets: Int32Array.of(0, 20), logprobs, sumSquares: logprobs };
    expect(digest(host(deviceOptimalTokenBaseline({ ...baseline, rewards: t })))).toBe(
      digest(optimalTokenBaseline({ ...baseline, rewards: tokenRewards })),
    );
    expect(deviceWhiten(v, { mask, out: v })).toBe(v);
    expect(v.toHost()).toEqual(whiten(values, { mask }));
    for (const tensor of made) tensor.dispose();
    expect(deviceMemory()).toEqual(before);
  });

  it('name the argument that does not fit', () => {
    using r = DeviceTensor.from(rewards);
    expect(() => deviceGroupAdvantages(rewards as unknown as DeviceTensor, { groupSize: 1 })).toThrow('rewards');
    expect(() => deviceGroupAdvantages(r, {})).toThrow('options');
    expect(() => deviceGroupAdvantages(r, { groupSize: 4093 })).toThrow('options.groupSize');
    expect(() => deviceGroupAdvantages(r, { groupOffsets, estimator: 'opo' })).toThrow('options.lengths');
    expect(() => deviceWhiten(r, { mask: batch.mask })).toThrow('options.mask');
  });
});
