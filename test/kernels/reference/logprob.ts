/** Float64 references: the textbook formulas, two passes, nothing shared with the kernels. */
export interface ReferenceRow {
  readonly logprobs: Float64Array;
  readonly probabilities: Float64Array;
  readonly logsumexp: number;
  readonly entropy: number;
}

export function softmaxRow(x: ArrayLike<number>, temperature = 1): ReferenceRow {
  const z = Float64Array.from(x, (v) => v / temperature);
  const max = z.reduce((a, b) => Math.max(a, b), -Infinity);
  const sum = z.reduce((a, v) => a + Math.exp(v - max), 0);
  const logsumexp = max + Math.log(sum);
  const logprobs = z.map((v) => v - logsumexp);
  const probabilities = logprobs.map((lp) => Math.exp(lp));
  const entropy = logprobs.reduce((a, lp, i) => a - (probabilities[i]! > 0 ? probabilities[i]! * lp : 0), 0);
  return { logprobs, probabilities, logsumexp, entropy };
}

/** dL/dlogits of one row for dL/dlogprob[token] = dLogprob and dL/dentropy = dEntropy. */
export function softmaxGradient(
  x: ArrayLike<number>,
  token: number,
  dLogprob: number,
  dEntropy: number,
  temperature = 1,
): Float64Array {
  const { logprobs, probabilities, entropy } = softmaxRow(x, temperature);
  return logprobs.map((lp, j) => {
    const p = probabilities[j]!;
    const fromLogprob = dLogprob * ((j === token ? 1 : 0) - p);
    const fromEntropy = p > 0 ? -dEntropy * p * (lp + entropy) : 0;
    return (fromLogprob + fromEntropy) / temperature;
  });
}
