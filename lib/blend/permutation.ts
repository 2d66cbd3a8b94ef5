import { createHash } from 'node:crypto';

const ROUNDS = 6;

/**
 * A pseudo-random permutation of 0 … size-1 in constant memory: an unbalanced Feistel network over the next power of
 * two, with cycle walking (values outside the range are sent through again; fewer than two passes on average). The key
 * fixes it; any position is computed alone.
 */
export class Permutation {
  readonly #leftBits: number;
  readonly #rightBits: number;
  readonly #keys: readonly number[];

  constructor(
    readonly size: number,
    readonly key: string,
  ) {
    const bits = Math.max(2, Math.ceil(Math.log2(Math.max(2, size))));
    this.#leftBits = bits >> 1;
    this.#rightBits = bits - this.#leftBits;
    const digest = createHash('sha256').update(key).digest();
    this.#keys = Array.from({ length: ROUNDS }, (_, round) => digest.readUInt32LE(4 * round));
  }

  /** Image of a position. */
  at(position: number): number {
    let value = position;
    do value = this.#encrypt(value);
    while (value >= this.size);
    return value;
  }

  #encrypt(value: number): number {
    // Halves swap every round, and their widths with them; an even number of rounds restores the widths.
    let [leftBits, rightBits] = [this.#leftBits, this.#rightBits];
    const split = 2 ** rightBits;
    let left = Math.floor(value / split);
    let right = value % split;
    for (const key of this.#keys) {
      const mixed = (left ^ mix(right, key)) & (2 ** leftBits - 1);
      left = right;
      right = mixed >>> 0;
      [leftBits, rightBits] = [rightBits, leftBits];
    }
    return left * 2 ** rightBits + right;
  }
}

/** The 32-bit finaliser of MurmurHash3, keyed. */
function mix(value: number, key: number): number {
  let h = (value ^ key) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
