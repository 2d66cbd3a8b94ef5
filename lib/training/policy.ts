import { invalidType, invalidValue } from '../errors.js';
import { createNativePolicy, type NativePolicy } from '../native/reference.js';

/** Shape of a reference policy. */
export interface PolicyShape {
  /** Number of tokens. */
  readonly vocab: number;
  /** Width of the residual stream, a multiple of 16 (default 128). */
  readonly width?: number;
  /** Default 2. */
  readonly layers?: number;
  /** Attention heads; divides `width` (default 4). */
  readonly heads?: number;
  /** Longest sequence in tokens, prompt and answer together (default 96). */
  readonly context?: number;
}

export interface PolicyOptions extends PolicyShape {
  /** Seed of the initial parameters (default 1). */
  readonly seed?: number;
  /** Threads to use at most; 0 or absent means all. Changes no bit of any result. */
  readonly threads?: number;
  /** Instruction set, for tests; by default the one in use. Changes no bit of any result. */
  readonly isa?: string;
}

/** Sequences one after another without padding. */
export interface PackedTokens {
  /** [n] */
  readonly tokens: Int32Array;
  /** [sequences + 1], cumulative lengths from 0 to n. */
  readonly cuSeqlens: Int32Array;
  /** Ascending indices into `tokens`: where logits of the next token are wanted. */
  readonly rows: Int32Array;
}

/** One token for each of `count` cache slots; slots of one step differ. */
export interface DecodeBatch {
  /** [count, 3]: the token, the one before it and the one before that; -1 where there is none. */
  readonly tokens: Int32Array;
  readonly slots: Int32Array;
  /** Position of each token in its sequence, from 0. */
  readonly positions: Int32Array;
  /** Row of `logits` to write, or -1 where none is wanted. */
  readonly outputs: Int32Array;
  readonly count: number;
}

export interface OptimizerStep {
  readonly learningRate: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  readonly weightDecay?: number;
  /** The gradient is scaled down to this norm where it is longer (default 1; 0 turns clipping off). */
  readonly clipNorm?: number;
}

/**
 * The reference policy: a small causal transformer (pre-norm, learned positions, embeddings of the two tokens before)
 * with hand-written back-propagation on the CPU. It offers what any trainer has (packed forward to logits, backward from
 * dLogits) so that the kernels of this package do everything in between. Float32; every result has the same bits for any
 * number of threads and on every instruction set. It blocks the calling thread while it computes.
 */
export class ReferencePolicy {
  readonly shape: Required<PolicyShape>;
  /** All parameters in one flat array; writing to it is allowed between calls. */
  readonly parameters: Float32Array;
  /** Gradient that `backward` adds to and `step` clears. */
  readonly gradient: Float32Array;
  readonly #first: Float32Array;
  readonly #second: Float32Array;
  readonly #native: NativePolicy;
  #steps = 0;

  constructor(options: PolicyOptions) {
    const { vocab, width = 128, layers = 2, heads = 4, context = 96, seed = 1, threads = 0, isa } = options;
    const positive = { vocab, width, layers, heads, context };
    for (const [name, value] of Object.entries(positive)) {
      if (!Number.isInteger(value) || value < 1) throw invalidValue(`options.${name}`, 'a positive integer', value);
    }
    if (width % 16 !== 0) throw invalidValue('options.width', 'a multiple of 16', width);
    if (width % heads !== 0) throw invalidValue('options.heads', `a divisor of width (${width})`, heads);
    if (!Number.isInteger(threads) || threads < 0) throw invalidValue('options.threads', 'an integer >= 0', threads);
    this.shape = positive;
    this.#native = createNativePolicy({ ...positive, threads, ...(isa === undefined ? {} : { isa }) });
    const array = (): Float32Array => new Float32Array(this.#native.parameterCount);
    this.parameters = array();
    this.gradient = array();
    this.#first = array();
    this.#second = array();
    this.#native.bind(this.parameters, this.gradient, this.#first, this.#second);
    this.#native.initialize(seed);
  }

  /** Optimiser steps taken so far: the policy's version. */
  get steps(): number {
    return this.#steps;
  }

  /** The optimiser's moments, for a checkpoint. */
  get moments(): readonly [first: Float32Array, second: Float32Array] {
    return [this.#first, this.#second];
  }

  /** Logits [rows.length, vocab] into `logits`; remembers the batch for `backward`. */
  forward({ tokens, cuSeqlens, rows }: PackedTokens, logits: Float32Array): void {
    const need = rows.length * this.shape.vocab;
    checkFloats('logits', logits);
    if (logits.length < need) throw invalidValue('logits', `at least ${need} long (rows * vocab)`, logits.length);
    this.#native.forward(tokens, cuSeqlens, rows, logits);
  }

  /** Adds the gradient of the last `forward` for dLoss/dLogits [rows, vocab] to `gradient`. */
  backward(dLogits: Float32Array): void {
    checkFloats('dLogits', dLogits);
    this.#native.backward(dLogits);
  }

  /** One AdamW step (arXiv 1711.05101); returns the norm of the gradient before clipping. */
  step(options: OptimizerStep): number {
    const { learningRate, beta1 = 0.9, beta2 = 0.98, epsilon = 1e-8, weightDecay = 0, clipNorm = 1 } = options;
    this.#steps++;
    return this.#native.step(learningRate, beta1, beta2, epsilon, weightDecay, clipNorm, this.#steps);
  }

  /** Forgets the optimiser's moments and its step count, as between two stages of training. */
  resetOptimizer(): void {
    this.#first.fill(0);
    this.#second.fill(0);
    this.#steps = 0;
  }

  /** Makes room for `slots` sequences of keys and values, all empty. */
  resetCache(slots: number): void {
    this.#native.resetCache(slots);
  }

  /** Copies the first `length` positions of a slot to others: samples of one prompt share its prefill. */
  forkSlot(from: number, to: Int32Array, length: number): void {
    this.#native.forkSlot(from, to, length);
  }

  /** One step of generation; the same bits as `forward` gives for the same tokens. */
  decode({ tokens, slots, positions, outputs, count }: DecodeBatch, logits: Float32Array): void {
    this.#native.decode(tokens, slots, positions, outputs, count, logits);
  }

  /** Takes over parameters, moments and step count, as a checkpoint holds them. */
  restore(state: { parameters: Float32Array; first: Float32Array; second: Float32Array; steps: number }): void {
    for (const [name, part] of Object.entries({ ...state, steps: this.parameters })) {
      if (part.length !== this.parameters.length) {
        throw invalidValue(name, `${this.parameters.length} long, as this policy's shape asks`, part.length);
      }
    }
    this.parameters.set(state.parameters);
    this.#first.set(state.first);
    this.#second.set(state.second);
    this.#steps = state.steps;
  }
}

/** By name, not by instanceof: under Jest and in vm contexts an array may be of another realm. */
function checkFloats(field: string, value: unknown): void {
  if (Object.prototype.toString.call(value) !== '[object Float32Array]')
    throw invalidType(field, 'a Float32Array', value);
}
