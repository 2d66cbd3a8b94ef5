import { CrossThinkError, invalidValue } from '../errors.js';
import type { SamplingPlan } from '../kernels/sampling.js';
import { rowStatusName } from '../kernels/status.js';
import { LogitsBuffer } from './logitsBuffer.js';
import type { ReferencePolicy } from './policy.js';

/** One sampled answer. */
export interface Generation {
  /** Index of its prompt in the call. */
  readonly prompt: number;
  /** Answer tokens, the end token included where it was sampled. */
  readonly tokens: number[];
  /** Log-prob of each token under the plan that sampled it, nats. */
  readonly logprobs: number[];
  /** `truncated` where the budget of tokens ended before the answer did. */
  status: 'finished' | 'truncated';
}

export interface GenerateOptions {
  readonly plan: SamplingPlan;
  /** Answers per prompt (default 1); they share the prompt's keys and values. */
  readonly samples?: number;
  readonly seed: number;
  /** Number of the first answer: a draw depends on (seed, number of the answer, position) alone. Default 0. */
  readonly firstSequence?: number;
  readonly endId: number;
  /** Longest answer in tokens. */
  readonly maxNewTokens: number;
}

/** Cache slots at one time: bounds the memory of a large evaluation. */
const MAX_SLOTS = 512;

const buffer = new LogitsBuffer();
const promptBuffer = new LogitsBuffer();

/**
 * Samples answers to prompts with a cache of keys and values. Every answer is a function of the policy, the prompt, the
 * seed and its number: not of the other prompts of the call. Answers come grouped by prompt.
 */
export function generate(
  policy: ReferencePolicy,
  prompts: readonly (readonly number[])[],
  options: GenerateOptions,
): Generation[] {
  const { samples = 1, firstSequence = 0, maxNewTokens } = options;
  if (!Number.isInteger(samples) || samples < 1) throw invalidValue('options.samples', 'a positive integer', samples);
  if (!Number.isInteger(maxNewTokens) || maxNewTokens < 1) {
    throw invalidValue('options.maxNewTokens', 'a positive integer', maxNewTokens);
  }
  const { context } = policy.shape;
  const tooLong = prompts.findIndex((prompt) => prompt.length >= context || prompt.length === 0);
  if (tooLong >= 0) {
    const expected = `1 to ${context - 1} tokens long (the policy's context is ${context})`;
    throw invalidValue(`prompts[${tooLong}]`, expected, prompts[tooLong]);
  }
  const perCall = Math.max(1, Math.floor(MAX_SLOTS / samples));
  const all: Generation[] = [];
  for (let first = 0; first < prompts.length; first += perCall) {
    const part = prompts.slice(first, first + perCall);
    const run = new GenerationRun(policy, part, samples, options, firstSequence + first * samples);
    for (const generation of run.finish()) all.push({ ...generation, prompt: generation.prompt + first });
  }
  return all;
}

/** One call's worth of slots: prompt p has slots p * samples and up. */
class GenerationRun {
  readonly #answers: Generation[];
  readonly #tokens: Int32Array;
  readonly #slots: Int32Array;
  readonly #positions: Int32Array;
  readonly #outputs: Int32Array;

  constructor(
    private readonly policy: ReferencePolicy,
    private readonly prompts: readonly (readonly number[])[],
    private readonly samples: number,
    private readonly options: GenerateOptions,
    private readonly firstSequence: number,
  ) {
    const slots = prompts.length * samples;
    policy.resetCache(slots);
    this.#tokens = new Int32Array(3 * slots);
    this.#slots = new Int32Array(slots);
    this.#positions = new Int32Array(slots);
    this.#outputs = new Int32Array(slots);
    this.#answers = Array.from({ length: slots }, (_, i) => ({
      prompt: Math.floor(i / samples),
      tokens: [],
      logprobs: [],
      status: 'truncated',
    }));
  }

  finish(): Generation[] {
    let active = this.#answers.map((_, i) => i);
    const first = this.#prefill();
    this.#sample(first, active);
    for (let length = 1; length < this.options.maxNewTokens; length++) {
      active = active.filter((slot) => this.#continues(slot));
      if (active.length === 0) break;
      active.forEach((slot, i) => {
        this.#put(i, slot, this.#prompt(slot).length + length - 1, i);
      });
      const logits = buffer.view(active.length, this.policy.shape.vocab);
      this.#decode(active.length, logits);
      this.#sample(logits, active);
    }
    return this.#answers;
  }

  /** Logits of the first answer token, one row for each slot. */
  #prefill(): Float32Array {
    const { prompts, samples } = this;
    const { vocab } = this.policy.shape;
    const ends = promptBuffer.view(prompts.length, vocab);
    const longest = Math.max(...prompts.map(({ length }) => length));
    for (let position = 0; position < longest; position++) {
      let count = 0;
      prompts.forEach(({ length }, p) => {
        if (position < length) this.#put(count++, p * samples, position, position === length - 1 ? p : -1);
      });
      this.#decode(count, ends);
    }
    const logits = buffer.view(prompts.length * samples, vocab);
    prompts.forEach(({ length }, p) => {
      const others = Int32Array.from({ length: samples - 1 }, (_, i) => p * samples + 1 + i);
      if (samples > 1) this.policy.forkSlot(p * samples, others, length);
      const row = ends.subarray(p * vocab, (p + 1) * vocab);
      for (let i = 0; i < samples; i++) logits.set(row, (p * samples + i) * vocab);
    });
    return logits;
  }

  #prompt(slot: number): readonly number[] {
    return this.prompts[Math.floor(slot / this.samples)] ?? [];
  }

  #tokenAt(slot: number, position: number): number {
    const prompt = this.#prompt(slot);
    if (position < 0) return -1;
    return (position < prompt.length ? prompt[position] : this.#answers[slot]?.tokens[position - prompt.length]) ?? -1;
  }

  #put(row: number, slot: number, position: number, output: number): void {
    for (let back = 0; back < 3; back++) this.#tokens[3 * row + back] = this.#tokenAt(slot, position - back);
    this.#slots[row] = slot;
    this.#positions[row] = position;
    this.#outputs[row] = output;
  }

  #decode(count: number, logits: Float32Array): void {
    const batch = { tokens: this.#tokens, slots: this.#slots, positions: this.#positions, outputs: this.#outputs };
    this.policy.decode({ ...batch, count }, logits);
  }

  #sample(logits: Float32Array, active: readonly number[]): void {
    const { plan, seed } = this.options;
    const positions = Int32Array.from(active, (slot) => this.#answers[slot]?.tokens.length ?? 0);
    const sequences = Int32Array.from(active, (slot) => this.firstSequence + slot);
    const sampled = plan.sample(logits, { vocab: this.policy.shape.vocab, seed, sequences, positions });
    active.forEach((slot, i) => {
      const answer = this.#answers[slot];
      const token = sampled.tokens[i];
      if (answer === undefined || token === undefined) return;
      if (token < 0) {
        const message = `the policy gives no distribution to sample from (${rowStatusName(sampled.status[i] ?? 0)}): it has diverged. Lower the learning rate`;
        throw new CrossThinkError('ERR_STATE_MISMATCH', message);
      }
      answer.tokens.push(token);
      answer.logprobs.push(sampled.logprobs?.[i] ?? NaN);
      if (token === this.options.endId) answer.status = 'finished';
    });
  }

  #continues(slot: number): boolean {
    const answer = this.#answers[slot];
    if (answer === undefined || answer.status === 'finished') return false;
    return this.#prompt(slot).length + answer.tokens.length <= this.policy.shape.context;
  }
}
