import binding = require('#binding');

import * as api from '../../lib/index.js';

/** Operations of the addon on the CPU, and those of the CUDA module that do the same. */
const operations: Record<string, readonly (keyof typeof binding)[]> = {
  logprobForward: ['cudaLogprobForward'],
  logprobBackward: ['cudaLogprobBackward'],
  logprobMerge: ['cudaLogprobMerge'],
  linearForward: ['cudaLinearForward'],
  linearBackward: ['cudaLinearBackward'],
  linearLogits: ['cudaLinearLogits'],
  grpoStep: ['cudaGrpoStep'],
  sample: ['cudaSample'],
  speculate: ['cudaSpeculate'],
  groupAdvantages: ['cudaGroupAdvantages'],
  gae: ['cudaGae'],
  whiten: ['cudaWhiten'],
  optimalTokenBaseline: ['cudaOptimalTokenBaseline'],
  policyLoss: ['cudaPolicyLoss'],
  rolloutCorrection: ['cudaRolloutCorrection'],
  selectByCovariance: ['cudaSelectByCovariance'],
  selectByEntropy: ['cudaSelectByEntropy'],
  secondMomentMask: ['cudaSecondMomentMask'],
};

/** What the addon exports beside operations on tensors and its classes, which are of curation and the reference trainer. */
const others = [
  ...['info', 'frame', 'useKernels', 'withHostileFloats', 'linearPeak', 'encodeQuestions', 'countLines'],
  ...['newKeptSets', 'keptOffsets', 'keptTokens', 'setKeptTokens'],
];

/** Functions of lib/kernels on host arrays, and their forms on device tensors. */
const functions: Record<string, keyof typeof api> = {
  tokenLogprobs: 'deviceTokenLogprobs',
  logprobBackward: 'deviceLogprobBackward',
  mergeLogprobs: 'deviceMergeLogprobs',
  linearLogprobs: 'deviceLinearLogprobs',
  linearLogprobsBackward: 'deviceLinearLogprobsBackward',
  linearLogits: 'deviceLinearLogits',
  grpoStep: 'deviceGrpoStep',
  speculativeSample: 'deviceSpeculativeSample',
  groupAdvantages: 'deviceGroupAdvantages',
  gaeAdvantages: 'deviceGaeAdvantages',
  whiten: 'deviceWhiten',
  optimalTokenBaseline: 'deviceOptimalTokenBaseline',
  policyLoss: 'devicePolicyLoss',
  positiveExampleLoss: 'devicePositiveExampleLoss',
  rolloutCorrection: 'deviceRolloutCorrection',
  selectByCovariance: 'deviceSelectByCovariance',
  selectByEntropy: 'deviceSelectByEntropy',
  secondMomentMask: 'deviceSecondMomentMask',
  remaxAdvantages: 'deviceRemaxAdvantages',
  gdpoAdvantages: 'deviceGdpoAdvantages',
  dynamicSampling: 'deviceDynamicSampling',
  overlongPenalty: 'deviceOverlongPenalty',
  maskTruncated: 'deviceMaskTruncated',
  rewardsAtEnd: 'deviceRewardsAtEnd',
};

describe('every operation of the CPU has one on CUDA', () => {
  it('in the addon: an operation without a counterpart fails here', () => {
    const plain = (name: string) =>
      name.replace(/Async$/, '').replace(/^bind(.)/, (_, first: string) => first.toLowerCase());
    const names = Object.keys(binding).filter((name) => !/^(cuda|[A-Z])/.test(name) && !others.includes(name));
    expect([...new Set(names.map(plain))].sort()).toEqual(Object.keys(operations).sort());
    for (const name of Object.values(operations).flat())
      expect([name, typeof binding[name]]).toEqual([name, 'function']);
  });

  it('in the library: every function that takes arrays has a form on device tensors', () => {
    for (const [host, device] of Object.entries(functions)) {
      expect([host, typeof (api as Record<string, unknown>)[host]]).toEqual([host, 'function']);
      expect([device, typeof api[device]]).toEqual([device, 'function']);
    }
    // And the other way round: forms on device tensors that this list does not know.
    const known = [...Object.values(functions), 'deviceSample', 'deviceMemory'];
    expect(
      Object.keys(api).filter((name) => name.startsWith('device') && !known.includes(name as keyof typeof api)),
    ).toEqual([]);
  });
});
