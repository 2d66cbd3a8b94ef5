import { CrossThinkError } from '../../errors.js';
import { type SamplingOptions } from '../samplingOptions.js';

/** The kernel orders the largest tokens by comparing each with each, which is for tens of them, not for a vocabulary. */
export const cudaTopLogprobs = 4096;

/** @throws CrossThinkError `ERR_CUDA_UNAVAILABLE` naming the option that CUDA does not have. */
export function requireCudaSampling(options: SamplingOptions): void {
  if ((options.topLogprobs ?? 0) <= cudaTopLogprobs) return;
  const message = `options.topLogprobs above ${cudaTopLogprobs} does not run on CUDA; use device: 'cpu'`;
  throw new CrossThinkError('ERR_CUDA_UNAVAILABLE', message, { field: 'options.topLogprobs' });
}
