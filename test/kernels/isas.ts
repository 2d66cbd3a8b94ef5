import binding = require('#binding');
import { runtimeInfo } from '../../lib/index.js';

/** Runs `body` once per instruction set of this machine and returns the results, by name. */
export function onEveryIsa<T>(body: (isa: string) => T): Map<string, T> {
  const { isa: active, isas } = runtimeInfo();
  try {
    return new Map(isas.map((isa) => [isa, (binding.useLossKernels(isa), body(isa))]));
  } finally {
    binding.useLossKernels(active);
  }
}

/** The bits of an array, for comparisons that tell -0 from 0 and one NaN from another. */
export function bits(array: Float32Array | Float64Array): number[] {
  return [...new Uint32Array(array.buffer, array.byteOffset, array.byteLength / 4)];
}
