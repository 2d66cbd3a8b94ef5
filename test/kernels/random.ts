/** A small deterministic generator for test data (mulberry32): uniform in [0, 1). */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Offsets of `count` rows with lengths in [least, most]. */
export function randomOffsets(random: () => number, count: number, least: number, most: number): Int32Array {
  const offsets = new Int32Array(count + 1);
  for (let i = 0; i < count; i++) offsets[i + 1] = offsets[i]! + least + Math.floor(random() * (most - least + 1));
  return offsets;
}

/** Small seeded generators for test inputs: the same numbers in every run, so that golden hashes mean something. */
export class Random {
  /** Uniform in [0, 1). */
  readonly uniform: () => number;

  constructor(seed: number) {
    this.uniform = generator(seed);
  }

  integer(below: number): number {
    return Math.floor(this.uniform() * below);
  }

  /** About normal, from sums of uniforms only: Math.log and Math.cos may differ between engines, addition does not. */
  normal(): number {
    let sum = 0;
    for (let i = 0; i < 12; i++) sum += this.uniform();
    return sum - 6;
  }

  normals(n: number, scale = 1, offset = 0): Float32Array {
    return Float32Array.from({ length: n }, () => this.normal() * scale + offset);
  }
}

/** Rounds to bfloat16 (nearest even) and returns the bits. */
export function toBfloat16(x: Float32Array): Uint16Array {
  const bits = new Uint32Array(x.buffer, x.byteOffset, x.length);
  return Uint16Array.from(bits, (b) => (b + 0x7fff + ((b >>> 16) & 1)) >>> 16);
}

export function fromBfloat16(h: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(h, (b) => b << 16).buffer);
}

/** Exact float16 bits of values that are multiples of 2^-6 with |x| < 16. */
export function toFloat16Grid(x: Float32Array): { halves: Uint16Array; values: Float32Array } {
  const values = x.map((v) => Math.max(-15, Math.min(15, Math.round(v * 64) / 64)));
  const halves = Uint16Array.from(values, (v) => {
    if (v === 0) return 0;
    const exponent = Math.floor(Math.log2(Math.abs(v)));
    const fraction = Math.round((Math.abs(v) / 2 ** exponent - 1) * 1024);
    return (v < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | fraction;
  });
  return { halves, values };
}
