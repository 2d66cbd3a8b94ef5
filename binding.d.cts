/** Shape of the native addon. Private: `lib/native` and `lib/kernels` wrap every function. */
/** In the order of ReadInput in native/addon/logprob.cpp. */
type LogprobArguments = [
  logits: ArrayBufferView,
  type: number,
  rows: number,
  vocab: number,
  stride: number,
  tokens: Int32Array,
  temperature: number,
  temperatures: Float32Array | undefined,
  softcap: number,
  /** NaN: none. */
  ignoreIndex: number,
  vocabOffset: number,
  kept: Int32Array | undefined,
  keptOffsets: Int32Array | undefined,
  threads: number,
];

type LogprobForwardArguments = [
  ...LogprobArguments,
  status: Uint8Array,
  logprob: Float32Array,
  logsumexp: Float32Array,
  state: Float64Array,
  entropy: Float32Array | undefined,
  sumSquares: Float32Array | undefined,
  topK: number,
  topTokens: Int32Array | undefined,
  topLogprobs: Float32Array | undefined,
  listed: number,
  listedTokens: Int32Array | undefined,
  listedLogprobs: Float32Array | undefined,
];

type LogprobBackwardArguments = [
  ...LogprobArguments,
  state: Float64Array,
  dLogprob: Float32Array,
  dEntropy: Float32Array | undefined,
  dType: number,
  dStride: number,
  dLogits: ArrayBufferView,
  stream: boolean,
];

/** In the order of ReadStep in native/addon/grpo_step.cpp. */
type GrpoStepArguments = [
  ...LogprobArguments,
  sequences: number,
  tokenAdvantages: boolean,
  prompts: number,
  parameters: Float64Array,
  cuSeqlens: Int32Array,
  oldLogprobs: Float32Array,
  advantages: Float32Array,
  rolloutLogprobs: Float32Array | undefined,
  refLogprobs: Float32Array | undefined,
  weights: Float32Array | undefined,
  mask: Uint8Array | undefined,
  selected: Uint8Array | undefined,
  promptOffsets: Int32Array | undefined,
  status: Uint8Array,
  logprobs: Float32Array,
  entropies: Float32Array | undefined,
  dType: number,
  dStride: number,
  dLogits: ArrayBufferView,
  stream: boolean,
  results: Float64Array,
];

/** In the order of ReadSampling in native/addon/sampling.cpp; lists are followed by their offsets. */
type SampledRows = [
  logits: ArrayBufferView,
  type: number,
  rows: number,
  vocab: number,
  stride: number,
  settings: Float64Array,
  temperature: Float32Array | undefined,
  topK: Int32Array | undefined,
  topP: Float32Array | undefined,
  minP: Float32Array | undefined,
  typicalP: Float32Array | undefined,
  topNSigma: Float32Array | undefined,
  xtcProbability: Float32Array | undefined,
  steps: Uint8Array,
  bitmask: Int32Array | undefined,
  maskPerRow: boolean,
  banned: Int32Array | undefined,
  bannedOffsets: Int32Array | undefined,
  stop: Int32Array | undefined,
  stopOffsets: Int32Array | undefined,
  minTokens: Int32Array | undefined,
  biasTokens: Int32Array | undefined,
  biasOffsets: undefined,
  bias: Float32Array | undefined,
  prompt: Int32Array | undefined,
  promptOffsets: Int32Array | undefined,
  output: Int32Array | undefined,
  outputOffsets: Int32Array | undefined,
  repetition: Float32Array | undefined,
  presence: Float32Array | undefined,
  frequency: Float32Array | undefined,
  noRepeatNgram: Int32Array | undefined,
  dry: Float64Array,
  dryBreakers: Int32Array | undefined,
  dryBreakerOffsets: Int32Array | undefined,
  seed: bigint,
  sequences: BigUint64Array,
  positions: Int32Array,
  sample: number,
  samples: number,
  status: Uint8Array,
  tokens: Int32Array,
  logprobs: Float32Array | undefined,
  rawLogprobs: Float32Array | undefined,
  ranks: Int32Array | undefined,
  entropy: Float32Array | undefined,
  supportMass: Float32Array | undefined,
  topN: number,
  topTokens: Int32Array | undefined,
  topLogprobs: Float32Array | undefined,
  chosen: Int32Array | undefined,
  chosenOffsets: Int32Array | undefined,
  chosenLogprobs: Float32Array | undefined,
  kept: object | undefined,
];
type SampleArguments = [threads: number, ...SampledRows];
type SpeculationArguments = [
  drafts: number,
  draftTokens: Int32Array,
  draftProbabilities: Float32Array | undefined,
  accepted: Int32Array,
  status: Uint8Array,
  threads: number,
  hasDraftRows: boolean,
];

