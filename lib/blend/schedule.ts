import { createHash } from 'node:crypto';
import { CrossThinkError, invalidValue } from '../errors.js';
import { Permutation } from './permutation.js';
import type { BlendRecipe } from './recipe.js';

/** One prompt of a batch: question `index` of `source`, drawn in that source's pass number `epoch` (from 0). */
export interface BlendDraw {
  readonly source: string;
  readonly index: number;
  readonly epoch: number;
}

/** What a run stores to go on later; `fingerprint` guards against changed data. */
export interface BlendState {
  readonly version: 1;
  readonly seed: number;
  readonly step: number;
  readonly batchSize: number;
  readonly fingerprint: string;
}

export interface BatchOptions {
  /** Prompts of the whole batch, over all ranks. */
  readonly size: number;
  /** Part to return; default 0 of 1. Ranks get consecutive parts of the one global batch. */
  readonly rank?: number;
  readonly worldSize?: number;
}

/** Fractional weights are scaled to whole numbers of this sum: the mix is off by less than 1e-12. */
const SCALE = 2 ** 44;
/** Draws between remembered positions: seeking replays at most this many. */
const CHECKPOINT_EVERY = 65536;

/**
 * The blend as a function of (seed, step): slot i goes to the source of largest deficit, (i + 1) · weight − count, ties
 * to the earlier source. Deficits are whole numbers, so the mix is exact and never drifts. Inside a source the order is a
 * keyed permutation per (seed, source, epoch): every row once before any repeats. Nothing is drawn at random, nothing is
 * stored: any rank computes its part of any step.
 */
export class BlendSchedule {
  readonly seed: number;
  /** Hash of sources, sizes, content hashes and weights. */
  readonly fingerprint: string;
  readonly #recipe: BlendRecipe;
  readonly #weights: readonly number[];
  readonly #total: number;
  readonly #checkpoints: number[][];
  readonly #orders = new Map<string, Permutation>();
  #cursor: Cursor;

