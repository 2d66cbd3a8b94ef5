const { imul } = Math;

/**
 * MinHash in plain TypeScript: the minima of 32-bit multiply-add hashes (fixed constants) over the shingles of a text, of
 * which a signature keeps the lowest bytes. What native/kernels/minhash is compared with.
 */
export function referenceMinima(text: string, size: number, shingle: number): Uint32Array {
  const bytes = Buffer.from(text, 'utf8');
  const minima = new Uint32Array(size).fill(0xffffffff);
  const constants = makeConstants(size);
  const last = Math.max(0, bytes.length - shingle);
  for (let start = 0; start <= last && bytes.length > 0; start++) {
    let hash = 0;
    for (const byte of bytes.subarray(start, start + shingle)) hash = (imul(hash, 0x01000193) + byte) | 0;
    const base = finalise(hash);
    for (let k = 0; k < size; k++) {
      const value = (imul(base, constants[k]!) + constants[size + k]!) >>> 0;
      if (value < minima[k]!) minima[k] = value;
    }
  }
  return minima;
}

/** Odd multipliers, then addends. */
function makeConstants(size: number): Uint32Array {
  let state = 0x9e3779b9;
  return Uint32Array.from({ length: 2 * size }, (_, i) => {
    state = (state + 0x6d2b79f5) | 0;
    return i < size ? finalise(state) | 1 : finalise(state);
  });
}

function finalise(value: number): number {
  let h = value >>> 0;
  h = imul(h ^ (h >>> 16), 0x85ebca6b);
  h = imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
