import { invalidType, invalidValue } from '../errors.js';

/** Checks and conversions shared by the kernels. Each names the argument it rejects. */

interface TypedArrays {
  Float32Array: Float32Array;
  Float64Array: Float64Array;
  Int32Array: Int32Array;
  Uint8Array: Uint8Array;
}

// By name, not by instanceof: under Jest and vm contexts an array may be of another realm.
function isTypedArray<K extends keyof TypedArrays>(value: unknown, type: K): value is TypedArrays[K] {
  return Object.prototype.toString.call(value) === `[object ${type}]`;
}

/** `value` as the typed array `type` of exactly `length` elements. */
export function requireArray<K extends keyof TypedArrays>(
  field: string,
  value: unknown,
  type: K,
  length: number,
): TypedArrays[K] {
  if (!isTypedArray(value, type)) throw invalidType(field, `a ${type}`, value);
  if (value.length !== length) throw invalidValue(field, `a ${type} of ${length}`, value);
  return value;
}

const makers: { [K in keyof TypedArrays]: (length: number) => TypedArrays[K] } = {
  Float32Array: (length) => new Float32Array(length),
  Float64Array: (length) => new Float64Array(length),
  Int32Array: (length) => new Int32Array(length),
  Uint8Array: (length) => new Uint8Array(length),
};

/** The caller's output array, checked, or a new one. */
export function outputArray<K extends keyof TypedArrays>(
  field: string,
  value: TypedArrays[K] | undefined,
  type: K,
  length: number,
): TypedArrays[K] {
  return value === undefined ? makers[type](length) : requireArray(field, value, type, length);
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

/** Number of threads to use at most; 0 means all of the pool. */
export function threadLimit(threads: number | undefined): number {
  return threads === undefined ? 0 : requireInteger('options.threads', threads, 1, 1024);
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
  const values = requireArray(field, value, 'Float32Array', rows);
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
  const values = requireArray(field, value, 'Int32Array', rows);
  values.forEach((x, i) => requireInteger(`${field}[${i}]`, x, min));
  return { scalar: fallback, values };
}
