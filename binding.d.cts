/** Shape of the native addon. Private: `lib/native` and `lib/kernels` wrap every function. */
declare const binding: {
  info(): {
    isa: 'scalar' | 'avx2' | 'avx512' | 'neon';
    isas: string[];
    threads: number;
    numericSpec: number;
    driver: { found: boolean; version: number; reason: string };
  };
};
export = binding;
