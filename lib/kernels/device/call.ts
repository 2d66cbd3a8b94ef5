import binding = require('#binding');

import { invalidType, invalidValue } from '../../errors.js';
import { cudaCall } from '../../native/device.js';
import { dtypeOf, type DType, type HostArray } from '../../native/dtype.js';
import { type CudaStream } from '../../native/stream.js';
import { DeviceTensor } from '../../native/tensor.js';

/** An argument of an operation on a device: there already, or on the host and copied for the call. */
export type DeviceInput<A extends HostArray> = DeviceTensor | A;

/** Where an operation on a device writes: there, or on the host, copied when it has run. */
export type DeviceOutput<A extends HostArray> = DeviceTensor | A;

/** Native operations on device tensors. */
export type Operation =
  | 'cudaLogprobForward'
  | 'cudaLogprobBackward'
  | 'cudaLogprobMerge'
  | 'cudaSample'
  | 'cudaSpeculate'
  | 'cudaGroupAdvantages'
  | 'cudaGreedyBaseline'
  | 'cudaWeightedSum'
  | 'cudaGroupSignal'
  | 'cudaSequenceMask'
  | 'cudaRewardsAtEnd'
  | 'cudaOverlongPenalty'
  | 'cudaGae'
  | 'cudaWhiten'
  | 'cudaOptimalTokenBaseline'
  | 'cudaPolicyLoss'
  | 'cudaGrpoStep'
  | 'cudaLinearLogits'
  | 'cudaLinearForward'
  | 'cudaLinearBackward'
  | 'cudaRolloutCorrection'
  | 'cudaSelectByCovariance'
  | 'cudaSelectByEntropy'
  | 'cudaSecondMomentMask';

/** Where checked arguments of a native operation go, in its order: arrays of kind A, on the host or on a device. */
export interface ArgumentSink<A> {
  number(...values: number[]): unknown;
  /** A 64-bit integer that is no pointer. */
  integer(value: bigint): unknown;
  read(array: A | undefined): unknown;
  write(array: A | undefined): unknown;
}

/**
 * The arguments of one native operation: pointers and numbers in the order of native/addon/cuda_operations.cpp and
 * cuda_losses.cpp.
 *
 * Host arrays are copied to temporary tensors. Freeing those waits for the device; pass device tensors to keep a call
 * asynchronous and free of allocation.
 */
export class DeviceCall implements ArgumentSink<DeviceTensor | ArrayBufferView> {
  readonly #pointers: bigint[] = [];
  readonly #numbers: number[] = [];
  readonly #copies = new Map<ArrayBufferView, DeviceTensor>();
  readonly #temporaries: DeviceTensor[] = [];
  readonly #outputs: DeviceTensor[] = [];
  readonly #results: HostArray[] = [];

  constructor(
    readonly deviceIndex: number,
    readonly stream: CudaStream | undefined,
  ) {}

  number(...values: number[]): this {
    this.#numbers.push(...values);
    return this;
  }

  /** A 64-bit integer that is no pointer: it travels with the pointers. */
  integer(value: bigint): this {
    this.#pointers.push(value);
    return this;
  }

  /** A tensor of this device, or null. */
  pointer(tensor: DeviceTensor | undefined): this {
    this.#pointers.push(tensor?.address ?? 0n);
    return this;
  }

  /** An input of `length` elements, copied here where it is on the host. */
  input(field: string, value: DeviceInput<HostArray> | undefined, dtype: DType, length: number): this {
    return this.read(value && this.operand(field, value, dtype, length));
  }

  /** An input that fits, to be entered later by {@link read}. */
  operand<T extends DeviceInput<HostArray> | undefined>(field: string, value: T, dtype: DType, length: number): T {
    if (value instanceof DeviceTensor) this.checked(field, value, dtype, length);
    else if (value !== undefined) {
      if (dtypeOf(field, value) !== dtype) throw invalidType(field, `${dtype} elements`, value);
      if (value.length !== length) throw invalidValue(field, `of ${length} elements`, value);
    }
    return value;
  }

