import binding = require('#binding');

import { cudaInfo } from './device.js';

/** A GPU. */
export interface CudaDevice {
  readonly name: string;
  /** e.g. '9.0'. */
  readonly computeCapability: string;
  readonly multiprocessors: number;
  readonly memoryBytes: number;
}

/** What this process runs on. */
export interface RuntimeInfo {
  /** Instruction set in use; `CROSSTHINK_ISA=scalar|neon|avx2|avx512|avx512bf16` overrides it. */
  readonly isa: 'scalar' | 'avx2' | 'avx512' | 'avx512bf16' | 'neon';
  /** Instruction sets this machine can run, slowest first. */
  readonly isas: readonly string[];
  /** Size of the worker pool; `CROSSTHINK_NUM_THREADS` sets it. */
  readonly threads: number;
  /** Number of the numeric specification (docs/numerics.md): equal numbers promise equal bits. */
  readonly numericSpec: number;
  /** GPU state; `reason` says why there is none, and what would be needed. */
  readonly cuda: {
    readonly available: boolean;
    readonly driverVersion?: string;
    readonly reason: string;
    readonly devices: readonly CudaDevice[];
  };
}

/** Says what this process runs on, and why not on more. Worth logging once, and in bug reports. */
export function runtimeInfo(): RuntimeInfo {
  const { isa, isas, threads, numericSpec, driver } = binding.info();
  const { available, reason, devices } = cudaInfo();
  const version = driver.found ? { driverVersion: cudaVersion(driver.version) } : {};
  return { isa, isas, threads, numericSpec, cuda: { available, reason, devices, ...version } };
}

function cudaVersion(version: number): string {
  return `${Math.floor(version / 1000)}.${Math.floor((version % 1000) / 10)}`;
}
