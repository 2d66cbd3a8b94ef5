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
