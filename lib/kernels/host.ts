import binding = require('#binding');

// The operations of the CPU. Their arguments go through memory that the addon knows (native/addon/frame.h): a number each, small
// arrays as copies. Only longer arrays are passed, which Node-API takes 56 ns each to look at.

const NUMBERS = 159;
const WORDS = 512;
/** Words of the largest array that V8 keeps in its own heap, where 16 ns make one; most new ones of these in a call. */
const RESULT_WORDS = 8;
const RESULTS = 16;
/** Longest array of inputs that is copied: about where that takes as long as passing it. */
const COPIED = 32;

type Short = Float32Array | Int32Array | Uint8Array | Float64Array;

const numbers = new Float64Array(binding.frame, 0, NUMBERS);
const seeds = new BigUint64Array(binding.frame, 0, NUMBERS);
const count = new Float64Array(binding.frame, 8 * NUMBERS, 1);

// Blocks of words: the number of elements, then the elements. A block is named by the word of its first element.
const BLOCKS = 8 * (NUMBERS + 1);
const float64 = new Float64Array(binding.frame, BLOCKS, WORDS);
const float32 = new Float32Array(binding.frame, BLOCKS, 2 * WORDS);
const int32 = new Int32Array(binding.frame, BLOCKS, 2 * WORDS);
const uint8 = new Uint8Array(binding.frame, BLOCKS, 8 * WORDS);
const uint64 = new BigUint64Array(binding.frame, BLOCKS, WORDS);

/** Arrays that lie in the frame for good, their blocks, and the first word behind them; the first word behind all blocks. */
const fixed: Float64Array[] = [];
const fixedBlocks: number[] = [];
let firstFree = 0;
let free = 0;

/** New small arrays that the next call may be given to write, and their blocks; which of them it was given; arrays to pass. */
const made: (Short | undefined)[] = new Array<undefined>(RESULTS).fill(undefined);
const madeBlocks = new Int32Array(RESULTS);
const written = new Int32Array(RESULTS);
const passed: unknown[] = new Array<undefined>(NUMBERS).fill(undefined);
let madeCount = 0;
let writtenCount = 0;
let passedCount = 0;

const subnormal = Float64Array.of(Number.MIN_VALUE);

/** Whether the process flushes subnormal numbers (docs/numerics.md, section 1): JavaScript cannot copy float32 then. */
function flushes(): boolean {
  const x = subnormal[0] ?? 0;
  return x + x === 0;
}

/** A block of `length` elements; 0 where there is no room. */
function newBlock(length: number, perWord: number): number {
  const at = free + 1;
  const end = at + Math.ceil(length / perWord);
  if (end > WORDS) return 0;
  float64[free] = length;
  free = end;
  return at;
}

/** An array in the frame, which an operation reads or writes there: for a module to keep. */
export function frameFloat64(length: number): Float64Array {
  const at = newBlock(length, 1);
  if (at === 0) throw new RangeError('no room in the frame');
  const array = float64.subarray(at, at + length);
  fixed.push(array);
  fixedBlocks.push(at);
  firstFree = free;
  return array;
}

function small<A extends Short>(array: A, perWord: number): A {
  if (array.length > RESULT_WORDS * perWord || flushes()) return array;
  if (madeCount === RESULTS) clear(); // Of calls that failed, or ran elsewhere.
  const at = newBlock(array.length, perWord);
  if (at === 0) return array;
  for (let i = at; i < free; i++) float64[i] = 0;
  made[madeCount] = array;
  madeBlocks[madeCount++] = at;
  return array;
}

// New arrays of zeros for what the next call is to write.
export const newFloat32 = (length: number): Float32Array => small(new Float32Array(length), 2);
export const newInt32 = (length: number): Int32Array => small(new Int32Array(length), 2);
export const newUint8 = (length: number): Uint8Array => small(new Uint8Array(length), 8);
export const newFloat64 = (length: number): Float64Array => small(new Float64Array(length), 1);

// Functions of four types of arrays, not five: V8 would search for every element then, at 10 ns.

/** Copies a short array to a block; 0 where it has to be passed. */
function copyIn(value: unknown): number {
  if (value instanceof Float32Array) return toBlock(float32, 2, value);
  if (value instanceof Int32Array) return toBlock(int32, 2, value);
  if (value instanceof Float64Array) return toBlock(float64, 1, value);
  if (value instanceof Uint8Array) return toBlock(uint8, 8, value);
  return value instanceof BigUint64Array ? idsToBlock(value) : 0;
}

function toBlock(view: Short, perWord: number, array: Short): number {
  const { length } = array;
  const at = length <= COPIED ? newBlock(length, perWord) : 0;
  if (at !== 0) for (let i = 0; i < length; i++) view[perWord * at + i] = array[i] ?? NaN;
  return at;
}

function idsToBlock(ids: BigUint64Array): number {
  const at = ids.length <= COPIED ? newBlock(ids.length, 1) : 0;
  if (at !== 0) for (let i = 0; i < ids.length; i++) uint64[at + i] = ids[i] ?? 0n;
  return at;
}

/** The block of a new small array, which the call is then to write; 0 for other arrays. */
function blockOfResult(array: unknown): number {
  for (let k = 0; k < madeCount; k++) {
    if (made[k] !== array) continue;
    written[writtenCount++] = k;
    return madeBlocks[k] ?? 0;
  }
  return 0;
}

function blockOfFixed(array: unknown): number {
  for (let k = 0; k < fixed.length; k++) if (fixed[k] === array) return fixedBlocks[k] ?? 0;
  return 0;
}

