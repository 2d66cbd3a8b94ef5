/** Float64 references, as plain as the formulas in docs/losses.md. */

export interface ReferenceAdvantages {
  advantages: number[];
  zeroVariance: number[];
}

export function referenceGroupAdvantages(
  rewards: ArrayLike<number>,
  offsets: ArrayLike<number>,
  estimator: 'grpo' | 'dr_grpo',
  epsilon: number,
): ReferenceAdvantages {
  const advantages: number[] = [];
  const zeroVariance: number[] = [];
  for (let g = 0; g + 1 < offsets.length; g++) {
    const group = Array.from({ length: offsets[g + 1]! - offsets[g]! }, (_, i) => rewards[offsets[g]! + i]!);
    const valid = group.filter((x) => !Number.isNaN(x));
    const flat = valid.length < 2 || valid.every((x) => x === valid[0]);
    const mean = valid.reduce((a, b) => a + b, 0) / valid.length;
    const std = Math.sqrt(valid.reduce((a, x) => a + (x - mean) ** 2, 0) / (valid.length - 1));
    const scale = estimator === 'grpo' ? 1 / (std + epsilon) : 1;
    advantages.push(...group.map((x) => (flat || Number.isNaN(x) ? 0 : (x - mean) * scale)));
    zeroVariance.push(flat ? 1 : 0);
  }
  return { advantages, zeroVariance };
}
