import { CrossThinkError } from '../../errors.js';
import { type SamplingKeys } from '../sampling.js';
import { type SamplingOptions } from '../samplingOptions.js';

/** Options that CUDA has; any other that is given is an error, never ignored. */
const OPTIONS: ReadonlySet<string> = new Set<keyof SamplingOptions>([
  ...(['temperature', 'topK', 'topP', 'outputs', 'threads', 'device', 'order', 'topPRule', 'method'] as const),
]);
/** Values of options that CUDA has in part. `'sglang'` and `'llamacpp'` order temperature, top-k and top-p otherwise. */
const VALUES = new Map<string, readonly unknown[]>([
  ['order', ['default', 'vllm', 'flashinfer']],
  ['topPRule', ['below']],
  ['method', ['inverseCdf']],
]);
const OUTPUTS: readonly string[] = ['token', 'logprob', 'rawLogprob'];

function refuse(field: string): never {
  throw new CrossThinkError('ERR_CUDA_UNAVAILABLE', `${field} does not run on CUDA yet; use device: 'cpu'`, { field });
}

/** @throws CrossThinkError `ERR_CUDA_UNAVAILABLE` naming the first option that CUDA does not have yet. */
export function requireCudaSampling(options: SamplingOptions, keys: SamplingKeys): void {
  for (const [name, value] of Object.entries(options) as [string, unknown][]) {
    if (value === undefined) continue;
    if (!OPTIONS.has(name) || VALUES.get(name)?.includes(value) === false) refuse(`options.${name}`);
  }
  const output = options.outputs?.find((wanted) => !OUTPUTS.includes(wanted));
  if (output !== undefined) refuse(`options.outputs '${output}'`);
  if ((keys.samples ?? 1) !== 1) refuse('samples');
  if (keys.history !== undefined) refuse('history');
  if (keys.bitmask !== undefined) refuse('bitmask');
}