/** Copies small results out of their blocks. */
function collect(): void {
  for (let w = 0; w < writtenCount; w++) {
    const k = written[w] ?? 0;
    const array = made[k];
    const at = madeBlocks[k] ?? 0;
    if (array instanceof Float32Array) fromBlock(array, float32, 2 * at);
    else if (array instanceof Int32Array) fromBlock(array, int32, 2 * at);
    else if (array instanceof Uint8Array) fromBlock(array, uint8, 8 * at);
    else if (array instanceof Float64Array) fromBlock(array, float64, at);
  }
}

function fromBlock(array: Short, view: Short, start: number): void {
  for (let i = 0; i < array.length; i++) array[i] = view[start + i] ?? NaN;
}

/** Writes arguments into the frame, those that must be passed to `passed`; of the first `reads` the native side writes none. */
function encode(args: readonly unknown[], reads: number): void {
  if (args.length > NUMBERS) throw new RangeError('too many arguments');
  const to = numbers;
  const { length } = args;
  count[0] = length;
  for (let i = 0; i < length; i++) {
    const value = args[i];
    if (value === undefined) to[i] = -1;
    else if (typeof value === 'number') to[i] = value;
    else if (typeof value === 'boolean') to[i] = value ? 1 : 0;
    else if (typeof value === 'bigint') seeds[i] = value;
    else {
      const at = blockOfFixed(value) || (i < reads ? copyIn(value) : blockOfResult(value));
      if (at !== 0) numbers[i] = -1 - at;
      else {
        numbers[i] = passedCount;
        passed[passedCount++] = value;
      }
    }
  }
}

/** Forgets a call, so that it keeps nothing alive. */
function clear(): void {
  for (let i = 0; i < madeCount; i++) made[i] = undefined;
  for (let i = 0; i < passedCount; i++) passed[i] = undefined;
  madeCount = writtenCount = passedCount = count[0] = 0;
  free = firstFree;
}

type Native<A extends readonly unknown[], R = unknown> = (...args: A) => R;

/**
 * The same function with its arguments through the frame. It writes none of the first `reads` arguments; undefined: it goes on
 * with all arrays after it has returned, so none can be copied.
 */
function through<A extends readonly unknown[], R>(native: Native<A, R>, reads: number | undefined) {
  const call = native as unknown as (...arrays: unknown[]) => R;
  const direct = (args: A): R => {
    if (reads === undefined) madeCount = 0;
    try {
      encode(args, reads === undefined || flushes() ? 0 : reads);
      const p = passed;
      // A spread makes a new array first; node-addon-api makes one for more than six arguments.
      const returned = passedCount <= 6 ? call(p[0], p[1], p[2], p[3], p[4], p[5]) : call(...p.slice(0, passedCount));
      collect();
      return returned;
    } finally {
      clear();
    }
  };
  return Object.assign((...args: A) => direct(args), { direct });
}

/** An operation that also runs on arguments in an array, and later, on the worker pool: a promise of whether it came to its end before the flag was set. */
export interface Operation<A extends readonly unknown[], R = unknown> {
  (...args: A): R;
  /** The same without a spread, which costs 50 ns for dozens of arguments. */
  readonly direct?: (args: A) => R;
  /** Absent on a GPU, whose work is over in microseconds. */
  readonly later?: (cancel: Int32Array, ...args: A) => Promise<boolean>;
}

/** Runs an operation now. */
export function run<A extends readonly unknown[], R>(operation: Operation<A, R>, args: A): R {
  return operation.direct ? operation.direct(args) : operation(...args);
}

function nowOrLater<A extends readonly unknown[], R>(
  native: Native<A, R>,
  later: (cancel: Int32Array | undefined, ...args: A) => Promise<boolean>,
  reads: number,
) {
  return Object.assign(through(native, reads), { later: through(later, undefined) });
}

/** The operations, with the signatures of binding.d.cts, and how many of their arguments come before the first that they write. */
export const host = {
  logprobForward: nowOrLater(binding.logprobForward, binding.logprobForwardAsync, 14),
  logprobBackward: nowOrLater(binding.logprobBackward, binding.logprobBackwardAsync, 17),
  sample: nowOrLater(binding.sample, binding.sampleAsync, 41),
  linearForward: nowOrLater(binding.linearForward, binding.linearForwardAsync, 16),
  linearBackward: nowOrLater(binding.linearBackward, binding.linearBackwardAsync, 19),
  linearLogits: nowOrLater(binding.linearLogits, binding.linearLogitsAsync, 9),
  grpoStep: nowOrLater(binding.grpoStep, binding.grpoStepAsync, 27),
  logprobMerge: through(binding.logprobMerge, 3),
  speculate: through(binding.speculate, 40),
  groupAdvantages: through(binding.groupAdvantages, 8),
  gae: through(binding.gae, 10),
  whiten: through(binding.whiten, 8),
  optimalTokenBaseline: through(binding.optimalTokenBaseline, 11),
  policyLoss: through(binding.policyLoss, 17),
  rolloutCorrection: through(binding.rolloutCorrection, 9),
  selectByCovariance: through(binding.selectByCovariance, 10),
  selectByEntropy: through(binding.selectByEntropy, 4),
  secondMomentMask: through(binding.secondMomentMask, 5),
};

/** Calls whose arrays are fixed, see bound.ts. */
export const bound = {
  logprobForward: through(binding.bindLogprobForward, undefined),
  logprobBackward: through(binding.bindLogprobBackward, undefined),
  sample: through(binding.bindSample, undefined),
};
