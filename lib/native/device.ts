import binding = require('#binding');

import { CrossThinkError, invalidType, invalidValue } from '../errors.js';

/** Where data lives and work runs: `'cuda'` is `'cuda:0'`; `'auto'` is `'cuda'` where it can be used, else `'cpu'`. */
export type Device = 'cpu' | 'auto' | 'cuda' | `cuda:${number}`;

export type CudaInfo = ReturnType<typeof binding.cudaInfo>;

let known: CudaInfo | undefined;

/** What the CUDA module found, or why there is none. Opens it on the first call. */
export function cudaInfo(): CudaInfo {
  known ??= binding.cudaInfo();
  return known;
}

/**
 * Index of a CUDA device, or null for the CPU.
 *
 * @throws CrossThinkError `ERR_CUDA_UNAVAILABLE` where `'cuda'` is asked for and cannot be had (the message says why),
 * `ERR_INVALID_ARG_VALUE` for anything that is no device.
 */
export function deviceIndex(device: Device, field = 'device'): number | null {
  if (typeof device !== 'string') throw invalidType(field, "'cpu', 'auto', 'cuda' or 'cuda:N'", device);
  if (device === 'cpu') return null;
  if (device === 'auto') return cudaInfo().available ? 0 : null;
  const match = /^cuda(?::(\d{1,4}))?$/.exec(device);
  if (match === null) throw invalidValue(field, "'cpu', 'auto', 'cuda' or 'cuda:N'", device);
  const info = cudaInfo();
  if (!info.available) throw new CrossThinkError('ERR_CUDA_UNAVAILABLE', `No CUDA: ${info.reason}`, { field });
  const index = Number(match[1] ?? 0);
  if (index >= info.devices.length) {
    throw invalidValue(field, `one of this machine's ${info.devices.length} CUDA device(s)`, device);
  }
  return index;
}

/** Index of a CUDA device; the CPU is refused. */
export function cudaIndex(device: Device, field = 'device'): number {
  const index = deviceIndex(device, field);
  if (index !== null) return index;
  const { available, reason } = cudaInfo();
  if (!available) throw new CrossThinkError('ERR_CUDA_UNAVAILABLE', `No CUDA: ${reason}`, { field });
  throw invalidValue(field, "'cuda' or 'cuda:N'", device);
}

function cudaError(cause: unknown): CrossThinkError {
  const message = cause !== null && typeof cause === 'object' && 'message' in cause ? String(cause.message) : '';
  return new CrossThinkError('ERR_NATIVE', `CUDA: ${message}`, { cause });
}

/** Runs a native CUDA call; its failure becomes a CrossThinkError of this realm. */
export function cudaCall<T>(call: () => T): T {
  try {
    return call();
  } catch (cause) {
    throw cudaError(cause);
  }
}

/** {@link cudaCall} for work on the worker pool. */
export async function cudaCallAsync(call: () => Promise<boolean>): Promise<void> {
  const done = await call().catch((cause: unknown) => {
    throw cudaError(cause);
  });
  if (!done) throw new CrossThinkError('ERR_NATIVE', 'CUDA: the work was stopped: its environment is shutting down');
}
