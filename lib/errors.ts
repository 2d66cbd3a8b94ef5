/** Stable `code` of every error this package throws on purpose. */
export type ErrorCode =
  | 'ERR_INVALID_ARG_TYPE'
  | 'ERR_INVALID_ARG_VALUE'
  | 'ERR_OUT_OF_RANGE'
  | 'ERR_FILE_NOT_FOUND'
  | 'ERR_FILE_EXISTS'
  | 'ERR_PARSE'
  | 'ERR_SCHEMA'
  | 'ERR_UNKNOWN_NAME'
  | 'ERR_STATE_MISMATCH'
  | 'ERR_INCOMPLETE'
  | 'ERR_MISSING_PEER'
  | 'ERR_NATIVE'
  | 'ERR_CUDA_UNAVAILABLE';

/** Where a problem with data was seen. */
export interface ErrorLocation {
  readonly file?: string;
  /** 1-based line of `file`. */
  readonly line?: number;
  /** Name of the argument, field or option at fault, e.g. `'options.topP'`. */
  readonly field?: string;
}

/**
 * The error of this package. The message says what was expected, what came and what to do; `code` and the location
 * fields are for programs.
 */
export class CrossThinkError extends Error {
  readonly code: ErrorCode;
  readonly file?: string;
  readonly line?: number;
  readonly field?: string;

  constructor(code: ErrorCode, message: string, location: ErrorLocation & { cause?: unknown } = {}) {
    super(message, location.cause === undefined ? undefined : { cause: location.cause });
    this.name = 'CrossThinkError';
    this.code = code;
    if (location.file !== undefined) this.file = location.file;
    if (location.line !== undefined) this.line = location.line;
    if (location.field !== undefined) this.field = location.field;
  }
}

/** Renders a received value for an error message: short, and never throwing. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value);
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'function') return 'a function';
  if (ArrayBuffer.isView(value)) {
    const { constructor, length } = value as unknown as { constructor: { name: string }; length?: number };
    return `${constructor.name}(${length ?? value.byteLength})`;
  }
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return `an object (${Object.keys(value).slice(0, 4).join(', ')})`;
}

/** The error for an argument of the wrong type: ``invalidType('logits', 'a Float32Array', value)``. */
export function invalidType(field: string, expected: string, received: unknown): CrossThinkError {
  const message = `${field} must be ${expected}; received ${describe(received)}`;
  return new CrossThinkError('ERR_INVALID_ARG_TYPE', message, { field });
}

/** The error for an argument of the right type but a wrong value; `hint` says what to do. */
export function invalidValue(field: string, expected: string, received: unknown, hint = ''): CrossThinkError {
  const message = `${field} must be ${expected}; received ${describe(received)}${hint === '' ? '' : `. ${hint}`}`;
  return new CrossThinkError('ERR_INVALID_ARG_VALUE', message, { field });
}
