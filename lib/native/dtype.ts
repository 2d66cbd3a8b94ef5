import { invalidType, invalidValue } from '../errors.js';

/** The typed arrays that carry the elements of a tensor on the host. */
export type HostArray =
  Float32Array | Float64Array | Int32Array | Uint16Array | Uint8Array | BigInt64Array | BigUint64Array;

const makers = {
  float32: (length: number): HostArray => new Float32Array(length),
  float64: (length: number): HostArray => new Float64Array(length),
  bfloat16: (length: number): HostArray => new Uint16Array(length),
  float16: (length: number): HostArray => new Uint16Array(length),
  int32: (length: number): HostArray => new Int32Array(length),
  int64: (length: number): HostArray => new BigInt64Array(length),
  uint64: (length: number): HostArray => new BigUint64Array(length),
  uint8: (length: number): HostArray => new Uint8Array(length),
};

/** Element type of a tensor. bfloat16 and float16 travel as the bits of a Uint16Array. */
export type DType = keyof typeof makers;

const bytes: Record<DType, number> = {
  float32: 4,
  float64: 8,
  bfloat16: 2,
  float16: 2,
  int32: 4,
  int64: 8,
  uint64: 8,
  uint8: 1,
};

const byTag = new Map<string, DType>([
  ['Float32Array', 'float32'],
  ['Float64Array', 'float64'],
  ['Float16Array', 'float16'],
  ['Int32Array', 'int32'],
  ['BigInt64Array', 'int64'],
  ['BigUint64Array', 'uint64'],
  ['Uint8Array', 'uint8'],
]);

export function elementBytes(dtype: DType): number {
  return bytes[dtype];
}

export function requireDType(field: string, dtype: unknown): DType {
  if (typeof dtype === 'string' && Object.hasOwn(makers, dtype)) return dtype as DType;
  throw invalidValue(field, `one of ${Object.keys(makers).join(', ')}`, dtype);
}

export function newHostArray(dtype: DType, length: number): HostArray {
  return makers[dtype](length);
}

/** Element type of a typed array; a Uint16Array needs `wanted` to say which halves it holds. */
export function dtypeOf(field: string, array: unknown, wanted?: DType): DType {
  // By name, not by instanceof: under Jest and vm contexts an array may be of another realm.
  const tag = Object.prototype.toString.call(array).slice(8, -1);
  if (tag === 'Uint16Array') {
    if (wanted === 'bfloat16' || wanted === 'float16') return wanted;
    throw invalidValue('dtype', "'bfloat16' or 'float16' for a Uint16Array", wanted, 'Say which halves these are');
  }
  const dtype = byTag.get(tag);
  if (dtype === undefined) throw invalidType(field, `a typed array (${[...byTag.keys()].join(', ')})`, array);
  if (wanted !== undefined && wanted !== dtype) throw invalidValue('dtype', `'${dtype}' for a ${tag}`, wanted);
  return dtype;
}
