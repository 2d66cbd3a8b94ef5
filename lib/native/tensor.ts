import binding = require('#binding');

import { CrossThinkError, invalidType, invalidValue } from '../errors.js';
import { cudaCall, cudaCallAsync, cudaIndex, type Device } from './device.js';
import { dtypeOf, elementBytes, newHostArray, requireDType, type DType, type HostArray } from './dtype.js';
import { type CudaStream } from './stream.js';

/** Size of a CUDA IPC handle. */
const IPC_BYTES = 64;

export interface TensorOptions {
  /** Element type; default float32, or that of the array. */
  readonly dtype?: DType | undefined;
  /** Default `'cuda'`, the first GPU. */
  readonly device?: Device | undefined;
  /** Stream whose order copies and operations on this tensor follow; default: the default stream. */
  readonly stream?: CudaStream | undefined;
}

/** A tensor that somebody else allocated. */
export interface WrapOptions extends TensorOptions {
  /** Device address as a bigint, e.g. `BigInt(tensor.data_ptr())`. */
  readonly address: bigint;
  readonly shape: readonly number[];
  /** Elements from one index to the next, per dimension; the last must be 1. Default: contiguous. */
  readonly strides?: readonly number[] | undefined;
  /** Kept alive as long as the tensor: whatever owns the memory. */
  readonly owner?: unknown;
}

/** What this process holds on devices. `lost` counts tensors that were collected without having been disposed. */
export interface DeviceMemory {
  readonly tensors: number;
  readonly bytes: number;
  readonly lost: number;
}

type Release = 'free' | 'close' | 'none';

const account = { tensors: 0, bytes: 0, lost: 0 };

/** Counts of tensors and bytes on devices that this library allocated or opened and nobody has disposed yet. */
export function deviceMemory(): DeviceMemory {
  return { ...account };
}

/** The memory of one tensor: freed once, by whoever comes first, disposal or the garbage collector. */
class Holding {
  constructor(
    readonly device: number,
    readonly address: bigint,
    readonly bytes: number,
    readonly release: Release,
  ) {
    if (release === 'none') return;
    account.tensors += 1;
    account.bytes += bytes;
  }

  #live = true;

  get live(): boolean {
    return this.#live;
  }

  end(): void {
    if (!this.#live) return;
    this.#live = false;
    if (this.release === 'none') return;
    account.tensors -= 1;
    account.bytes -= this.bytes;
    cudaCall(() => {
      if (this.release === 'free') binding.cudaRelease(this.device, this.address);
      else binding.cudaIpcClose(this.device, this.address);
    });
  }
}

const collected = new FinalizationRegistry((holding: Holding) => {
  if (!holding.live) return;
  if (holding.release !== 'none') account.lost += 1;
  holding.end();
});

function requireShape(shape: unknown): readonly number[] {
  if (!Array.isArray(shape)) throw invalidType('shape', 'an array of sizes', shape);
  for (const size of shape as unknown[]) {
    if (!Number.isSafeInteger(size) || Number(size) < 0) throw invalidValue('shape', 'of integers >= 0', shape);
  }
  return [...(shape as number[])];
}

function contiguous(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i -= 1) strides[i] = (strides[i + 1] ?? 1) * Math.max(shape[i + 1] ?? 1, 1);
  return strides;
}

function requireStrides(strides: readonly number[] | undefined, shape: readonly number[]): readonly number[] {
  const dense = contiguous(shape);
  if (strides === undefined) return dense;
  const fits =
    strides.length === shape.length && strides.every((s, i) => Number.isSafeInteger(s) && s >= (dense[i] ?? 1));
  if (!fits || (strides.at(-1) ?? 1) !== 1) {
    throw invalidValue('strides', `one per dimension, rows apart by at least their length, the last 1`, strides);
  }
  return [...strides];
}

/**
 * Memory on a GPU with a shape and an element type.
 *
 * Freed by {@link DeviceTensor.dispose} (or `using`), not by the garbage collector, which runs without knowing of GPU
 * memory; a tensor that is collected all the same is freed and counted as lost (see {@link deviceMemory}).
 */
export class DeviceTensor implements Disposable {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly stream: CudaStream | undefined;
  readonly #holding: Holding;
  readonly #owner: unknown;

  private constructor(
    holding: Holding,
    layout: { dtype: DType; shape: readonly number[]; strides: readonly number[] },
    stream: CudaStream | undefined,
    owner?: unknown,
  ) {
    this.#holding = holding;
    this.#owner = owner;
    this.dtype = layout.dtype;
    this.shape = layout.shape;
    this.strides = layout.strides;
    this.stream = stream;
    collected.register(this, holding, this);
  }

  /** New memory with undefined contents. */
  static allocate(shape: readonly number[], options: TensorOptions = {}): DeviceTensor {
    const dtype = requireDType('dtype', options.dtype ?? 'float32');
    const sizes = requireShape(shape);
    const device = cudaIndex(options.device ?? 'cuda');
    // At least one byte: every tensor has an address.
    const bytes = Math.max(
      1,
      sizes.reduce((product, size) => product * size, elementBytes(dtype)),
    );
    const address = cudaCall(() => binding.cudaAllocate(device, bytes));
    const holding = new Holding(device, address, bytes, 'free');
    return new DeviceTensor(holding, { dtype, shape: sizes, strides: contiguous(sizes) }, options.stream);
  }

  /** A copy of a host array; `shape` defaults to one dimension. */
  static from(array: HostArray, options: TensorOptions & { readonly shape?: readonly number[] } = {}): DeviceTensor {
    const dtype = dtypeOf('array', array, options.dtype);
    const tensor = DeviceTensor.allocate(options.shape ?? [array.length], { ...options, dtype });
    try {
      tensor.copyFrom(array);
    } catch (error) {
      tensor.dispose();
      throw error;
    }
    return tensor;
  }

