/** Shape of the native addon. Private: `lib/native` and `lib/kernels` wrap every function. */
declare const binding: {
  info(): {
    isa: 'scalar' | 'avx2' | 'avx512' | 'neon';
    isas: string[];
    threads: number;
    numericSpec: number;
    driver: { found: boolean; version: number; reason: string };
  };
  /** native/addon/advantage.cpp */
  groupAdvantages(
    rewards: Float32Array,
    count: number,
    groupSize: number,
    groupOffsets: Int32Array | undefined,
    groups: number,
    estimator: number,
    epsilon: number,
    threads: number,
    advantages: Float32Array,
    zeroVariance: Uint8Array,
  ): number;
  /** native/addon/policy_loss.cpp */
  policyLoss(
    tokens: number,
    sequences: number,
    threads: number,
    cuSeqlens: Int32Array,
    logprobs: Float32Array,
    oldLogprobs: Float32Array,
    refLogprobs: Float32Array | undefined,
    advantages: Float32Array,
    mask: Uint8Array | undefined,
    parameters: Float64Array,
    dLogprobs: Float32Array,
    results: Float64Array,
  ): number;
  /** For tests: later calls run this instruction set. */
  useLossKernels(isa: string): void;
};
export = binding;
