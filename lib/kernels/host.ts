import binding = require('#binding');

// The operations of the CPU. Their arguments go through memory that the addon knows (native/addon/frame.h): a number each, and
// only arrays are passed. New results of up to 64 bytes, which V8 keeps in its own heap, are written there and copied.

const NUMBERS = 160;
const CELLS = 16;
const CELL_BYTES = 64;

type Result = Float32Array | Int32Array | Uint8Array | Float64Array;

const numbers = new Float64Array(binding.frame, 0, NUMBERS);
const words = new BigUint64Array(binding.frame, 0, NUMBERS);
const cells = {
  float32: new Float32Array(binding.frame, 8 * NUMBERS),
  int32: new Int32Array(binding.frame, 8 * NUMBERS),
  uint8: new Uint8Array(binding.frame, 8 * NUMBERS),
  float64: new Float64Array(binding.frame, 8 * NUMBERS),
};

/** New small arrays that the next call may be given to write, and those that it was: in the order of their cells. */
const made: (Result | undefined)[] = new Array<undefined>(CELLS).fill(undefined);
const written: (Result | undefined)[] = new Array<undefined>(CELLS).fill(undefined);
const passed: unknown[] = new Array<undefined>(NUMBERS).fill(undefined);
let madeCount = 0;
let writtenCount = 0;
let passedCount = 0;

function small<A extends Result>(array: A): A {
  if (array.byteLength > CELL_BYTES) return array;
  if (madeCount === CELLS) madeCount = 0; // Of calls that failed, or ran elsewhere.
  made[madeCount++] = array;
  return array;
}

/** Whether `array` is among the new small arrays. */
function isMade(array: unknown): array is Result {
  for (let i = 0; i < madeCount; i++) if (made[i] === array) return true;
  return false;
}

// New arrays of zeros for what the next call is to write.
export const newFloat32 = (length: number): Float32Array => small(new Float32Array(length));
export const newInt32 = (length: number): Int32Array => small(new Int32Array(length));
export const newUint8 = (length: number): Uint8Array => small(new Uint8Array(length));
export const newFloat64 = (length: number): Float64Array => small(new Float64Array(length));

/** Writes arguments into the frame, and those that must be passed to `passed`. */
function encode(args: readonly unknown[]): void {
  if (args.length > NUMBERS) throw new RangeError('too many arguments');
  for (let i = 0; i < args.length; i++) {
    const value = args[i];
    if (typeof value === 'number') numbers[i] = value;
    else if (value === undefined) numbers[i] = -1;
    else if (typeof value === 'boolean') numbers[i] = value ? 1 : 0;
    else if (typeof value === 'bigint') words[i] = value;
    else if (isMade(value)) {
      numbers[i] = -2 - writtenCount;
      written[writtenCount++] = value;
    } else {
      numbers[i] = passedCount;
      passed[passedCount++] = value;
    }
  }
}

/** Copies small results out of their cells. */
function collect(): void {
  for (let cell = 0; cell < writtenCount; cell++) {
    const to = written[cell];
    const at = cell * CELL_BYTES;
    if (to instanceof Float32Array) copy(to, cells.float32, at / 4);
    else if (to instanceof Int32Array) copy(to, cells.int32, at / 4);
    else if (to instanceof Uint8Array) copy(to, cells.uint8, at);
    else if (to instanceof Float64Array) copy(to, cells.float64, at / 8);
  }
}

function copy(to: Result, from: Result, at: number): void {
  for (let i = 0; i < to.length; i++) to[i] = from[at + i] ?? NaN;
}

/** Forgets a call, so that it keeps nothing alive and leaves nothing in the cells. */
function clear(): void {
  for (let i = 0; i < (writtenCount * CELL_BYTES) / 8; i++) cells.float64[i] = 0;
  for (let i = 0; i < writtenCount; i++) written[i] = undefined;
  for (let i = 0; i < passedCount; i++) passed[i] = undefined;
  madeCount = writtenCount = passedCount = 0;
}

type Native<A extends readonly unknown[], R = unknown> = (...args: A) => R;

/** The same function with its arguments through the frame; `withCells`: it has written its results when it returns. */
function through<A extends readonly unknown[], R>(native: Native<A, R>, withCells: boolean): Native<A, R> {
  const call = native as unknown as (...arrays: unknown[]) => R;
  return (...args) => {
    if (!withCells) madeCount = 0;
    try {
      encode(args);
      const p = passed;
      // A spread makes a new array first; node-addon-api makes one for more than six arguments.
      const returned = passedCount <= 6 ? call(p[0], p[1], p[2], p[3], p[4], p[5]) : call(...p.slice(0, passedCount));
      collect();
      return returned;
    } finally {
      clear();
    }
  };
}

/** An operation that also runs later, on the worker pool: a promise of whether it came to its end before the flag was set. */
export interface Operation<A extends readonly unknown[], R = unknown> {
  (...args: A): R;
  /** Absent on a GPU, whose work is over in microseconds. */
  readonly later?: (cancel: Int32Array, ...args: A) => Promise<boolean>;
}

const now = <A extends readonly unknown[], R>(native: Native<A, R>): Native<A, R> => through(native, true);

function nowOrLater<A extends readonly unknown[], R>(
  native: Native<A, R>,
  later: (cancel: Int32Array | undefined, ...args: A) => Promise<boolean>,
) {
  return Object.assign(now(native), { later: through(later, false) });
}

/** The operations, with the signatures of binding.d.cts. */
export const host = {
  logprobForward: nowOrLater(binding.logprobForward, binding.logprobForwardAsync),
  logprobBackward: nowOrLater(binding.logprobBackward, binding.logprobBackwardAsync),
  sample: nowOrLater(binding.sample, binding.sampleAsync),
  linearForward: nowOrLater(binding.linearForward, binding.linearForwardAsync),
  linearBackward: nowOrLater(binding.linearBackward, binding.linearBackwardAsync),
  linearLogits: nowOrLater(binding.linearLogits, binding.linearLogitsAsync),
  grpoStep: nowOrLater(binding.grpoStep, binding.grpoStepAsync),
  logprobMerge: now(binding.logprobMerge),
  speculate: now(binding.speculate),
  groupAdvantages: now(binding.groupAdvantages),
  gae: now(binding.gae),
  whiten: now(binding.whiten),
  optimalTokenBaseline: now(binding.optimalTokenBaseline),
  policyLoss: now(binding.policyLoss),
  rolloutCorrection: now(binding.rolloutCorrection),
  selectByCovariance: now(binding.selectByCovariance),
  selectByEntropy: now(binding.selectByEntropy),
  secondMomentMask: now(binding.secondMomentMask),
};

/** Calls whose arrays are fixed, see bound.ts. */
export const bound = {
  logprobForward: through(binding.bindLogprobForward, false),
  logprobBackward: through(binding.bindLogprobBackward, false),
  sample: through(binding.bindSample, false),
};
