import { invalidType, invalidValue } from '../errors.js';
import { requireArray } from './arguments.js';

/** Checks shared by what works on packed sequences and groups. */

/** A float32 array of any length. */
export function requireFloats(field: string, value: unknown): Float32Array {
  return requireArray(field, value, 'Float32Array', lengthOf(value));
}

/** Offsets of packed rows: at least one entry. Their order is checked natively; see {@link badOffset}. */
export function requireOffsets(field: string, value: unknown): Int32Array {
  const array = requireArray(field, value, 'Int32Array', lengthOf(value));
  if (array.length === 0) throw invalidValue(field, 'at least [0]', array);
  return array;
}

function lengthOf(value: unknown): number {
  return ArrayBuffer.isView(value) && 'length' in value ? Number(value.length) : 0;
}

/** The error for the offset at `index`, the first that breaks 0 = o[0] <= o[1] <= ... <= o[n] = total. */
export function badOffset(field: string, array: Int32Array, index: number, total: number, of: string): Error {
  const expected = `0 = o[0] <= o[1] <= ... <= o[${array.length - 1}] = ${total} (the number of ${of})`;
  return invalidValue(`${field}[${index}]`, `in order, ${expected}`, array[index]);
}

/** {@link badOffset} for offsets that the native side does not see. */
export function checkOffsets(field: string, array: Int32Array, total: number, of: string): void {
  let last = 0;
  array.forEach((offset, i) => {
    if (offset < last || offset > total || (i === 0 && offset !== 0)) throw badOffset(field, array, i, total, of);
    last = offset;
  });
  if (last !== total) throw badOffset(field, array, array.length - 1, total, of);
}

/** A number in [least, most]; `fallback` where undefined, unless that is NaN. NaN is out of every range. */
export function numberIn(field: string, value: unknown, fallback: number, least: number, most = Infinity): number {
  if (value === undefined && !Number.isNaN(fallback)) return fallback;
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

/** Throws where `output` shares memory with one of `inputs`. */
export function requireApart(
  field: string,
  output: ArrayBufferView,
  inputs: readonly (ArrayBufferView | undefined)[],
): void {
  const end = output.byteOffset + output.byteLength;
  for (const input of inputs) {
    if (input?.buffer !== output.buffer) continue;
    if (input.byteOffset < end && output.byteOffset < input.byteOffset + input.byteLength) {
      throw invalidValue(field, 'memory apart from the inputs', output);
    }
  }
}
