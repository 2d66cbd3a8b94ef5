import { runtimeInfo } from '../../lib/native/info';
import { ReferencePolicy, type PackedTokens, type PolicyOptions } from '../../lib/training/policy';

const SHAPE = { vocab: 37, width: 32, layers: 2, heads: 2, context: 40 };

/** Sequences of the given lengths with two of three rows chosen. */
function packed(lengths: readonly number[], vocab = SHAPE.vocab): PackedTokens {
  const cuSeqlens = new Int32Array(lengths.length + 1);
  lengths.forEach((length, i) => (cuSeqlens[i + 1] = cuSeqlens[i]! + length));
  const tokens = new Int32Array(cuSeqlens.at(-1)!).map((_, i) => (i * i * 31 + 7 * i) % vocab);
  return { tokens, cuSeqlens, rows: Int32Array.from(tokens.keys()).filter((i) => i % 3 !== 1) };
}

/** Weights of a weighted sum of all logits, which stands in for a loss. */
function weights(n: number): Float32Array {
  return new Float32Array(n).map((_, i) => Math.sin(1.7 * i) / 20);
}

function loss(policy: ReferencePolicy, batch: PackedTokens): number {
  const logits = new Float32Array(batch.rows.length * policy.shape.vocab);
  policy.forward(batch, logits);
  const weight = weights(logits.length);
  return logits.reduce((sum, value, i) => sum + value * weight[i]!, 0);
}

function bits(policy: ReferencePolicy): Buffer {
  return Buffer.from(policy.parameters.buffer.slice(0));
}

test('the gradient agrees with finite differences along random directions, per group of parameters', () => {
  const policy = new ReferencePolicy({ ...SHAPE, seed: 7 });
  const batch = packed([5, 40, 17, 1]);
  const n = policy.parameters.length;
  loss(policy, batch);
  policy.backward(weights(batch.rows.length * SHAPE.vocab));
  const start = policy.parameters.slice();
  const { vocab, width, context } = SHAPE;
  const tables = [0, vocab * width, (vocab + context) * width, (2 * vocab + context) * width];
  const layers = (3 * vocab + context) * width;
  const layer = 12 * width * width + 13 * width;
  const borders = [...tables, layers, layers + layer, layers + 2 * layer, n - vocab * width, n];
  for (let group = 0; group + 1 < borders.length; group++) {
    const [from, to] = [borders[group]!, borders[group + 1]!];
    for (const phase of [1, 2]) {
      const direction = new Float32Array(n).map((_, i) => (i >= from && i < to ? Math.cos(phase * 2.3 * i) : 0));
      const length = Math.hypot(...direction);
      const step = 0.03 / length;
      const expected = direction.reduce((sum, d, i) => sum + d * policy.gradient[i]!, 0);
      const at = (sign: number): number => {
        policy.parameters.set(start.map((value, i) => value + sign * step * direction[i]!));
        return loss(policy, batch);
      };
      // The fourth-order central difference.
      const measured = (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * step);
      expect(Math.abs(measured - expected)).toBeLessThan(1e-3 * Math.abs(expected) + 1e-3);
    }
  }
});

test('backward adds to the gradient, and step clears it', () => {
  const policy = new ReferencePolicy(SHAPE);
  const batch = packed([9, 12]);
  loss(policy, batch);
  const weight = weights(batch.rows.length * SHAPE.vocab);
  policy.backward(weight);
  const once = policy.gradient.slice();
  policy.backward(weight);
  const worst = once.reduce((high, g, i) => Math.max(high, Math.abs(policy.gradient[i]! - 2 * g)), 0);
  expect(worst).toBeLessThan(1e-4);
  expect(policy.step({ learningRate: 1e-3 })).toBeCloseTo(2 * Math.hypot(...once), 2);
  expect(policy.gradient.every((g) => g === 0)).toBe(true);
});

test('AdamW moves every parameter as its formula says', () => {
  const policy = new ReferencePolicy({ ...SHAPE, width: 16 });
  const before = policy.parameters.slice();
  policy.gradient.forEach((_, i) => (policy.gradient[i] = Math.sin(i) / 100));
  const gradient = policy.gradient.slice();
  const options = { learningRate: 0.01, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0.1, clipNorm: 0 };
  policy.step(options);
  // After one step from zero moments the corrected moments are the gradient and its square.
  policy.parameters.forEach((value, i) => {
    const g = gradient[i]!;
    const expected = before[i]! - 0.01 * (g / (Math.abs(g) + 1e-8) + 0.1 * before[i]!);
    expect(Math.abs(value - expected)).toBeLessThan(1e-5);
  });
});

