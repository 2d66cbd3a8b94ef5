/** Shape of the native addon. Private: `lib/native` and `lib/kernels` wrap every function. */
declare const binding: {
  info(): {
    isa: 'scalar' | 'avx2' | 'avx512' | 'neon';
    isas: string[];
    threads: number;
    numericSpec: number;
    driver: { found: boolean; version: number; reason: string };
  };
  /** The reference policy's engine (native/addon/reference.cpp). */
  ReferencePolicy: new (options: {
    vocab: number;
    width: number;
    layers: number;
    heads: number;
    context: number;
    threads: number;
    isa?: string;
  }) => {
    readonly parameterCount: number;
    bind(parameters: Float32Array, gradient: Float32Array, first: Float32Array, second: Float32Array): void;
    initialize(seed: number): void;
    forward(tokens: Int32Array, cu: Int32Array, rows: Int32Array, logits: Float32Array): void;
    backward(dLogits: Float32Array): void;
    step(rate: number, b1: number, b2: number, epsilon: number, decay: number, clip: number, step: number): number;
    resetCache(slots: number): void;
    forkSlot(from: number, to: Int32Array, length: number): void;
    decode(
      tokens: Int32Array,
      slots: Int32Array,
      positions: Int32Array,
      outputs: Int32Array,
      count: number,
      logits: Float32Array,
    ): void;
  };
};
export = binding;
