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

/** Questions seen so far, by band: finds the earliest one that a new question nearly repeats. */
export class NearIndex {
  readonly #bands: Map<number, number[]>[];
  readonly #signatures: Uint32Array[] = [];
  readonly #ids: string[] = [];
  readonly #rows: number;
  readonly #threshold: number;

  constructor(options: MinHashOptions = {}) {
    const { bands, rows, threshold } = { ...MINHASH_DEFAULTS, ...options };
    this.#bands = Array.from({ length: bands }, () => new Map<number, number[]>());
    this.#rows = rows;
    this.#threshold = threshold;
  }

  /** The id and estimated similarity of an earlier near-duplicate; otherwise the question joins the index. */
  add(id: string, signature: Uint32Array): { id: string; similarity: number } | undefined {
    const keys = this.#bands.map((_band, b) => this.#key(signature, b));
    const candidates = new Set<number>();
    for (const [b, band] of this.#bands.entries()) {
      for (const candidate of band.get(keys[b] ?? 0) ?? []) candidates.add(candidate);
    }
    for (const candidate of [...candidates].sort((x, y) => x - y)) {
      const similarity = agreement(signature, this.#signatures[candidate]);
      if (similarity >= this.#threshold) return { id: this.#ids[candidate] ?? '', similarity };
    }
    const place = this.#ids.push(id) - 1;
    this.#signatures.push(signature);
    for (const [b, band] of this.#bands.entries()) {
      const key = keys[b] ?? 0;
      const bucket = band.get(key);
      if (bucket === undefined) band.set(key, [place]);
      else if (bucket.length < MAX_BUCKET) bucket.push(place);
    }
    return undefined;
  }

  #key(signature: Uint32Array, band: number): number {
    let hash = band;
    for (let r = 0; r < this.#rows; r++) hash = finalise(imul(hash, 31) ^ (signature[band * this.#rows + r] ?? 0));
    return hash;
  }
}

/** Share of equal minima: an unbiased estimate of the Jaccard similarity of the shingle sets. */
function agreement(a: Uint32Array, b: Uint32Array | undefined): number {
  if (b === undefined) return 0;
  let equal = 0;
  for (let i = 0; i < a.length; i++) if (a[i] === b[i]) equal++;
  return equal / a.length;
}
