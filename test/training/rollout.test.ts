import { SamplingPlan } from '../../lib/kernels/sampling';
import { tokenLogprobs } from '../../lib/kernels/logprob';
import { packSequences } from '../../lib/training/packing';
import { ReferencePolicy } from '../../lib/training/policy';
import { generate, type GenerateOptions } from '../../lib/training/rollout';

const policy = new ReferencePolicy({ vocab: 23, width: 32, layers: 2, heads: 2, context: 32, seed: 3 });
const prompts = [[3, 4, 5], [6, 7, 8, 9, 10, 11], [12], [4, 4, 4, 4]];
const options: GenerateOptions = {
  plan: new SamplingPlan({ temperature: 1, outputs: ['token', 'logprob'] }),
  samples: 3,
  seed: 11,
  endId: 0,
  maxNewTokens: 20,
};

test('answers come grouped by prompt, end at the end token or the budget, and repeat with the seed', () => {
  const answers = generate(policy, prompts, options);
  expect(answers.map(({ prompt }) => prompt)).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]);
  for (const { tokens, logprobs, status } of answers) {
    expect(logprobs).toHaveLength(tokens.length);
    expect(tokens.indexOf(0)).toBe(status === 'finished' ? tokens.length - 1 : -1);
    if (status === 'truncated') expect(tokens).toHaveLength(20);
  }
  expect(generate(policy, prompts, options)).toEqual(answers);
  expect(generate(policy, prompts, { ...options, seed: 12 })).not.toEqual(answers);
});

test('an answer does not depend on the other prompts of the call', () => {
  const together = generate(policy, prompts, options);
  const alone = generate(policy, [prompts[2]!], { ...options, firstSequence: 6 });
  expect(alone.map(({ tokens }) => tokens)).toEqual(together.slice(6, 9).map(({ tokens }) => tokens));
});

test('the log-probs of a rollout are those of the training pass, bit for bit', () => {
  const answers = generate(policy, prompts, options);
  const batch = packSequences(answers.map(({ prompt, tokens }) => ({ prompt: prompts[prompt]!, answer: tokens })));
  const logits = new Float32Array(batch.rows.length * 23);
  policy.forward(batch, logits);
  const { logprob } = tokenLogprobs(logits, batch.targets, { vocab: 23, entropy: false });
  expect([...logprob]).toEqual(answers.flatMap(({ logprobs }) => logprobs));
});

test('the context bounds an answer', () => {
  const prompt = Array.from({ length: 28 }, (_, i) => 1 + (i % 20));
  for (const { tokens, status } of generate(policy, [prompt], { ...options, seed: 1, endId: 22, maxNewTokens: 50 })) {
    if (status === 'truncated') expect(prompt.length + tokens.length).toBe(33);
  }
  const long = Array.from({ length: 32 }, () => 1);
  expect(() => generate(policy, [[1], long], options)).toThrow(/prompts\[1\] must be 1 to 31 tokens long/);
  expect(() => generate(policy, [[]], options)).toThrow(/prompts\[0\]/);
  expect(() => generate(policy, [[1]], { ...options, samples: 0 })).toThrow(/samples/);
});

test('packing asks for logits where answer tokens are predicted, and nowhere else', () => {
  const batch = packSequences([
    { prompt: [1, 2, 3], answer: [4, 5] },
    { prompt: [6], answer: [7] },
  ]);
  expect([...batch.tokens]).toEqual([1, 2, 3, 4, 6]);
  expect([...batch.cuSeqlens]).toEqual([0, 4, 5]);
  expect([...batch.rows]).toEqual([2, 3, 4]);
  expect([...batch.targets]).toEqual([4, 5, 7]);
  expect([...batch.answerCuSeqlens]).toEqual([0, 2, 3]);
  expect(() => packSequences([{ prompt: [1], answer: [] }])).toThrow(/sequences\[0\]\.answer/);
});
