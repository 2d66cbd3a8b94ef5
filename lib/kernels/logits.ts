import { invalidType, invalidValue } from '../errors.js';
import { requireInteger } from './arguments.js';

/** Storage type of logits and gradients. */
export type FloatType = 'float32' | 'bfloat16' | 'float16';

/**
 * Row-major logits `[rows, vocab]`: a Float32Array, or halves as a Uint16Array of their bits (say which with `dtype`)
 * or, where the runtime has it, a Float16Array.
 */
export type LogitsArray = Float32Array | Uint16Array;

export interface LogitsShape {
  /** Number of columns; default `logits.length / rows`. Columns from `vocab` to `stride` are padding and are not read. */
  readonly vocab?: number | undefined;
  /** Elements from one row to the next; default `vocab`. */
  readonly stride?: number | undefined;
  /** Element type; default from the array (`Float32Array`: float32, `Float16Array`: float16). Required for Uint16Array. */
  readonly dtype?: FloatType | undefined;
}

/** Element types in the order of native/kernels/logits.h. */
const floatTypes: readonly FloatType[] = ['float32', 'bfloat16', 'float16'];

export function floatTypeCode(type: FloatType): number {
  return floatTypes.indexOf(type);
}

/** Checked logits as the addon takes them. */
export interface Logits {
  readonly data: LogitsArray;
  readonly type: FloatType;
  readonly rows: number;
  readonly vocab: number;
  readonly stride: number;
}

const storedTypes = new Map<string, FloatType>([
  ['Float32Array', 'float32'],
  ['Float16Array', 'float16'],
]);

/** Element type of an array; `dtype` says which halves a Uint16Array holds. */
export function elementType(field: string, data: unknown, dtype: FloatType | undefined): FloatType {
  if (data instanceof Float32Array && dtype === undefined) return 'float32'; // Nearly always: no need of a name.
  const tag = Object.prototype.toString.call(data).slice(8, -1);
  if (tag === 'Uint16Array') {
    if (dtype === 'bfloat16' || dtype === 'float16') return dtype;
    throw invalidValue(
      'options.dtype',
      "'bfloat16' or 'float16' for a Uint16Array",
      dtype,
      'Say which halves these are',
    );
  }
  const stored = storedTypes.get(tag);
  if (stored === undefined) throw invalidType(field, 'a Float32Array, Float16Array or Uint16Array', data);
  if (dtype !== undefined && dtype !== stored) throw invalidValue('options.dtype', `'${stored}' for a ${tag}`, dtype);
  return stored;
}

/** Checks logits of `rows` rows against their shape options. */
export function checkLogits(field: string, data: LogitsArray, rows: number, shape: LogitsShape): Logits {
  const type = elementType(field, data, shape.dtype);
  if (rows === 0) return { data, type, rows: 0, vocab: shape.vocab ?? 1, stride: shape.vocab ?? 1 };
  const given = shape.stride ?? shape.vocab;
  const stride = given === undefined ? data.length / rows : requireInteger('options.stride', given, 1);
  if (given === undefined && (!Number.isInteger(stride) || stride === 0)) {
    throw invalidValue(field, `of rows * vocab elements, ${rows} rows`, data, 'Pass options.vocab for other shapes');
  }
  const vocab = shape.vocab === undefined ? stride : requireInteger('options.vocab', shape.vocab, 1, 0x7fffffff);
  if (vocab > stride) throw invalidValue('options.vocab', `at most options.stride = ${stride}`, vocab);
  const needed = (rows - 1) * stride + vocab;
  if (data.length < needed) {
    throw invalidValue(field, `of at least ${needed} elements (${rows} rows of stride ${stride})`, data);
  }
  return { data, type, rows, vocab, stride };
}