/** The operands of every operation of native/addon/linear.cpp. */
type LinearProductArguments = [
  type: number,
  rows: number,
  vocab: number,
  depth: number,
  hiddenStride: number,
  hidden: ArrayBufferView,
  weightStride: number,
  weight: ArrayBufferView,
  bias: Float32Array | undefined,
];

type LinearForwardArguments = [
  ...LinearProductArguments,
  tokens: Int32Array,
  temperature: number,
  temperatures: Float32Array | undefined,
  softcap: number,
  ignoreIndex: number,
  vocabOffset: number,
  workspace: number,
  status: Uint8Array,
  logprob: Float32Array,
  logsumexp: Float32Array,
  state: Float64Array,
  entropy: Float32Array | undefined,
  sumSquares: Float32Array | undefined,
  threads: number,
];

type LinearBackwardArguments = [
  ...LinearProductArguments,
  tokens: Int32Array,
  temperature: number,
  temperatures: Float32Array | undefined,
  softcap: number,
  ignoreIndex: number,
  vocabOffset: number,
  workspace: number,
  state: Float64Array,
  dLogprob: Float32Array,
  dEntropy: Float32Array | undefined,
  dHidden: Float32Array | undefined,
  dWeight: Float32Array | undefined,
  dBias: Float32Array | undefined,
  accumulate: boolean,
  threads: number,
];

type LinearLogitsArguments = [...LinearProductArguments, logits: Float32Array, threads: number];

/** Pointers and numbers in the order of native/addon/cuda_operations.cpp. */
type CudaOperationArguments = [device: number, stream: bigint, pointers: BigUint64Array, numbers: Float64Array];

