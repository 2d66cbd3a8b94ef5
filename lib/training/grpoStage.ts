import type { BlendSchedule } from '../blend/schedule.js';
import { Random } from '../data/procedural/random.js';
import { groupAdvantages } from '../kernels/advantages.js';
import { tokenLogprobs } from '../kernels/logprob.js';
import { SamplingPlan } from '../kernels/sampling.js';
import type { Verdict } from '../rewards/index.js';
import type { TrainConfig } from './config.js';
import { grpoStep, type GrpoStepMetrics } from '../kernels/grpoStep.js';
import { judge } from './judge.js';
import { LogitsBuffer } from './logitsBuffer.js';
import { type PackedBatch, packSequences } from './packing.js';
import type { ReferencePolicy } from './policy.js';
import type { QuestionPool, TrainingQuestion } from './questions.js';
import type { GrpoRecord } from './records.js';
import { generate, type Generation } from './rollout.js';
import type { CompactTokenizer } from './tokenizer.js';

/** Sequences of one forward and backward pass: bounds the memory of activations. */
const MICRO_BATCH = 64;

/** A sampled answer with what the step needs of it. */
interface Sample {
  readonly item: TrainingQuestion;
  readonly generation: Generation;
  readonly verdict: Verdict;
  readonly advantage: number;
  /** Log-probs under the policy that sampled it, before any truncation by top-p. */
  oldLogprobs: readonly number[];
}

/** Group relative policy optimisation of the reference policy: one batch of prompts a step. */
export class GrpoStage {
  readonly #plan: SamplingPlan;
  readonly #logits = new LogitsBuffer();
  readonly #referenceLogits = new LogitsBuffer();

  constructor(
    private readonly config: TrainConfig,
    private readonly policy: ReferencePolicy,
    /** The policy that the KL term refers to; absent where its weight is 0. */
    private readonly reference: ReferencePolicy | undefined,
    private readonly tokenizer: CompactTokenizer,
    private readonly pool: QuestionPool,
    private readonly schedule: BlendSchedule,
  ) {
    const { temperature, topP } = config.grpo;
    this.#plan = new SamplingPlan({ temperature, topP, outputs: ['token', 'logprob'] });
  }

  /** Samples answers to the prompts of step `step`, rewards them and improves the policy. */
  step(step: number): GrpoRecord {
    const { grpo, seed } = this.config;
    const draws = this.schedule.batch(step, { size: grpo.prompts });
    const items = draws.map((draw) => this.pool.at(draw));
    const generations = generate(
      this.policy,
      items.map(({ prompt }) => prompt),
      {
        plan: this.#plan,
        samples: grpo.samples,
        seed,
        firstSequence: step * grpo.prompts * grpo.samples,
        endId: this.tokenizer.endId,
        maxNewTokens: grpo.maxNewTokens,
      },
    );
    const verdicts = generations.map((generation) => this.#verdict(items, generation));
    const rewards = Float32Array.from(verdicts, ({ reward }) => reward);
    const { advantages, zeroVariance } = groupAdvantages(this.#dealt(rewards, step), {
      groupSize: grpo.samples,
      estimator: grpo.estimator,
    });
    const samples = generations.flatMap((generation, i): Sample[] => {
      const item = items[generation.prompt];
      const verdict = verdicts[i];
      if (item === undefined || verdict === undefined) return [];
      if (grpo.zeroVariance === 'drop' && zeroVariance[generation.prompt] === 1) return [];
      return [{ item, generation, verdict, advantage: advantages[i] ?? 0, oldLogprobs: generation.logprobs }];
    });
    const sources: Record<string, number> = {};
    for (const { source } of draws) sources[source] = (sources[source] ?? 0) + 1;
    return {
      stage: 'grpo',
      step,
      learningRate: grpo.learningRate,
      ...describeAnswers(generations, verdicts),
      ...describeGroups(rewards, zeroVariance, grpo.samples),
      ...this.#improve(samples),
      sources,
    };
  }

