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

export function float64(field: string, value: unknown, length?: number): Float64Array {
  if (!(value instanceof Float64Array)) throw invalidType(field, 'a Float64Array', value);
  return checkLength(field, value, length);
}

export function uint8(field: string, value: unknown, length?: number): Uint8Array {
  if (!(value instanceof Uint8Array)) throw invalidType(field, 'a Uint8Array', value);
  return checkLength(field, value, length);
}

/** `check` of an array that may be undefined, and nothing else: the frame would take null, 0 or NaN for an array it names. */
export function optional<A>(
  check: (field: string, value: unknown, length?: number) => A,
  field: string,
  value: unknown,
  length?: number,
): A | undefined {
  return value === undefined ? undefined : check(field, value, length);
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

/** Number of threads: 0, the default, means all of the pool. */
export function threadCount(field: string, value: unknown): number {
  const threads = numberIn(field, value, 0, 0, 1024);
  if (!Number.isInteger(threads)) throw invalidValue(field, 'a whole number', threads);
  return threads;
}

/** Throws where `output` shares memory with one of `inputs`, of which only arrays count. */
export function apart(field: string, output: ArrayBufferView, inputs: readonly unknown[]): void {
  checkApart(field, output, new Memory(inputs, inputs.length));
}

/** {@link apart} for the arrays of an `out` option; the inputs are the first `count` arguments of a call. */
export function allApart(field: string, out: object, inputs: readonly unknown[], count = inputs.length): void {
  const arrays = out as Readonly<Record<string, ArrayBufferView | undefined>>;
  const memory = new Memory(inputs, count);
  for (const name in arrays) {
    const array = arrays[name];
    if (array !== undefined) checkApart(`${field}.${name}`, array, memory);
  }
}

/** Arrays and their buffers, each asked for once: it takes V8 20 ns. Loops, as this is a good part of a short call. */
class Memory {
  readonly views: ArrayBufferView[] = [];
  readonly buffers: ArrayBufferLike[] = [];

  constructor(inputs: readonly unknown[], count: number) {
    for (let i = 0; i < count; i++) {
      const input = inputs[i];
      if (typeof input !== 'object' || !ArrayBuffer.isView(input)) continue;
      this.views.push(input);
      this.buffers.push(input.buffer);
    }
  }
}

function checkApart(field: string, output: ArrayBufferView, { views, buffers }: Memory): void {
  const { buffer } = output;
  for (let i = 0; i < buffers.length; i++) {
    if (buffers[i] !== buffer) continue;
    const { byteOffset, byteLength } = output;
    const input = views[i];
    if (input && input.byteOffset < byteOffset + byteLength && byteOffset < input.byteOffset + input.byteLength) {
      throw invalidValue(field, 'memory apart from the inputs', output);
    }
  }
}

export function requireInteger(field: string, value: unknown, min: number, max = Number.MAX_SAFE_INTEGER): number {
  if (typeof value !== 'number') throw invalidType(field, 'an integer', value);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw invalidValue(
      field,
      max === Number.MAX_SAFE_INTEGER ? `an integer >= ${min}` : `an integer in [${min}, ${max}]`,
      value,
    );
  }
  return value;
}

export function requireNumber(field: string, value: unknown, expected: string, test: (x: number) => boolean): number {
  if (typeof value !== 'number') throw invalidType(field, expected, value);
  if (!test(value)) throw invalidValue(field, expected, value);
  return value;
}

/** A parameter that is one number for all rows, or an array of one per row. */
export interface RowParameter<A> {
  readonly scalar: number;
  readonly values: A | undefined;
}

/** A float row parameter whose every value passes `test`. */
export function floatParameter(
  field: string,
  value: number | Float32Array | undefined,
  fallback: number,
  rows: number,
  expected: string,
  test: (x: number) => boolean,
): RowParameter<Float32Array> {
  if (value === undefined) return { scalar: fallback, values: undefined };
  if (typeof value === 'number') return { scalar: requireNumber(field, value, expected, test), values: undefined };
  const values = float32(field, value, rows);
  values.forEach((x, i) => requireNumber(`${field}[${i}]`, x, expected, test));
  return { scalar: fallback, values };
}

/** An integer row parameter in [min, 2^31). */
export function integerParameter(
  field: string,
  value: number | Int32Array | undefined,
  fallback: number,
  rows: number,
  min: number,
): RowParameter<Int32Array> {
  if (value === undefined) return { scalar: fallback, values: undefined };
  if (typeof value === 'number') return { scalar: requireInteger(field, value, min, 0x7fffffff), values: undefined };
  const values = int32(field, value, rows);
  values.forEach((x, i) => requireInteger(`${field}[${i}]`, x, min));
  return { scalar: fallback, values };
}

/** {@link badOffset} for offsets that the native side does not see. */
export function checkOffsets(field: string, array: Int32Array, total: number, of: string): void {
  let last = 0;
  for (let i = 0; i < array.length; i++) {
    const offset = array[i] ?? -1;
    if (offset < last || offset > total || (i === 0 && offset !== 0)) throw badOffset(field, array, i, total, of);
    last = offset;
  }
  if (last !== total) throw badOffset(field, array, array.length - 1, total, of);
}