declare const binding: {
  /** Where lib/kernels/host.ts puts the arguments of its calls: native/addon/frame.h. */
  readonly frame: ArrayBuffer;
  info(): {
    isa: 'scalar' | 'avx2' | 'avx512' | 'avx512bf16' | 'neon';
    isas: string[];
    threads: number;
    numericSpec: number;
    driver: { found: boolean; version: number; reason: string };
  };
  cudaInfo(): {
    available: boolean;
    reason: string;
    interpreted: boolean;
    runtimeVersion: number;
    devices: { name: string; computeCapability: string; multiprocessors: number; memoryBytes: number }[];
  };
  cudaAllocate(device: number, bytes: number): bigint;
  cudaRelease(device: number, address: bigint): void;
  cudaCopyToDevice(device: number, address: bigint, array: ArrayBufferView, stream: bigint): void;
  cudaCopyToHost(device: number, address: bigint, array: ArrayBufferView, stream: bigint): void;
  cudaCopyToDeviceAsync(device: number, address: bigint, array: ArrayBufferView, stream: bigint): Promise<boolean>;
  cudaCopyToHostAsync(device: number, address: bigint, array: ArrayBufferView, stream: bigint): Promise<boolean>;
  cudaCopyOnDevice(device: number, to: bigint, from: bigint, bytes: number, stream: bigint): void;
  cudaFill(device: number, address: bigint, byte: number, bytes: number, stream: bigint): void;
  cudaPointerDevice(address: bigint): number;
  cudaIpcExport(device: number, address: bigint, handle: Uint8Array): void;
  cudaIpcOpen(device: number, handle: Uint8Array): bigint;
  cudaIpcClose(device: number, address: bigint): void;
  cudaStreamCreate(device: number): bigint;
  cudaStreamDestroy(device: number, stream: bigint): void;
  cudaStreamSynchronize(device: number, stream: bigint): void;
  cudaStreamSynchronizeAsync(device: number, stream: bigint): Promise<boolean>;
  cudaReleaseWorkspaces(): void;
  cudaLogprobForward(...args: CudaOperationArguments): void;
  cudaLogprobBackward(...args: CudaOperationArguments): void;
  cudaLogprobMerge(...args: CudaOperationArguments): void;
  cudaSample(...args: CudaOperationArguments): void;
  cudaSpeculate(...args: CudaOperationArguments): void;
  /** native/addon/cuda_losses.cpp */
  cudaGroupAdvantages(...args: CudaOperationArguments): void;
  cudaGreedyBaseline(...args: CudaOperationArguments): void;
  cudaWeightedSum(...args: CudaOperationArguments): void;
  cudaGroupSignal(...args: CudaOperationArguments): void;
  cudaSequenceMask(...args: CudaOperationArguments): void;
  cudaRewardsAtEnd(...args: CudaOperationArguments): void;
  cudaOverlongPenalty(...args: CudaOperationArguments): void;
  cudaGae(...args: CudaOperationArguments): void;
  cudaWhiten(...args: CudaOperationArguments): void;
  cudaOptimalTokenBaseline(...args: CudaOperationArguments): void;
  cudaPolicyLoss(...args: CudaOperationArguments): void;
  /** Why there is no cuBLAS; empty where there is. */
  cudaBlasReason(): string;
  cudaLinearLogits(...args: CudaOperationArguments): void;
  cudaLinearForward(...args: CudaOperationArguments): void;
  cudaLinearBackward(...args: CudaOperationArguments): void;
  cudaGrpoStep(...args: CudaOperationArguments): void;
  cudaRolloutCorrection(...args: CudaOperationArguments): void;
  cudaSelectByCovariance(...args: CudaOperationArguments): void;
  cudaSelectByEntropy(...args: CudaOperationArguments): void;
  cudaSecondMomentMask(...args: CudaOperationArguments): void;
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
  /** Tests only: every later call of this process runs the kernels of `isa`. */
  useKernels(isa: string): void;
  /** Tests only: calls `body` with subnormals flushed to zero and rounding up; whether that was still so after it. */
  withHostileFloats(body: () => void): boolean;
  readonly logprobForward: (...args: LogprobForwardArguments) => void;
  readonly logprobBackward: (...args: LogprobBackwardArguments) => void;
  /** Asynchronous calls resolve to false where the flag at element 0 of their first argument stopped them. */
  readonly logprobForwardAsync: (
    ...args: [cancel: Int32Array | undefined, ...LogprobForwardArguments]
  ) => Promise<boolean>;
  readonly logprobBackwardAsync: (
    ...args: [cancel: Int32Array | undefined, ...LogprobBackwardArguments]
  ) => Promise<boolean>;
  /** Calls whose arrays are fixed: the function runs the operation on them. See lib/kernels/bound.ts. */
  readonly bindLogprobForward: (...args: LogprobForwardArguments) => () => void;
  readonly bindLogprobBackward: (...args: LogprobBackwardArguments) => () => void;
  readonly bindSample: (...args: SampleArguments) => () => void;
  readonly logprobMerge: (
    states: Float64Array,
    shards: number,
    rows: number,
    status: Uint8Array,
    logprob: Float32Array,
    logsumexp: Float32Array,
    state: Float64Array,
    entropy: Float32Array,
    sumSquares: Float32Array,
  ) => void;
  readonly linearForward: (...args: LinearForwardArguments) => void;
  readonly linearBackward: (...args: LinearBackwardArguments) => void;
  readonly linearLogits: (...args: LinearLogitsArguments) => void;
  /** Benches only: multiply-adds done in `rounds` rounds of independent chains. */
  linearPeak(type: number, rounds: number): number;
  readonly linearForwardAsync: (
    ...args: [cancel: Int32Array | undefined, ...LinearForwardArguments]
  ) => Promise<boolean>;
  readonly linearBackwardAsync: (
    ...args: [cancel: Int32Array | undefined, ...LinearBackwardArguments]
  ) => Promise<boolean>;
  readonly linearLogitsAsync: (...args: [cancel: Int32Array | undefined, ...LinearLogitsArguments]) => Promise<boolean>;
  readonly grpoStep: (...args: GrpoStepArguments) => void;
  readonly grpoStepAsync: (...args: [cancel: Int32Array | undefined, ...GrpoStepArguments]) => Promise<boolean>;
  readonly sample: (...args: SampleArguments) => void;
  /** Target rows, then the chain, then the rows of the drafts where `SpeculationArguments` says so. */
  readonly speculate: (...args: [...target: SampledRows, ...SpeculationArguments, ...draft: SampledRows | []]) => void;
  /** Holds the kept sets of a call until their size is known. */
  newKeptSets(): object;
  keptOffsets(kept: object, offsets: Int32Array): number;
  keptTokens(kept: object, tokens: Int32Array): void;
  setKeptTokens(kept: object, rows: number, tokens: Int32Array, sizes: Int32Array, vocab: number): void;
  readonly sampleAsync: (...args: [cancel: Int32Array | undefined, ...SampleArguments]) => Promise<boolean>;
  /** native/addon/advantage.cpp */
  readonly groupAdvantages: (
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
    lengths: Float32Array | undefined,
    rawSingletons: boolean,
  ) => number;
  /** native/addon/token_advantages.cpp */
  readonly gae: (
    tokens: number,
    sequences: number,
    cuSeqlens: Int32Array,
    rewards: Float32Array,
    values: Float32Array | undefined,
    mask: Uint8Array | undefined,
    gamma: number,
    lambda: number,
    lambdas: Float32Array | undefined,
    threads: number,
    advantages: Float32Array,
    returns: Float32Array | undefined,
  ) => number;
  readonly whiten: (
    count: number,
    values: Float32Array,
    weights: Float32Array | undefined,
    mask: Uint8Array | undefined,
    bessel: boolean,
    keepMean: boolean,
    epsilonAt: number,
    epsilon: number,
    out: Float32Array,
  ) => void;
  readonly optimalTokenBaseline: (
    tokens: number,
    sequences: number,
    groups: number,
    groupOffsets: Int32Array,
    cuSeqlens: Int32Array,
    rewards: Float32Array,
    logprobs: Float32Array,
    sumSquares: Float32Array,
    weights: Float32Array | undefined,
    mask: Uint8Array | undefined,
    threads: number,
    advantages: Float32Array,
  ) => number;
  /** native/addon/rollout_correction.cpp */
  readonly rolloutCorrection: (
    tokens: number,
    sequences: number,
    cuSeqlens: Int32Array,
    logprobs: Float32Array,
    rolloutLogprobs: Float32Array,
    mask: Uint8Array | undefined,
    parameters: Float64Array,
    rules: Float64Array,
    threads: number,
    weights: Float32Array,
    maskOut: Uint8Array,
    results: Float64Array,
  ) => number;
  readonly selectByCovariance: (
    tokens: number,
    sequences: number,
    cuSeqlens: Int32Array,
    logprobs: Float32Array,
    oldLogprobs: Float32Array,
    advantages: Float32Array,
    tokenAdvantages: boolean,
    mask: Uint8Array | undefined,
    parameters: Float64Array,
    seed: bigint,
    selected: Uint8Array,
  ) => number;
  readonly selectByEntropy: (
    tokens: number,
    entropies: Float32Array,
    mask: Uint8Array | undefined,
    ratio: number,
    selected: Uint8Array,
  ) => void;
  readonly secondMomentMask: (
    tokens: number,
    logprobs: Float32Array,
    rolloutLogprobs: Float32Array,
    mask: Uint8Array | undefined,
    threshold: number,
    maskOut: Uint8Array,
  ) => void;
  /** native/addon/policy_loss.cpp */
  readonly policyLoss: (
    tokens: number,
    sequences: number,
    tokenAdvantages: boolean,
    prompts: number,
    threads: number,
    parameters: Float64Array,
    cuSeqlens: Int32Array,
    logprobs: Float32Array,
    oldLogprobs: Float32Array,
    advantages: Float32Array,
    rolloutLogprobs: Float32Array | undefined,
    refLogprobs: Float32Array | undefined,
    entropies: Float32Array | undefined,
    weights: Float32Array | undefined,
    mask: Uint8Array | undefined,
    selected: Uint8Array | undefined,
    promptOffsets: Int32Array | undefined,
    dLogprobs: Float32Array,
    dEntropies: Float32Array | undefined,
    results: Float64Array,
  ) => number;
  /** native/addon/text.cpp: counts the lines of a block of JSON Lines, and those of them that are not blank. */
  countLines(block: Uint8Array, counts: Uint32Array): void;
  /** native/addon/text.cpp: a batch of questions as lines, ids and duplicate keys; lib/curation/questionBatch.ts. */
  encodeQuestions(
    arena: Uint8Array,
    ends: Uint32Array,
    texts: number,
    heads: Int32Array,
    rows: number,
    profiles: readonly string[],
    out: Uint8Array,
    lineEnds: Uint32Array,
    ids: Uint8Array,
    keys: Uint8Array | undefined,
    signatures: Uint8Array | undefined,
    signatureBytes: number,
    shingle: number,
    needed: Float64Array,
  ): Promise<boolean>;
  DuplicateIndex: new (
    bands: number,
    rows: number,
    threshold: number,
  ) => {
    add(
      count: number,
      keys: Uint8Array,
      ids: Uint8Array,
      signatures: Uint8Array | undefined,
      matches: Uint8Array,
      firstIds: Uint8Array,
      similarities: Float64Array,
    ): void;
  };
  /** native/text/plain_rows.h; lib/curation/plainRows.ts. */
  PlainRows: new (
    question: readonly string[],
    answer: readonly string[],
    mark: string,
    subject: string,
    maxWords: number,
    ascii: boolean,
  ) => {
    learn(subject: string, integer: boolean, profile: number): void;
    /** `state`: at, row and lines of the block; used, texts, rows and largest of the batch. */
    read(
      block: Uint8Array,
      arena: Uint8Array,
      ends: Uint32Array,
      heads: Int32Array,
      state: Uint32Array,
      lastRow: number,
    ): void;
  };
  QuestionParquet: new (
    createdBy: string,
    /** Descriptor of an open file, which stays open until nothing is under way. */
    file: number,
  ) => {
    /** Whole lines in; whether all are questions. Nothing else may be called before it is settled. */
    append(lines: Uint8Array): Promise<boolean>;
    /** What was expected of a line. */
    fault(): string;
    /** Writes what is left. */
    finish(): Promise<boolean>;
  };
};
export = binding;
