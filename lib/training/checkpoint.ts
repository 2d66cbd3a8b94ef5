import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { CrossThinkError } from '../errors.js';
import type { ReferencePolicy } from './policy.js';
import type { Stage } from './records.js';

/** Where a run stands: before step `step` of `stage`. */
export interface TrainingPosition {
  readonly stage: Stage | 'done';
  readonly step: number;
}

interface Header extends TrainingPosition {
  readonly version: 1;
  /** Hash of settings, tokens and questions: going on with others would be another run. */
  readonly fingerprint: string;
  readonly optimizerSteps: number;
  readonly length: number;
  /** Whether the reference policy of the KL term follows. */
  readonly hasReference: boolean;
}

const MAGIC = 'CTCKPT1\n';

/** Hash that ties a checkpoint to its run. */
export function fingerprintOf(...parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/**
 * Writes a checkpoint: a line of magic, a line of JSON, then parameters, both moments and the reference policy's
 * parameters (where there is one) as little-endian float32, then the SHA-256 of all that. The file is whole or absent.
 */
export function saveCheckpoint(
  path: string,
  position: TrainingPosition,
  fingerprint: string,
  policy: ReferencePolicy,
  reference?: Float32Array,
): void {
  const header: Header = {
    version: 1,
    ...position,
    fingerprint,
    optimizerSteps: policy.steps,
    length: policy.parameters.length,
    hasReference: reference !== undefined,
  };
  const arrays = [policy.parameters, ...policy.moments, ...(reference === undefined ? [] : [reference])];
  const body = Buffer.concat([Buffer.from(`${MAGIC}${JSON.stringify(header)}\n`), ...arrays.map(toBytes)]);
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    writeFileSync(temporary, Buffer.concat([body, createHash('sha256').update(body).digest()]), { flush: true });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Reads a checkpoint into a policy. Throws `ERR_PARSE` for a damaged file, `ERR_STATE_MISMATCH` for another run's. */
export function loadCheckpoint(
  path: string,
  fingerprint: string,
  policy: ReferencePolicy,
): { position: TrainingPosition; reference?: Float32Array } {
  const bytes = readFileSync(path);
  const body = bytes.subarray(0, -32);
  const intact =
    bytes.length > MAGIC.length + 32 &&
    bytes.subarray(0, MAGIC.length).toString('latin1') === MAGIC &&
    createHash('sha256').update(body).digest().equals(bytes.subarray(-32));
  if (!intact) {
    throw new CrossThinkError('ERR_PARSE', 'not a whole checkpoint of crossthink train. Delete it to start anew', {
      file: path,
    });
  }
  const end = body.indexOf('\n', MAGIC.length);
  const header = JSON.parse(body.subarray(MAGIC.length, end).toString('utf8')) as Header;
  if (header.fingerprint !== fingerprint || header.length !== policy.parameters.length) {
    const message =
      `the checkpoint belongs to a run with other settings or questions (expected fingerprint ` +
      `${fingerprint.slice(0, 12)}, the file has ${header.fingerprint.slice(0, 12)}). Use the same settings, or another --out`;
    throw new CrossThinkError('ERR_STATE_MISMATCH', message, { file: path, field: 'fingerprint' });
  }
  const array = (index: number): Float32Array => {
    const start = end + 1 + index * header.length * 4;
    return new Float32Array(Uint8Array.from(body.subarray(start, start + header.length * 4)).buffer);
  };
  policy.restore({ parameters: array(0), first: array(1), second: array(2), steps: header.optimizerSteps });
  const position = { stage: header.stage, step: header.step };
  return header.hasReference ? { position, reference: array(3) } : { position };
}

function toBytes(array: Float32Array): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}