test('clipping scales the gradient to the given norm, and a gradient that is not finite changes nothing', () => {
  const policies = [1, 0].map((clipNorm) => {
    const policy = new ReferencePolicy({ ...SHAPE, width: 16 });
    // With epsilon large the step is proportional to the gradient, so that its scale shows.
    policy.gradient.fill(clipNorm === 1 ? 5 : 1 / Math.sqrt(policy.gradient.length));
    policy.step({ learningRate: 1e-3, epsilon: 10, clipNorm });
    return policy;
  });
  const worst = policies[0]!.parameters.reduce(
    (high, value, i) => Math.max(high, Math.abs(value - policies[1]!.parameters[i]!)),
    0,
  );
  expect(worst).toBeLessThan(1e-7);
  const policy = policies[0]!;
  const before = bits(policy);
  policy.gradient[3] = NaN;
  expect(policy.step({ learningRate: 1e-3 })).toBeNaN();
  expect(bits(policy).equals(before)).toBe(true);
  expect(policy.gradient[3]).toBe(0);
});

test('the cache gives the bits of the full forward pass, forked slots included', () => {
  const policy = new ReferencePolicy({ ...SHAPE, seed: 5 });
  const lengths = [40, 33, 7];
  const batch = packed(lengths);
  const { vocab } = SHAPE;
  const rows = Int32Array.from(batch.tokens.keys());
  const full = new Float32Array(rows.length * vocab);
  policy.forward({ ...batch, rows }, full);
  // Slot 3 forks from slot 0 after 6 positions and goes on with the same tokens.
  policy.resetCache(4);
  const sequences = [0, 1, 2, 0];
  const token = (s: number, at: number): number => (at < 0 ? -1 : batch.tokens[batch.cuSeqlens[s]! + at]!);
  for (let position = 0; position < 40; position++) {
    if (position === 6) policy.forkSlot(0, Int32Array.of(3), 6);
    const active = sequences.flatMap((s, slot) =>
      lengths[s]! > position && (slot < 3 || position >= 6) ? [slot] : [],
    );
    const logits = new Float32Array(4 * vocab);
    policy.decode(
      {
        tokens: Int32Array.from(
          active.flatMap((slot) => [0, 1, 2].map((back) => token(sequences[slot]!, position - back))),
        ),
        slots: Int32Array.from(active),
        positions: new Int32Array(active.length).fill(position),
        outputs: Int32Array.from(active.keys(), (i) => (i % 2 === position % 2 ? -1 : i)),
        count: active.length,
      },
      logits,
    );
    active.forEach((slot, i) => {
      if (i % 2 === position % 2) return;
      const row = batch.cuSeqlens[sequences[slot]!]! + position;
      expect(logits.slice(i * vocab, (i + 1) * vocab)).toEqual(full.slice(row * vocab, (row + 1) * vocab));
    });
  }
});

test('training gives the same bits for any number of threads and on every instruction set', () => {
  const train = (options: Partial<PolicyOptions>): Buffer => {
    const policy = new ReferencePolicy({ ...SHAPE, seed: 11, ...options });
    for (let step = 0; step < 3; step++) {
      const batch = packed([40, 31, 8, 40, 23, 39, 12, 40, 40, 5 + step]);
      loss(policy, batch);
      policy.backward(weights(batch.rows.length * SHAPE.vocab));
      policy.step({ learningRate: 1e-3, weightDecay: 0.01 });
    }
    return bits(policy);
  };
  const reference = train({ threads: 1, isa: 'scalar' });
  for (const isa of runtimeInfo().isas) {
    for (const threads of [1, 2, 5, 0]) expect(train({ isa, threads }).equals(reference)).toBe(true);
  }
});

test('sequences do not see each other', () => {
  const policy = new ReferencePolicy(SHAPE);
  const { vocab } = SHAPE;
  const together = packed([13, 21, 9]);
  const rows = Int32Array.from(together.tokens.keys());
  const all = new Float32Array(rows.length * vocab);
  policy.forward({ ...together, rows }, all);
  const tokens = together.tokens.slice(13, 34);
  const alone = new Float32Array(21 * vocab);
  policy.forward({ tokens, cuSeqlens: Int32Array.of(0, 21), rows: Int32Array.from(tokens.keys()) }, alone);
  expect(alone).toEqual(all.slice(13 * vocab, 34 * vocab));
});

test('bad shapes and tokens are named', () => {
  expect(() => new ReferencePolicy({ ...SHAPE, width: 24 })).toThrow(/options\.width must be a multiple of 16/);
  expect(() => new ReferencePolicy({ ...SHAPE, heads: 3 })).toThrow(/options\.heads must be a divisor of width/);
  expect(() => new ReferencePolicy({ ...SHAPE, isa: 'sse9' })).toThrow(/isa/);
  const policy = new ReferencePolicy(SHAPE);
  const batch = packed([4]);
  expect(() => {
    policy.forward(batch, new Float32Array(3));
  }).toThrow(/logits must be at least/);
  const logits = new Float32Array(400);
  expect(() => {
    policy.forward({ ...batch, tokens: batch.tokens.map(() => 99) }, logits);
  }).toThrow(/token/);
  expect(() => {
    policy.forward({ ...batch, cuSeqlens: Int32Array.of(0, 9) }, logits);
  }).toThrow(/cu/);
  expect(() => {
    policy.forward(packed([41]), new Float32Array(4000));
  }).toThrow(/sequence length/);
  expect(() => {
    policy.backward(logits);
  }).toThrow(/dLogits/);
});
