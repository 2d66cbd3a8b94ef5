import binding = require('#binding');

import { runtimeInfo } from '../../lib/index.js';
import { useDevice } from '../../lib/kernels/device/backend.js';

/** Every instruction set this machine runs, slowest first: 'scalar' is what the others are compared with. */
export const isas: readonly string[] = runtimeInfo().isas;

/** Runs `body` with the kernels of `isa`, then goes back to the best. */
export function withIsa<T>(isa: string, body: () => T): T {
  binding.useKernels(isa);
  try {
    return body();
  } finally {
    binding.useKernels(runtimeInfo().isa);
  }
}

/** A GPU, or the interpreter of test/cuda-interpreter, runs the kernels too where one can be loaded. */
export const hasCuda = runtimeInfo().cuda.available;

/** Runs `body` with every kernel on the first CUDA device. */
export function withCuda<T>(body: () => T): T {
  const before = useDevice('cuda');
  try {
    return body();
  } finally {
    useDevice(before);
  }
}

/** The bits of a result: equal digests are equal integer views of every array in it. */
export function digest(value: unknown): string {
  if (ArrayBuffer.isView(value)) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex');
  }
  if (typeof value === 'object' && value !== null) {
    return Object.keys(value)
      .sort()
      .map((key) => `${key}:${digest((value as Record<string, unknown>)[key])}`)
      .join(';');
  }
  // JavaScript has one NaN: which of its bit patterns a number holds is not a result.
  if (Number.isNaN(value)) return 'NaN';
  return typeof value === 'number' ? digest(Float64Array.of(value)) : String(value);
}

/**
 * Checks that `run` returns the same bits on every instruction set and for 1, 2, 3 and 8 threads, and on CUDA where it can
 * be loaded, and returns the result.
 */
export function sameBits<T>(run: (threads: number) => T): T {
  const expected = withIsa('scalar', () => run(1));
  const wanted = digest(expected);
  for (const isa of isas) {
    for (const threads of [1, 2, 3, 8]) {
      const actual = withIsa(isa, () => digest(run(threads)));
      if (actual !== wanted) throw new Error(`${isa}, ${threads} threads: other bits than scalar, 1 thread`);
    }
  }
  if (hasCuda && withCuda(() => digest(run(1))) !== wanted) throw new Error('cuda: other bits than scalar');
  return expected;
}