  #verdict(items: readonly TrainingQuestion[], generation: Generation): Verdict {
    const item = items[generation.prompt];
    if (item === undefined) throw new RangeError(`no prompt ${generation.prompt}`);
    return judge(item, this.tokenizer, generation);
  }

  /** The rewards to learn from: as judged, or dealt out at random among the answers of the step. */
  #dealt(rewards: Float32Array, step: number): Float32Array {
    if (this.config.grpo.control === 'none') return rewards;
    return Float32Array.from(new Random(Math.imul(this.config.seed, 7919) + step).shuffle([...rewards]));
  }

  #improve(
    samples: readonly Sample[],
  ): Pick<GrpoRecord, 'loss' | 'entropy' | 'kl' | 'clippedLow' | 'clippedHigh' | 'gradientNorm'> {
    const { minibatches, learningRate } = this.config.grpo;
    const total = { tokens: 0, clippedLow: 0, clippedHigh: 0, klSum: 0, entropySum: 0, loss: 0, norm: 0 };
    let steps = 0;
    // Of a truncated distribution the sampler's log-probs are renormalised, and not those the ratio is about.
    if (this.config.grpo.topP < 1) this.#recomputeLogprobs(samples);
    for (let m = 0; m < minibatches; m++) {
      // Every minibatches-th group: each minibatch then mixes prompts of the whole batch.
      const part = samples.filter(({ generation }) => generation.prompt % minibatches === m);
      if (part.length === 0) continue;
      const tokens = part.reduce((sum, { generation }) => sum + generation.tokens.length, 0);
      const denominator = this.config.grpo.aggregation === 'token-mean' ? tokens : part.length;
      for (let first = 0; first < part.length; first += MICRO_BATCH) {
        const { loss, metrics } = this.#accumulate(part.slice(first, first + MICRO_BATCH), denominator);
        total.loss += loss;
        for (const key of ['tokens', 'clippedLow', 'clippedHigh', 'klSum', 'entropySum'] as const) {
          total[key] += metrics[key];
        }
      }
      total.norm += this.policy.step({ learningRate });
      steps++;
    }
    const perToken = (sum: number): number => (total.tokens === 0 ? 0 : sum / total.tokens);
    return {
      loss: steps === 0 ? 0 : total.loss / steps,
      entropy: perToken(total.entropySum),
      kl: perToken(total.klSum),
      clippedLow: perToken(total.clippedLow),
      clippedHigh: perToken(total.clippedHigh),
      gradientNorm: steps === 0 ? 0 : total.norm / steps,
    };
  }

  #recomputeLogprobs(samples: readonly Sample[]): void {
    for (let first = 0; first < samples.length; first += MICRO_BATCH) {
      const part = samples.slice(first, first + MICRO_BATCH);
      const batch = packSequences(
        part.map(({ item, generation }) => ({ prompt: item.prompt, answer: generation.tokens })),
      );
      const logprobs = this.#logprobs(this.policy, batch);
      part.forEach((sample, i) => {
        sample.oldLogprobs = [...logprobs.subarray(batch.answerCuSeqlens[i], batch.answerCuSeqlens[i + 1])];
      });
    }
  }

  /** Log-probs of the answer tokens under a policy, at the temperature of sampling. */
  #logprobs(policy: ReferencePolicy, batch: PackedBatch): Float32Array {
    const { vocab } = policy.shape;
    const logits = this.#referenceLogits.view(batch.rows.length, vocab);
    policy.forward(batch, logits);
    const { temperature } = this.config.grpo;
    return tokenLogprobs(logits, batch.targets, { vocab, temperature, entropy: false }).logprob;
  }

  /** Adds the gradient of a micro-batch; `denominator` is that of the whole minibatch. */
  #accumulate(samples: readonly Sample[], denominator: number): { loss: number; metrics: GrpoStepMetrics } {
    const { clipLow, clipHigh, klCoef, aggregation, temperature } = this.config.grpo;
    const { vocab } = this.policy.shape;
    const batch = packSequences(
      samples.map(({ item, generation }) => ({ prompt: item.prompt, answer: generation.tokens })),
    );
    const refLogprobs = this.reference === undefined ? undefined : this.#logprobs(this.reference, batch);
    const logits = this.#logits.view(batch.rows.length, vocab);
    this.policy.forward(batch, logits);
    const { loss, metrics } = grpoStep(
      logits,
      {
        tokens: batch.targets,
        oldLogprobs: Float32Array.from(samples.flatMap(({ oldLogprobs }) => oldLogprobs)),
        ...(refLogprobs === undefined ? {} : { refLogprobs }),
        advantages: Float32Array.from(samples, ({ advantage }) => advantage),
        cuSeqlens: batch.answerCuSeqlens,
      },
      { clipLow, clipHigh, klCoef, aggregation, denominator, temperature },
    );
    this.policy.backward(logits); // Now dLoss/dLogits.
    return { loss, metrics };
  }
}

function describeAnswers(
  generations: readonly Generation[],
  verdicts: readonly Verdict[],
): Pick<GrpoRecord, 'reward' | 'accuracy' | 'format' | 'tokens' | 'tokensCorrect' | 'truncated'> {
  const n = generations.length;
  const mean = (of: (verdict: Verdict) => number): number =>
    verdicts.reduce((sum, verdict) => sum + of(verdict), 0) / n;
  const lengths = generations.map(({ tokens }) => tokens.length);
  const correct = lengths.filter((_, i) => verdicts[i]?.reward === 1);
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  return {
    reward: mean(({ reward }) => reward),
    accuracy: mean(({ accuracy }) => accuracy),
    format: mean(({ format }) => format),
    tokens: sum(lengths) / n,
    tokensCorrect: correct.length === 0 ? null : sum(correct) / correct.length,
    truncated: generations.filter(({ status }) => status === 'truncated').length / n,
  };
}

function describeGroups(
  rewards: Float32Array,
  zeroVariance: Uint8Array,
  size: number,
): Pick<GrpoRecord, 'zeroVariance' | 'allRight' | 'allWrong'> {
  const groups = zeroVariance.length;
  let right = 0;
  let wrong = 0;
  for (let g = 0; g < groups; g++) {
    const group = rewards.subarray(g * size, (g + 1) * size);
    if (group.every((reward) => reward === 1)) right++;
    if (group.every((reward) => reward === 0)) wrong++;
  }
  const flat = zeroVariance.reduce((sum, flag) => sum + flag, 0);
  return { zeroVariance: flat / groups, allRight: right / groups, allWrong: wrong / groups };
}
