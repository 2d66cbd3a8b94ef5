import binding = require('#binding');

import { invalidType } from '../errors.js';
import { cudaCall, cudaCallAsync, cudaIndex, type Device } from './device.js';

/**
 * A CUDA stream: work given to one runs in the order it was given. Made here, or another library's, wrapped by its
 * address (`cudaStream_t` as a bigint; in PyTorch `torch.cuda.current_stream().cuda_stream`).
 */
export class CudaStream implements Disposable {
  readonly deviceIndex: number;
  readonly #address: bigint;
  #owned: boolean;

  private constructor(device: number, address: bigint, owned: boolean) {
    this.deviceIndex = device;
    this.#address = address;
    this.#owned = owned;
  }

  /** A new stream that does not wait for the default one. */
  static create(device: Device = 'cuda'): CudaStream {
    const index = cudaIndex(device);
    return new CudaStream(
      index,
      cudaCall(() => binding.cudaStreamCreate(index)),
      true,
    );
  }

  /** Another library's stream; it stays theirs. */
  static wrap(address: bigint, device: Device = 'cuda'): CudaStream {
    if (typeof address !== 'bigint') throw invalidType('address', 'a bigint', address);
    return new CudaStream(cudaIndex(device), address, false);
  }

  /** `cudaStream_t` as an integer; 0n is the default stream. */
  get address(): bigint {
    return this.#address;
  }

  /** Waits, on this thread, for everything given to the stream so far. */
  synchronize(): void {
    cudaCall(() => {
      binding.cudaStreamSynchronize(this.deviceIndex, this.#address);
    });
  }

  /** {@link CudaStream.synchronize} on the worker pool: the event loop goes on. */
  async synchronizeAsync(): Promise<void> {
    await cudaCallAsync(() => binding.cudaStreamSynchronizeAsync(this.deviceIndex, this.#address));
  }

  /** Destroys a stream made by {@link CudaStream.create}; does nothing the second time, or for a wrapped one. */
  dispose(): void {
    if (!this.#owned) return;
    this.#owned = false;
    cudaCall(() => {
      binding.cudaStreamDestroy(this.deviceIndex, this.#address);
    });
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