  constructor(recipe: BlendRecipe, options: { seed: number }) {
    const { seed } = options;
    if (!Number.isSafeInteger(seed)) throw invalidValue('options.seed', 'a whole number', seed);
    this.seed = seed;
    this.#recipe = recipe;
    this.#weights = wholeWeights(recipe);
    this.#total = this.#weights.reduce((a, b) => a + b, 0);
    this.#checkpoints = [this.#weights.map(() => 0)];
    this.#cursor = this.#from(0);
    const content = recipe.sources.map((s) => [s.name, s.size, s.fingerprint ?? null]);
    const key = JSON.stringify([content, this.#weights]);
    this.fingerprint = createHash('sha256').update(key).digest('hex');
  }

  /** The prompts of one step, or a rank's part of them, in order. */
  batch(step: number, options: BatchOptions): BlendDraw[] {
    const { size, rank = 0, worldSize = 1 } = options;
    if (!Number.isSafeInteger(step) || step < 0) throw invalidValue('step', 'a whole number, 0 or more', step);
    if (!Number.isSafeInteger(size) || size < 1) throw invalidValue('options.size', 'a whole number, 1 or more', size);
    if (!Number.isSafeInteger(worldSize) || worldSize < 1) {
      throw invalidValue('options.worldSize', 'a whole number, 1 or more', worldSize);
    }
    if (!Number.isSafeInteger(rank) || rank < 0 || rank >= worldSize) {
      throw invalidValue('options.rank', `0 to ${worldSize - 1}`, rank);
    }
    const start = step * size + Math.floor((rank * size) / worldSize);
    const end = step * size + Math.floor(((rank + 1) * size) / worldSize);
    this.#seek(start);
    return Array.from({ length: end - start }, () => this.#next());
  }

  /** State to store after the steps before `step` are done. */
  state(step: number, batchSize: number): BlendState {
    return { version: 1, seed: this.seed, step, batchSize, fingerprint: this.fingerprint };
  }

  /**
   * The schedule that goes on from `state`. Throws `ERR_STATE_MISMATCH` where recipe or data are not those of the state:
   * going on would repeat some rows and skip others unnoticed.
   */
  static resume(recipe: BlendRecipe, state: BlendState): BlendSchedule {
    const schedule = new BlendSchedule(recipe, { seed: state.seed });
    if (schedule.fingerprint !== state.fingerprint) {
      const message =
        `the blend has changed since the state was written: expected fingerprint ${state.fingerprint.slice(0, 12)}, ` +
        `the data and weights at hand have ${schedule.fingerprint.slice(0, 12)}. Use the same curated files and recipe, or start anew`;
      throw new CrossThinkError('ERR_STATE_MISMATCH', message, { field: 'fingerprint' });
    }
    return schedule;
  }

  /** Where position `slot` stands, from the nearest remembered position. */
  #seek(slot: number): void {
    const nearest = Math.min(Math.floor(slot / CHECKPOINT_EVERY), this.#checkpoints.length - 1);
    if (this.#cursor.slot > slot || this.#cursor.slot < nearest * CHECKPOINT_EVERY) this.#cursor = this.#from(nearest);
    while (this.#cursor.slot < slot) this.#advance();
  }

  #from(checkpoint: number): Cursor {
    const slot = checkpoint * CHECKPOINT_EVERY;
    const counts = [...(this.#checkpoints[checkpoint] ?? [])];
    // slot · weight may pass 2^53; the deficit itself is small, so BigInt is needed only here.
    const deficits = counts.map((count, i) =>
      Number(BigInt(slot) * BigInt(this.#weights[i] ?? 0) - BigInt(count) * BigInt(this.#total)),
    );
    return { slot, counts, deficits };
  }

  /** Takes the next slot; returns its source and how often that source came before. */
  #advance(): { source: number; drawn: number } {
    const { counts, deficits } = this.#cursor;
    let source = -1;
    let largest = -Infinity;
    for (let i = 0; i < deficits.length; i++) {
      const weight = this.#weights[i] ?? 0;
      const deficit = (deficits[i] ?? 0) + weight;
      deficits[i] = deficit;
      if (weight > 0 && deficit > largest) {
        largest = deficit;
        source = i;
      }
    }
    const drawn = counts[source] ?? 0;
    deficits[source] = largest - this.#total;
    counts[source] = drawn + 1;
    this.#cursor.slot++;
    if (this.#cursor.slot === this.#checkpoints.length * CHECKPOINT_EVERY) this.#checkpoints.push([...counts]);
    return { source, drawn };
  }

  #next(): BlendDraw {
    const { source, drawn } = this.#advance();
    const entry = this.#recipe.sources[source];
    if (entry === undefined) throw new Error('unreachable: the constructor requires a positive weight');
    const { name, size } = entry;
    const epoch = Math.floor(drawn / size);
    return { source: name, index: this.#order(name, size, epoch).at(drawn % size), epoch };
  }

  #order(name: string, size: number, epoch: number): Permutation {
    const held = this.#orders.get(name);
    const key = JSON.stringify([this.seed, name, epoch]);
    if (held?.key === key) return held;
    const order = new Permutation(size, key);
    this.#orders.set(name, order);
    return order;
  }
}

interface Cursor {
  slot: number;
  readonly counts: number[];
  /** slot · weight − count · total, per source. */
  readonly deficits: number[];
}

function wholeWeights({ sources, weights }: BlendRecipe): number[] {
  if (weights.length !== sources.length) {
    throw invalidValue('recipe.weights', `one weight for each of ${sources.length} sources`, weights);
  }
  for (const [i, weight] of weights.entries()) {
    const name = sources[i]?.name ?? '';
    if (!Number.isFinite(weight) || weight < 0)
      throw invalidValue(`recipe.weights.${name}`, 'a number, 0 or more', weight);
    if (weight > 0 && (sources[i]?.size ?? 0) < 1) {
      throw invalidValue(`recipe.sources.${name}.size`, '1 or more where the weight is not 0', sources[i]?.size);
    }
  }
  const sum = weights.reduce((a, b) => a + b, 0);
  if (sum <= 0) throw invalidValue('recipe.weights', 'weights that do not sum to 0', weights);
  const exact = weights.every(Number.isInteger) && sum <= SCALE;
  return exact
    ? [...weights]
    : weights.map((weight) => (weight === 0 ? 0 : Math.max(1, Math.round((weight / sum) * SCALE))));
}