  /** A view of memory that another library of this process owns. Disposing it frees nothing. */
  static wrap(options: WrapOptions): DeviceTensor {
    const { address, owner, stream } = options;
    if (typeof address !== 'bigint') throw invalidType('address', 'a bigint', address);
    const dtype = requireDType('dtype', options.dtype ?? 'float32');
    const shape = requireShape(options.shape);
    const strides = requireStrides(options.strides, shape);
    const device = cudaIndex(options.device ?? 'cuda');
    const actual = cudaCall(() => binding.cudaPointerDevice(address));
    if (actual !== device) throw invalidValue('device', `'cuda:${actual}', where the address is`, options.device);
    if (address % BigInt(elementBytes(dtype)) !== 0n) {
      throw invalidValue('address', `a multiple of the element size, ${elementBytes(dtype)}`, address);
    }
    return new DeviceTensor(new Holding(device, address, 0, 'none'), { dtype, shape, strides }, stream, owner);
  }

  /** Memory of another process on this machine, by the handle that its {@link DeviceTensor.ipcHandle} gave. */
  static openIpc(
    handle: Uint8Array,
    options: TensorOptions & { readonly shape: readonly number[]; readonly strides?: readonly number[] },
  ): DeviceTensor {
    if (dtypeOf('handle', handle) !== 'uint8' || handle.length !== IPC_BYTES) {
      throw invalidValue('handle', `a Uint8Array of ${IPC_BYTES}`, handle);
    }
    const dtype = requireDType('dtype', options.dtype ?? 'float32');
    const shape = requireShape(options.shape);
    const strides = requireStrides(options.strides, shape);
    const device = cudaIndex(options.device ?? 'cuda');
    const address = cudaCall(() => binding.cudaIpcOpen(device, handle));
    return new DeviceTensor(new Holding(device, address, 0, 'close'), { dtype, shape, strides }, options.stream);
  }

  get deviceIndex(): number {
    return this.#holding.device;
  }

  get device(): Device {
    return `cuda:${this.#holding.device}`;
  }

  /** Number of elements. */
  get length(): number {
    return this.shape.reduce((product, size) => product * size, 1);
  }

  get contiguous(): boolean {
    return contiguous(this.shape).every((stride, i) => stride === this.strides[i]);
  }

  get disposed(): boolean {
    return !this.#holding.live;
  }

  /** Device address. @throws CrossThinkError `ERR_STATE_MISMATCH` after disposal. */
  get address(): bigint {
    if (!this.#holding.live) throw new CrossThinkError('ERR_STATE_MISMATCH', 'This DeviceTensor has been disposed');
    return this.#holding.address;
  }

  /** Copies a host array of the same number of elements here, after the stream's earlier work. */
  copyFrom(array: HostArray): this {
    this.#requireFit('array', array);
    const { address } = this;
    cudaCall(() => {
      binding.cudaCopyToDevice(this.deviceIndex, address, array, this.#streamAddress());
    });
    return this;
  }

  /** The elements as a host array, once the stream's earlier work is done: into `out`, or a new array. */
  toHost(out: HostArray = newHostArray(this.dtype, this.length)): HostArray {
    this.#requireFit('out', out);
    const { address } = this;
    cudaCall(() => {
      binding.cudaCopyToHost(this.deviceIndex, address, out, this.#streamAddress());
    });
    return out;
  }

  /**
   * {@link DeviceTensor.copyFrom} on the worker pool: the event loop goes on. Until it settles the array must stay as it is,
   * the tensor undisposed, and the stream be given no work on this tensor.
   */
  async copyFromAsync(array: HostArray): Promise<this> {
    this.#requireFit('array', array);
    const { address } = this;
    await cudaCallAsync(() => binding.cudaCopyToDeviceAsync(this.deviceIndex, address, array, this.#streamAddress()));
    return this;
  }

  /** {@link DeviceTensor.toHost} on the worker pool; what holds until it settles: {@link DeviceTensor.copyFromAsync}. */
  async toHostAsync(out: HostArray = newHostArray(this.dtype, this.length)): Promise<HostArray> {
    this.#requireFit('out', out);
    const { address } = this;
    await cudaCallAsync(() => binding.cudaCopyToHostAsync(this.deviceIndex, address, out, this.#streamAddress()));
    return out;
  }

  /** Sets every element to zero, after the stream's earlier work. */
  zero(): this {
    this.#requireContiguous();
    const { address } = this;
    cudaCall(() => {
      const bytes = this.length * elementBytes(this.dtype);
      binding.cudaFill(this.deviceIndex, address, 0, bytes, this.#streamAddress());
    });
    return this;
  }

  /** A handle with which another process on this machine can open this memory. Only for allocated tensors. */
  ipcHandle(): Uint8Array {
    const handle = new Uint8Array(IPC_BYTES);
    const { address } = this;
    cudaCall(() => {
      binding.cudaIpcExport(this.deviceIndex, address, handle);
    });
    return handle;
  }

  /** Frees the memory (or gives back what was opened); does nothing the second time. */
  dispose(): void {
    collected.unregister(this);
    this.#holding.end();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** What owns wrapped memory. */
  get owner(): unknown {
    return this.#owner;
  }

  #streamAddress(): bigint {
    return this.stream?.address ?? 0n;
  }

  #requireFit(field: string, array: HostArray): void {
    this.#requireContiguous();
    if (dtypeOf(field, array, this.dtype) !== this.dtype || array.length !== this.length) {
      throw invalidValue(field, `of ${this.length} elements of ${this.dtype}`, array);
    }
  }

  #requireContiguous(): void {
    if (!this.contiguous) throw invalidValue('tensor', 'contiguous for a copy', this.strides);
  }
}
