import {
  gaeAdvantages,
  groupAdvantages,
  optimalTokenBaseline,
  policyLoss,
  rolloutCorrection,
  secondMomentMask,
  selectByCovariance,
  selectByEntropy,
  whiten,
  type GroupEstimator,
  type LossSettings,
} from '../../lib/index.js';
import { randomBatch, randomOffsets } from './batches.js';
import { Random } from './random.js';

const estimators: GroupEstimator[] = [
  ...(['grpo', 'dr_grpo', 'rloo', 'maxrl', 'gpg', 'batch-std', 'opo', 'pass-k', 'leave-one-out'] as const),
];

/** Every policy term, and what each switch of the token loop does. */
const losses: LossSettings[] = [
  { clipHigh: 0.28, klCoef: 0.04 },
  { dualClip: 1.3, logRatioLimit: 0.3, klCoef: 0.1, klCorrection: 'ratio' },
  { ratioLevel: 'sequence', clipLow: 0.03, clipHigh: 0.04, aggregation: 'seq-mean-token-mean' },
  ...(['cispo', 'topr', 'reinforce', 'dppo-tv', 'dppo-kl', 'vespo', 'sapo', 'gmpo', 'kl-cov', 'squared'] as const).map(
    (loss) => ({ loss, klCoef: 0.05, klForm: 'k2' as const, entropyCoef: 0.01, offPolicyLimit: 0.05 }),
  ),
];

/** Cases of golden.test.ts for advantages and losses. */
export function lossCases(): Record<string, (threads: number) => unknown> {
  const cases: Record<string, (threads: number) => unknown> = {};
  const random = new Random(99);
  const groupOffsets = randomOffsets(random, 60, 0, 300);
  const rewards = Float32Array.from({ length: groupOffsets[60]! }, () =>
    random.uniform() < 0.02 ? NaN : random.normal(),
  );
  const lengths = rewards.map(() => 1 + random.integer(900));
  for (const estimator of estimators) {
    cases[`groupAdvantages ${estimator}`] = (threads) =>
      groupAdvantages(rewards, { groupOffsets, estimator, lengths, threads });
  }
  const batch = randomBatch(7, 24, 0, 1400);
  const { cuSeqlens, mask, logprobs, weights, entropies } = batch;
  const values = random.normals(logprobs.length);
  for (const settings of losses) {
    cases[`policyLoss ${JSON.stringify(settings)}`] = (threads) => policyLoss(batch, { ...settings, threads });
  }
  const plain = { ...batch, weights: undefined, entropies: undefined, selected: undefined };
  cases['policyLoss dapo'] = (threads) => policyLoss(plain, { preset: 'dapo', threads });
  cases['gaeAdvantages'] = (threads) =>
    gaeAdvantages({ rewards: values, values: entropies, mask, cuSeqlens }, { gamma: 0.99, lambda: 0.95, threads });
  cases['whiten'] = () => whiten(values, { mask, weights });
  cases['optimalTokenBaseline'] = (threads) => {
    const groups = Int32Array.of(0, 8, 16, 24);
    const inputs = { rewards: values, cuSeqlens, mask, groupOffsets: groups, logprobs, sumSquares: entropies, weights };
    return optimalTokenBaseline(inputs, { threads });
  };
  for (const preset of ['tis', 'icepop', 'mis', 'seq-mask-tis'] as const) {
    cases[`rolloutCorrection ${preset}`] = (threads) => rolloutCorrection(batch, { preset, normalize: true, threads });
  }
  const band = { method: 'clip-cov', ratio: 0.05, low: 0.1, high: 2, seed: 5 } as const;
  cases['selectByCovariance clip-cov'] = () => selectByCovariance(batch, band);
  cases['selectByCovariance kl-cov'] = () => selectByCovariance(batch, { method: 'kl-cov', ratio: 0.05 });
  cases['selectByEntropy'] = () => selectByEntropy(batch);
  cases['secondMomentMask'] = () => secondMomentMask(batch, { threshold: 0.02 });
  return cases;
}
