import { CrossThinkError, SamplingPlan, type SamplingOptions } from '../../lib/index.js';
import { runtimeInfo } from '../../lib/native/info.js';
import { Random } from '../kernels/random.js';

const cuda = runtimeInfo().cuda.available ? describe : describe.skip;

const [rows, vocab] = [4, 6000];
const logits = new Random(3).normals(rows * vocab, 3);
const keys = { seed: 9, sequences: Int32Array.of(5, 6, 7, 8), positions: Int32Array.of(0, 1, 2, 3) };

cuda('sampling on CUDA', () => {
  it.each<SamplingOptions>([
    {},
    { temperature: 0 },
    { temperature: 0.7 },
    { temperature: Float32Array.of(0, 0.5, 1, 2), topK: Int32Array.of(0, 7, 50, 6000) },
    { topK: 40, topP: 0.9, outputs: ['token', 'logprob'] },
    { temperature: 1.3, topP: 0.95, order: 'vllm' },
  ])('draws what the CPU draws: %j', async (options) => {
    const expected = new SamplingPlan(options).sample(logits, keys);
    const plan = new SamplingPlan({ ...options, device: 'cuda' });
    expect(plan.sample(logits, keys)).toEqual(expected);
    expect(await plan.sampleAsync(logits, keys)).toEqual(expected);
  });

  it('refuses by name what it does not have', () => {
    const missing: [string, SamplingOptions, object][] = [
      ['options.minP', { minP: 0.1 }, {}],
      ['options.method', { method: 'gumbel' }, {}],
      ['options.order', { order: 'llamacpp' }, {}],
      ['options.topPRule', { topPRule: 'upTo' }, {}],
      ['options.logitBias', { logitBias: new Map([[1, 2]]) }, {}],
      ["options.outputs 'entropy'", { outputs: ['token', 'entropy'] }, {}],
      ['samples', {}, { samples: 2 }],
      ['bitmask', {}, { bitmask: new Int32Array(rows) }],
      ['history', {}, { history: { prompt: [1] } }],
    ];
    for (const [field, options, more] of missing) {
      let error: unknown;
      try {
        new SamplingPlan({ ...options, device: 'cuda' }).sample(logits, { ...keys, ...more });
      } catch (caught) {
        error = caught;
      }
      expect(error).toBeInstanceOf(CrossThinkError);
      expect((error as CrossThinkError).code).toBe('ERR_CUDA_UNAVAILABLE');
      expect((error as CrossThinkError).message).toContain(field);
    }
  });
});
