import { invalidValue } from '../errors.js';
import { type Device } from '../native/device.js';
import { float32, requireInteger } from './arguments.js';
import { elementType, floatTypeCode, type FloatType, type LogitsArray } from './logits.js';

/** Bytes of intermediate results. */
export const DEFAULT_WORKSPACE = 64 * 2 ** 20;

/** Shapes of `hidden [rows, hiddenSize]` and `weight [vocab, hiddenSize]`, both row-major. */
export interface LinearOptions {
  /** Columns of `hidden` and `weight`. Default: `hidden.length / rows`, where the number of rows is known. */
  readonly hiddenSize?: number | undefined;
  /** Rows of `weight` in use; default `weight.length / weightStride`. */
  readonly vocab?: number | undefined;
  /** Elements from one row of `hidden` to the next; default `hiddenSize`. */
  readonly hiddenStride?: number | undefined;
  /** Elements from one row of `weight` to the next; default `hiddenSize`. */
  readonly weightStride?: number | undefined;
  /** Element type of both; required for Uint16Array, where only 'bfloat16' is supported. */
  readonly dtype?: FloatType | undefined;
  /** `[vocab]`, added to the product. */
  readonly bias?: Float32Array | undefined;
  /** Most threads to use; default: the whole pool. The result never depends on it. */
  readonly threads?: number | undefined;
  /** Where to compute; default `'cpu'`. On a GPU cuBLAS multiplies: other bits, within the bound of docs/linear.md. */
  readonly device?: Device | undefined;
}

/** Checked operands as the addon takes them. */
export interface LinearProduct {
  readonly type: FloatType;
  readonly typeCode: number;
  readonly rows: number;
  readonly vocab: number;
  readonly depth: number;
  readonly hidden: LogitsArray;
  readonly hiddenStride: number;
  readonly weight: LogitsArray;
  readonly weightStride: number;
  readonly bias: Float32Array | undefined;
}

function quotient(field: string, data: LogitsArray, by: number, of: string, pass: string): number {
  const result = data.length / by;
  if (!Number.isInteger(result) || result === 0) throw invalidValue(field, `of ${of} elements`, data, pass);
  return result;
}

function requireLength(field: string, data: LogitsArray, rows: number, stride: number, columns: number): void {
  const needed = rows === 0 ? 0 : (rows - 1) * stride + columns;
  if (data.length < needed) {
    throw invalidValue(field, `of at least ${needed} elements (${rows} rows of ${columns}, stride ${stride})`, data);
  }
}

function strideOf(field: string, given: number | undefined, columns: number): number {
  const stride = requireInteger(field, given ?? columns, 1);
  if (stride < columns) throw invalidValue(field, `at least options.hiddenSize = ${columns}`, stride);
  return stride;
}

/** Checks the operands of a product; `rows` undefined: as many as `hidden` holds. */
export function checkLinear(
  hidden: LogitsArray,
  weight: LogitsArray,
  rows: number | undefined,
  options: LinearOptions,
): LinearProduct {
  const type = elementType('hidden', hidden, options.dtype);
  if (type === 'float16') throw invalidValue('options.dtype', "'float32' or 'bfloat16'", type);
  const weightType = elementType('weight', weight, options.dtype);
  if (weightType !== type) throw invalidValue('weight', `${type}, as hidden is`, weight);
  const { bias } = options;
  const sizeOf = (): number => {
    if (options.hiddenSize !== undefined) return requireInteger('options.hiddenSize', options.hiddenSize, 1);
    const pass = 'Pass options.hiddenSize';
    if (rows === undefined || rows === 0) throw invalidValue('options.hiddenSize', 'an integer >= 1', undefined, pass);
    if (options.hiddenStride !== undefined) return requireInteger('options.hiddenStride', options.hiddenStride, 1);
    return quotient('hidden', hidden, rows, `rows * hiddenSize, ${rows} rows`, pass);
  };
  const depth = sizeOf();
  const hiddenStride = strideOf('options.hiddenStride', options.hiddenStride, depth);
  const weightStride = strideOf('options.weightStride', options.weightStride, depth);
  const vocab =
    options.vocab === undefined
      ? quotient('weight', weight, weightStride, `vocab * ${weightStride}`, 'Pass options.vocab')
      : requireInteger('options.vocab', options.vocab, 1, 0x7fffffff);
  const count =
    rows === undefined
      ? quotient('hidden', hidden, hiddenStride, `rows * ${hiddenStride}`, 'Pass options.rows')
      : requireInteger('options.rows', rows, 0);
  requireLength('hidden', hidden, count, hiddenStride, depth);
  requireLength('weight', weight, vocab, weightStride, depth);
  if (bias !== undefined) float32('options.bias', bias, vocab);
  const typeCode = floatTypeCode(type);
  return { type, typeCode, rows: count, vocab, depth, hidden, hiddenStride, weight, weightStride, bias };
}