  /** An input that has been checked. */
  read(array: DeviceTensor | ArrayBufferView | undefined): this {
    return this.pointer(this.#onDevice(array, true));
  }

  /** An output that has been checked; a host array is filled by {@link run}. */
  write(array: DeviceTensor | ArrayBufferView | undefined): this {
    const tensor = this.#onDevice(array, false);
    if (array !== tensor && array !== undefined) this.#results.push(array as HostArray);
    return this.pointer(tensor);
  }

  /** An output of which the kernel leaves parts untouched, or an input that it overwrites. */
  update(array: DeviceTensor | ArrayBufferView): this {
    this.#onDevice(array, true);
    return this.write(array);
  }

  /** The caller's output tensor, checked, or a new one. */
  output(field: string, tensor: DeviceTensor | undefined, dtype: DType, length: number): DeviceTensor {
    if (tensor !== undefined) return this.checked(field, tensor, dtype, length);
    return this.allocate([length], dtype);
  }

  /** A new tensor for a result. It is freed again where the call fails. */
  allocate(shape: readonly number[], dtype: DType): DeviceTensor {
    const tensor = DeviceTensor.allocate(shape, { dtype, device: `cuda:${this.deviceIndex}`, stream: this.stream });
    this.#outputs.push(tensor);
    return tensor;
  }

  /** Memory of this call, freed with it. */
  temporary(dtype: DType, length: number): DeviceTensor {
    const tensor = DeviceTensor.allocate([length], { dtype, device: `cuda:${this.deviceIndex}`, stream: this.stream });
    this.#temporaries.push(tensor);
    return tensor;
  }

  /** An output of `length` elements: a tensor of this device, or a host array that {@link run} fills. */
  result(field: string, value: DeviceOutput<HostArray> | undefined, dtype: DType, length: number): this {
    if (value === undefined || value instanceof DeviceTensor) return this.input(field, value, dtype, length);
    if (value.length !== length) throw invalidValue(field, `of ${length} elements`, value);
    return this.write(value);
  }

  /** Runs the native operation with what was gathered. Waits for it only where results go to the host. */
  run(operation: Operation): void {
    const pointers = BigUint64Array.from(this.#pointers);
    const numbers = Float64Array.from(this.#numbers);
    cudaCall(() => {
      binding[operation](this.deviceIndex, this.stream?.address ?? 0n, pointers, numbers);
    });
    for (const array of this.#results) this.#copies.get(array)?.toHost(array);
  }

  /** Frees the copies of host arrays; they wait for the device. */
  release(): void {
    for (const tensor of [...this.#copies.values(), ...this.#temporaries.splice(0)]) tensor.dispose();
    this.#copies.clear();
  }

  /** Frees the results too: the call has failed. */
  abandon(): void {
    for (const tensor of this.#outputs.splice(0)) tensor.dispose();
  }

  /** The copy of a host array, one for the whole call; or the tensor itself. */
  #onDevice(array: DeviceTensor | ArrayBufferView | undefined, filled: boolean): DeviceTensor | undefined {
    if (array === undefined || array instanceof DeviceTensor) return array;
    const known = this.#copies.get(array);
    if (known !== undefined) return known;
    const host = array as HostArray;
    // Which halves a Uint16Array holds makes no difference to a copy.
    const dtype = host instanceof Uint16Array ? 'float16' : dtypeOf('array', host);
    const options = { dtype, device: `cuda:${this.deviceIndex}`, stream: this.stream } as const;
    const tensor = filled ? DeviceTensor.from(host, options) : DeviceTensor.allocate([host.length], options);
    this.#copies.set(array, tensor);
    return tensor;
  }

  /** A tensor that fits: on this device, of this type and length, contiguous. */
  checked(field: string, tensor: DeviceTensor, dtype: DType, length: number): DeviceTensor {
    if (tensor.deviceIndex !== this.deviceIndex) {
      throw invalidValue(field, `on cuda:${this.deviceIndex}, as the rest`, tensor.device);
    }
    if (tensor.dtype !== dtype) throw invalidValue(field, `of ${dtype}`, tensor.dtype);
    if (tensor.length !== length || !tensor.contiguous) {
      throw invalidValue(field, `contiguous, of ${length} elements`, tensor.shape);
    }
    return tensor;
  }
}

/** Runs `body` with a call on a device; waits for the device where host arrays were copied. */
export function withCall<T>(device: number, stream: CudaStream | undefined, body: (call: DeviceCall) => T): T {
  const call = new DeviceCall(device, stream);
  try {
    return body(call);
  } catch (error) {
    call.abandon();
    throw error;
  } finally {
    call.release();
  }
}

export interface OnStream {
  /** Stream to run on; default: that of the first argument. */
  readonly stream?: CudaStream | undefined;
}

/** Runs `body` with a call on the device of `tensor`, an operation's first argument. */
export function onDeviceOf<T>(
  field: string,
  tensor: unknown,
  stream: CudaStream | undefined,
  body: (call: DeviceCall) => T,
): T {
  if (!(tensor instanceof DeviceTensor)) throw invalidType(field, 'a DeviceTensor', tensor);
  return withCall(tensor.deviceIndex, stream ?? tensor.stream, body);
}

/** How many rows offsets cut. */
export function rowsOf(field: string, offsets: DeviceInput<Int32Array>): number {
  if (offsets.length === 0) throw invalidValue(field, 'at least [0]', offsets);
  return offsets.length - 1;
}
