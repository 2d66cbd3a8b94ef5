import { invalidType, invalidValue } from '../errors.js';

/** Checks of typed-array arguments: the error names the argument, what was expected and what came. */

export function float32(field: string, value: unknown, length?: number): Float32Array {
  if (!(value instanceof Float32Array)) throw invalidType(field, 'a Float32Array', value);
  return checkLength(field, value, length);
}

export function int32(field: string, value: unknown, length?: number): Int32Array {
  if (!(value instanceof Int32Array)) throw invalidType(field, 'an Int32Array', value);
  return checkLength(field, value, length);
}

export function uint8(field: string, value: unknown, length?: number): Uint8Array {
  if (!(value instanceof Uint8Array)) throw invalidType(field, 'a Uint8Array', value);
  return checkLength(field, value, length);
}

function checkLength<T extends { readonly length: number }>(field: string, value: T, length?: number): T {
  if (length === undefined || value.length === length) return value;
  throw invalidValue(field, `of length ${length}`, value);
}

/** Offsets of packed rows: at least one entry. Their order is checked natively; see {@link badOffset}. */
export function offsets(field: string, value: unknown): Int32Array {
  const array = int32(field, value);
  if (array.length === 0) throw invalidValue(field, 'at least [0]', array);
  return array;
}

/** The error for the offset at `index`, the first that breaks 0 = o[0] <= o[1] <= ... <= o[n] = total. */
export function badOffset(field: string, array: Int32Array, index: number, total: number, of: string): Error {
  const expected = `0 = o[0] <= o[1] <= ... <= o[${array.length - 1}] = ${total} (the number of ${of})`;
  return invalidValue(`${field}[${index}]`, `in order, ${expected}`, array[index]);
}

/** A finite number in [least, most]; `fallback` where undefined. */
export function numberIn(field: string, value: unknown, fallback: number, least: number, most = Infinity): number {
  if (value === undefined) return fallback;
  if (typeof value !== 'number') throw invalidType(field, 'a number', value);
  if (!(value >= least && value <= most)) {
    throw invalidValue(field, most === Infinity ? `at least ${least}` : `in [${least}, ${most}]`, value);
  }
  return value;
}

/** One of `names`; `fallback` where undefined. */
export function oneOf<T extends string>(field: string, value: unknown, names: readonly T[], fallback: T): T {
  if (value === undefined) return fallback;
  if (names.includes(value as T)) return value as T;
  throw invalidValue(field, `one of ${names.join(', ')}`, value);
}

/** Number of threads: 0, the default, means all of the pool. */
export function threadCount(field: string, value: unknown): number {
  const threads = numberIn(field, value, 0, 0, 1024);
  if (!Number.isInteger(threads)) throw invalidValue(field, 'a whole number', threads);
  return threads;
}

/** Throws where `output` shares memory with one of `inputs`. */
export function apart(field: string, output: ArrayBufferView, inputs: readonly (ArrayBufferView | undefined)[]): void {
  const end = output.byteOffset + output.byteLength;
  for (const input of inputs) {
    if (input?.buffer !== output.buffer) continue;
    if (input.byteOffset < end && output.byteOffset < input.byteOffset + input.byteLength) {
      throw invalidValue(field, 'memory apart from the inputs', output);
    }
  }
}
