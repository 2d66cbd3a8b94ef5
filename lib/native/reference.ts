import binding = require('#binding');

/** The engine behind `lib/training/policy.ts`; private to it. */
export type NativePolicy = InstanceType<typeof binding.ReferencePolicy>;

export interface NativePolicyOptions {
  readonly vocab: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly context: number;
  /** 0: all of the pool. */
  readonly threads: number;
  /** Instruction set; by default the one in use. */
  readonly isa?: string;
}

export function createNativePolicy(options: NativePolicyOptions): NativePolicy {
  return new binding.ReferencePolicy(options);
}
