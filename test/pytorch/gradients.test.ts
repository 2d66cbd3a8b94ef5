import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { logprobBackward, policyLoss, tokenLogprobs, type PolicyLossOptions } from '../../lib/index.js';

/**
 * Values and gradients against PyTorch's autograd. gradients.json is the record of gradients.py, whose inputs are made again
 * here; with a torch to import (`CROSSTHINK_PYTHON`, default `python3`) the script runs and has to agree as well.
 */
interface Record {
  readonly torch: string;
  readonly lengths: readonly number[];
  readonly logprob: readonly {
    readonly seed: number;
    readonly rows: number;
    readonly vocab: number;
    readonly logprob: readonly number[];
    readonly entropy: readonly number[];
    readonly dLogits: readonly number[];
  }[];
  readonly policyLoss: readonly {
    readonly name: string;
    readonly seed: number;
    readonly options: PolicyLossOptions & { readonly selectedDrops?: boolean };
    readonly loss: number;
    readonly dLogprobs: readonly number[];
    readonly dEntropies?: readonly number[];
  }[];
}

/** gradients.py's generator. */
class Generator {
  constructor(private state: number) {}

  uniform(): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0;
    return this.state / 2 ** 32;
  }

  floats(count: number, low: number, high: number): Float32Array {
    return Float32Array.from({ length: count }, () => low + (high - low) * this.uniform());
  }

  integers(count: number, below: number): Int32Array {
    return Int32Array.from({ length: count }, () => Math.floor(this.uniform() * below));
  }
}

const script = path.join(__dirname, 'gradients.py');
const recorded = JSON.parse(readFileSync(path.join(__dirname, 'gradients.json'), 'utf8')) as Record;

function expectNear(received: ArrayLike<number>, expected: readonly number[], tolerance: number): void {
  expect(received.length).toBe(expected.length);
  const off = expected.flatMap((value, i) =>
    Math.abs(received[i]! - value) <= tolerance * Math.max(1, Math.abs(value)) ? [] : [[i, received[i], value]],
  );
  expect(off).toEqual([]);
}

function checkLogprob({ seed, rows, vocab, logprob, entropy, dLogits }: Record['logprob'][number]): void {
  const g = new Generator(seed);
  const logits = g.floats(rows * vocab, -8, 8);
  const tokens = g.integers(rows, vocab);
  const temperature = g.floats(rows, 0.5, 2);
  const [dLogprob, dEntropy] = [g.floats(rows, -1, 1), g.floats(rows, -1, 1)];
  const forward = tokenLogprobs(logits, tokens, { temperature });
  expectNear(forward.logprob, logprob, 2e-6);
  expectNear(forward.entropy!, entropy, 2e-6);
  const { state } = forward;
  const gradient = logprobBackward(logits, tokens, { dLogprob, dEntropy, state }, { temperature });
  expectNear(gradient, dLogits, 1e-6);
}

function checkPolicyLoss(record: Record, one: Record['policyLoss'][number]): void {
  const g = new Generator(one.seed);
  const tokens = record.lengths.reduce((a, b) => a + b, 0);
  const plus = (a: Float32Array, b: Float32Array): Float32Array => a.map((x, i) => x + b[i]!);
  const oldLogprobs = g.floats(tokens, -3, -0.25);
  const logprobs = plus(oldLogprobs, g.floats(tokens, -0.6, 0.6));
  const refLogprobs = plus(logprobs, g.floats(tokens, -0.5, 0.5));
  const entropies = g.floats(tokens, 0, 2);
  const advantages = g.floats(record.lengths.length, -2, 2);
  const selected = Uint8Array.from(g.integers(tokens, 4), (x) => (x === 0 ? 1 : 0));
  const mask = Uint8Array.from(g.integers(tokens, 8), (x) => (x === 0 ? 0 : 1));
  const cuSeqlens = Int32Array.from([0, ...record.lengths]);
  for (let s = 1; s < cuSeqlens.length; s++) cuSeqlens[s]! += cuSeqlens[s - 1]!;
  const { selectedDrops = false, ...options } = one.options;
  const { loss, dLogprobs, dEntropies } = policyLoss(
    {
      ...{ logprobs, oldLogprobs, refLogprobs, entropies, advantages, cuSeqlens, mask },
      ...((selectedDrops || options.loss === 'kl-cov') && { selected }),
    },
    options,
  );
  expectNear([loss], [one.loss], 2e-6);
  expectNear(dLogprobs, one.dLogprobs, 2e-6);
  if (one.dEntropies) expectNear(dEntropies!, one.dEntropies, 1e-7);
}

describe(`against PyTorch's autograd, as recorded (torch ${recorded.torch})`, () => {
  it.each(recorded.logprob)('log-prob and entropy, $rows rows of $vocab', (one) => {
    checkLogprob(one);
  });

  it.each(recorded.policyLoss)('policy loss: $name', (one) => {
    checkPolicyLoss(recorded, one);
  });

  it('has cases in which every bound acts, and gradients that are not all zero', () => {
    for (const { name, dLogprobs } of recorded.policyLoss) {
      expect([name, dLogprobs.some((d) => d !== 0)]).toEqual([name, true]);
    }
    const gradientOf = (name: string) => recorded.policyLoss.find((one) => one.name === name)!.dLogprobs;
    // Valid tokens that the clip has cut off are zeros in the middle of a gradient.
    for (const name of ['dapo', 'dual clip', 'dppo-tv', 'dppo-kl']) expect(gradientOf(name)).toContain(0);
  });
});

const python = process.env['CROSSTHINK_PYTHON'] ?? 'python3';
const installed = spawnSync(python, ['-c', 'import torch']).status === 0;

(installed ? describe : describe.skip)(`against ${python}'s torch, live`, () => {
  it('computes what was recorded, and CrossThink agrees', () => {
    const live = JSON.parse(execFileSync(python, [script], { encoding: 'utf8' })) as Record;
    expect(live.policyLoss.map(({ name }) => name)).toEqual(recorded.policyLoss.map(({ name }) => name));
    live.logprob.forEach(checkLogprob);
    for (const [i, one] of live.policyLoss.entries()) {
      checkPolicyLoss(live, one);
      expectNear(one.dLogprobs, recorded.policyLoss[i]!.dLogprobs, 1e-9);
    }
  }, 60_000);
});
