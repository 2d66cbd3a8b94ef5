import type { Question } from '../../data/question.js';
import { duplicateText } from '../normalise.js';

// A local name: looking up a global in the innermost loop is slow in `vm` contexts, Jest's among them.
const { imul } = Math;

/** Bands and rows of the locality-sensitive hashing, and what counts as near. */
export interface MinHashOptions {
  /** Hash tables; default 14. */
  readonly bands?: number;
  /** Hashes a table; default 8: with 14 bands, half of the pairs of similarity 0.72 meet. */
  readonly rows?: number;
  /** Characters a shingle; default 8. */
  readonly shingle?: number;
  /** Estimated Jaccard similarity from which questions count as duplicates; default 0.8. */
  readonly threshold?: number;
}

export const MINHASH_DEFAULTS = { bands: 14, rows: 8, shingle: 8, threshold: 0.8 } as const;

/**
 * MinHash signature of a question's normalised text over character shingles: `bands · rows` minima of 32-bit multiply-
 * shift hashes (fixed constants, the same on every machine).
 */
export function minHash(question: Pick<Question, 'question' | 'options'>, options: MinHashOptions = {}): Uint32Array {
  const { bands, rows, shingle } = { ...MINHASH_DEFAULTS, ...options };
  const text = Buffer.from(duplicateText(question), 'utf8');
  const size = bands * rows;
  const signature = new Uint32Array(size).fill(0xffffffff);
  const { multipliers, addends } = constants(size);
  // Polynomial rolling hash, modulo 2^32.
  let power = 1;
  for (let i = 1; i < shingle; i++) power = imul(power, 0x01000193);
  let rolling = 0;
  const count = Math.max(1, text.length - shingle + 1);
  for (let i = 0; i < text.length; i++) {
    if (i >= shingle) rolling = (rolling - imul(text[i - shingle] ?? 0, power)) | 0;
    rolling = (imul(rolling, 0x01000193) + (text[i] ?? 0)) | 0;
    if (i < shingle - 1 && count > 1) continue;
    if (i < text.length - 1 && count === 1) continue;
    const base = finalise(rolling);
    for (let k = 0; k < size; k++) {
      const value = (imul(base, multipliers[k] ?? 1) + (addends[k] ?? 0)) >>> 0;
      if (value < (signature[k] ?? 0)) signature[k] = value;
    }
  }
  return signature;
}

function finalise(value: number): number {
  let h = value >>> 0;
  h = imul(h ^ (h >>> 16), 0x85ebca6b);
  h = imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

let cached: { multipliers: Uint32Array; addends: Uint32Array } | undefined;

/** Odd multipliers and addends from a fixed sequence. */
function constants(size: number): { multipliers: Uint32Array; addends: Uint32Array } {
  if (cached?.multipliers.length === size) return cached;
  let state = 0x9e3779b9;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    return finalise(state);
  };
  const multipliers = Uint32Array.from({ length: size }, () => next() | 1);
  const addends = Uint32Array.from({ length: size }, next);
  cached = { multipliers, addends };
  return cached;
}

/** Questions held per bucket: rows made from one template all meet, and comparing each with each would take for ever. */
const MAX_BUCKET = 64;
const NONE = -1;
const INITIAL_SLOTS = 1 << 12;
/** Signatures per block of storage. */
const BLOCK = 4096;

/** One band: slots by hash, each the head of a chain of questions. Two keys in one slot only cost a comparison. */
interface Band {
  heads: Int32Array;
  lengths: Uint8Array;
  chain: Int32Array;
}

/**
 * Questions seen so far: finds the earliest one that a new question nearly repeats. Held in typed arrays: with the default
 * options some 600 bytes a question, and its id.
 */
export class NearIndex {
  readonly #bands: Band[];
  readonly #blocks: Uint32Array[] = [];
  readonly #ids: string[] = [];
  readonly #rows: number;
  readonly #size: number;
  readonly #threshold: number;
  #slots = INITIAL_SLOTS;

  constructor(options: MinHashOptions = {}) {
    const { bands, rows, threshold } = { ...MINHASH_DEFAULTS, ...options };
    this.#rows = rows;
    this.#size = bands * rows;
    this.#threshold = threshold;
    this.#bands = Array.from({ length: bands }, () => newBand(INITIAL_SLOTS));
  }

  /** The id and estimated similarity of an earlier near-duplicate; otherwise the question joins the index. */
  add(id: string, signature: Uint32Array): { id: string; similarity: number } | undefined {
    const candidates = new Set<number>();
    for (const [b, band] of this.#bands.entries()) {
      let place = band.heads[this.#slot(signature, b)] ?? NONE;
      for (; place !== NONE; place = band.chain[place] ?? NONE) candidates.add(place);
    }
    for (const candidate of [...candidates].sort((x, y) => x - y)) {
      const similarity = agreement(signature, this.#signature(candidate));
      if (similarity >= this.#threshold) return { id: this.#ids[candidate] ?? '', similarity };
    }
    const place = this.#ids.push(id) - 1;
    if (place % BLOCK === 0) this.#blocks.push(new Uint32Array(BLOCK * this.#size));
    this.#blocks.at(-1)?.set(signature, (place % BLOCK) * this.#size);
    if (place >= this.#slots / 2) this.#grow();
    else this.#insert(place, signature);
    return undefined;
  }

  #signature(place: number): Uint32Array {
    const start = (place % BLOCK) * this.#size;
    return this.#blocks[Math.floor(place / BLOCK)]?.subarray(start, start + this.#size) ?? new Uint32Array(0);
  }

  #insert(place: number, signature: Uint32Array): void {
    for (const [b, band] of this.#bands.entries()) {
      const slot = this.#slot(signature, b);
      const length = band.lengths[slot] ?? 0;
      if (length >= MAX_BUCKET) continue;
      band.chain[place] = band.heads[slot] ?? NONE;
      band.heads[slot] = place;
      band.lengths[slot] = length + 1;
    }
  }

  /** Twice the slots; every question is put in anew, in its order. */
  #grow(): void {
    this.#slots *= 2;
    for (const b of this.#bands.keys()) this.#bands[b] = newBand(this.#slots);
    for (let place = 0; place < this.#ids.length; place++) this.#insert(place, this.#signature(place));
  }

  #slot(signature: Uint32Array, band: number): number {
    let hash = band;
    for (let r = 0; r < this.#rows; r++) hash = finalise(imul(hash, 31) ^ (signature[band * this.#rows + r] ?? 0));
    return hash & (this.#slots - 1);
  }
}

function newBand(slots: number): Band {
  return {
    heads: new Int32Array(slots).fill(NONE),
    lengths: new Uint8Array(slots),
    chain: new Int32Array(slots).fill(NONE),
  };
}

/** Share of equal minima: an unbiased estimate of the Jaccard similarity of the shingle sets. */
function agreement(a: Uint32Array, b: Uint32Array): number {
  let equal = 0;
  for (let i = 0; i < a.length; i++) if (a[i] === b[i]) equal++;
  return equal / a.length;
}
