import { groupAdvantages, policyLoss, type GroupAdvantageOptions, type PolicyLossOptions } from '../lib/index.js';
import { presets, type PolicyLossPreset } from '../lib/kernels/lossSettings.js';
import { measure, type Case } from './suite.js';

const COUNT = 1 << 20;
const FLOATS = 4 * COUNT;

/** A generator that needs nothing but 32-bit integers: the same inputs in every run. */
function filled(next: (bits: number) => number): Float32Array {
  return Float32Array.from({ length: COUNT }, (_, i) => next((Math.imul(i, 2654435761) >>> 20) & 1023));
}

function offsetsOf(least: number, most: number): Int32Array {
  const offsets = [0];
  for (let at = 0, i = 0; at < COUNT; i++) {
    at = Math.min(COUNT, at + least + ((Math.imul(i, 2654435761) >>> 16) % (most - least + 1)));
    offsets.push(at);
  }
  return Int32Array.from(offsets);
}

/** Arrays of one step. */
function arrays() {
  const logprobs = filled((x) => -x * 1e-3);
  return {
    binary: filled((x) => (Math.imul(x, 0x85ebca6b) >>> 13) & 1),
    continuous: filled((x) => Math.sin(x)),
    advantages: new Float32Array(COUNT),
    logprobs,
    oldLogprobs: filled((x) => -x * 1e-3 + ((x * 7) % 200) * 1e-3 - 0.1),
    refLogprobs: filled((x) => -x * 1e-3 + ((x * 3) % 200) * 1e-3 - 0.1),
    mask: Uint8Array.from(logprobs, (x) => (x < -1.02 ? 0 : 1)),
    dLogprobs: new Float32Array(COUNT),
  };
}

/** `sets` copies of the arrays, used in turn: one stays in the last cache, eight do not fit it. */
function casesOf(sets: number): Case[] {
  const all = Array.from({ length: sets }, arrays);
  let turn = 0;
  const next = () => all[turn++ % sets] ?? arrays();
  const zeroVariance = new Uint8Array(COUNT);
  const advantages = (name: string, kind: 'binary' | 'continuous', options: GroupAdvantageOptions): Case => {
    const groups = options.groupOffsets ? options.groupOffsets.length - 1 : COUNT / (options.groupSize ?? 1);
    const flat = zeroVariance.subarray(0, groups);
    const run = (): void => {
      const { [kind]: rewards, advantages } = next();
      groupAdvantages(rewards, { ...options, threads: 1, out: { advantages, zeroVariance: flat } });
    };
    return { name: `advantages of ${kind} rewards, ${name}`, bytes: 2 * FLOATS, run };
  };
  const loss = (name: string, settings: PolicyLossOptions, optional: { kl?: true; mask?: true }): Case => {
    const cuSeqlens = offsetsOf(400, 600);
    const perSequence = Float32Array.from(cuSeqlens.subarray(1), (end) => (end % 200) / 50 - 2);
    const run = (): void => {
      const { logprobs, oldLogprobs, refLogprobs, mask, dLogprobs } = next();
      const kl = optional.kl ? { refLogprobs } : {};
      const masked = optional.mask ? { mask } : {};
      const inputs = { logprobs, oldLogprobs, advantages: perSequence, cuSeqlens, ...kl, ...masked };
      policyLoss(inputs, { ...settings, threads: 1, out: { dLogprobs } });
    };
    const bytes = (optional.kl ? 4 : 3) * FLOATS + (optional.mask ? COUNT : 0);
    return { name: `policy loss, ${name}`, bytes, run };
  };
  return [
    {
      name: 'copy (memcpy), read + write',
      bytes: 2 * FLOATS,
      run: () => {
        const { continuous, advantages } = next();
        advantages.set(continuous);
      },
    },
    ...(['binary', 'continuous'] as const).flatMap((kind) => [
      ...[4, 8, 16, 64, 256].map((groupSize) => advantages(`grpo, groups of ${groupSize}`, kind, { groupSize })),
      advantages('grpo, groups of 8 to 24', kind, { groupOffsets: offsetsOf(8, 24) }),
      advantages('grpo, groups of 1 to 32', kind, { groupOffsets: offsetsOf(1, 32) }),
    ]),
    advantages('rloo, groups of 8', 'continuous', { groupSize: 8, estimator: 'rloo' }),
    loss('clip', {}, {}),
    loss('clip + k3', { klCoef: 0.001 }, { kl: true }),
    loss('clip + k3, masked', { klCoef: 0.001 }, { kl: true, mask: true }),
    loss('dual clip + k3, masked', { klCoef: 0.001, dualClip: 3 }, { kl: true, mask: true }),
    ...(Object.keys(presets) as PolicyLossPreset[]).flatMap((preset) => {
      const settings = { preset, ...(preset === 'dr_grpo' ? { horizon: 1024 } : {}) };
      const ownKl = 'klCoef' in presets[preset];
      const bare = ownKl ? [] : [loss(preset, settings, {})];
      return [...bare, loss(`${preset} + k3`, ownKl ? settings : { ...settings, klCoef: 0.001 }, { kl: true })];
    }),
  ];
}

/** Advantages and losses of a million rewards or tokens as fractions of the copy bandwidth measured beside them. */
export async function benchLosses() {
  const results: Record<string, unknown> = {};
  for (const [sets, where] of [
    [1, 'third-level cache'],
    [8, 'main memory'],
  ] as const) {
    const title = `${COUNT} rewards or tokens, ${where}, 1 thread`;
    results[title] = await measure(title, casesOf(sets));
  }
  return results;
}
