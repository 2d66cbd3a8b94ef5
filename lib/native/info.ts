import binding = require('#binding');

/** What this process runs on. */
export interface RuntimeInfo {
  /** Instruction set in use; `CROSSTHINK_ISA=scalar|avx2|avx512` overrides it. */
  readonly isa: 'scalar' | 'avx2' | 'avx512' | 'avx512bf16' | 'neon';
  /** Instruction sets this machine can run, slowest first. */
  readonly isas: readonly string[];
  /** Size of the worker pool; `CROSSTHINK_NUM_THREADS` sets it. */
  readonly threads: number;
  /** Number of the numeric specification (docs/numerics.md): equal numbers promise equal bits. */
  readonly numericSpec: number;
  /** GPU state; `reason` says why there is none. */
  readonly cuda: { readonly available: boolean; readonly driverVersion?: string; readonly reason: string };
}

/** Says what this process runs on, and why not on more. Worth logging once, and in bug reports. */
export function runtimeInfo(): RuntimeInfo {
  const { isa, isas, threads, numericSpec, driver } = binding.info();
  const notBuilt = 'this version of crossthink has no CUDA kernels yet';
  const cuda = driver.found
    ? { available: false, driverVersion: cudaVersion(driver.version), reason: notBuilt }
    : { available: false, reason: `${driver.reason}; ${notBuilt}` };
  return { isa, isas, threads, numericSpec, cuda };
}

function cudaVersion(version: number): string {
  return `${Math.floor(version / 1000)}.${Math.floor((version % 1000) / 10)}`;
}
