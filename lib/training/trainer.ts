import { blendRecipe, type BlendRecipe } from '../blend/recipe.js';
import { BlendSchedule } from '../blend/schedule.js';
import { Random } from '../data/procedural/random.js';
import { summariseAnswers, type EvaluationSummary } from '../evaluation/summary.js';
import { invalidValue } from '../errors.js';
import { CLEAN, demonstrate } from './annotator.js';
import { answerText } from './format.js';
import { fingerprintOf, loadCheckpoint, saveCheckpoint, type TrainingPosition } from './checkpoint.js';
import type { TrainConfig } from './config.js';
import { GrpoStage } from './grpoStage.js';
import { judgeQuestions } from './judge.js';
import type { TrainingSequence } from './packing.js';
import { ReferencePolicy } from './policy.js';
import { QuestionPool, type QuestionSplit, sourceName, type TrainingQuestion } from './questions.js';
import { STAGES, type Stage, type StepRecord, type SupervisedRecord } from './records.js';
import { supervisedStep } from './supervised.js';
import { END, type CompactTokenizer } from './tokenizer.js';

export interface TrainerOptions {
  readonly config: TrainConfig;
  readonly tokenizer: CompactTokenizer;
  readonly questions: QuestionSplit;
  /** Threads to use at most; 0 or absent means all. Changes no bit of any result. */
  readonly threads?: number;
}

/** Steps over which the learning rate of a supervised stage rises. */
const RAMP = 50;

/**
 * Trains a reference policy in three stages: `skill` (clean worked answers), `habit` (a weak annotator spoils how the
 * skill is used; the result is the base policy) and `grpo`. Every step is a function of settings, questions and the
 * policy before it, so a run that goes on from a checkpoint gives the same bits as one that was never stopped.
 */
export class ReferenceTrainer {
  readonly policy: ReferencePolicy;
  readonly config: TrainConfig;
  /** Ties checkpoints to this run. */
  readonly fingerprint: string;
  /** The blend of the GRPO stage: what was asked for. */
  readonly recipe: BlendRecipe;
  readonly #options: TrainerOptions;
  readonly #pool: QuestionPool;
  /** Questions with worked steps, for the warm start. */
  readonly #workedPool: QuestionPool;
  readonly #evaluationSet: readonly TrainingQuestion[];
  readonly #smallSet: readonly TrainingQuestion[];
  #position: TrainingPosition = { stage: 'skill', step: 0 };
  #reference: ReferencePolicy | undefined;
  #grpo: GrpoStage | undefined;
  #supervised: { stage: Stage; schedule: BlendSchedule } | undefined;

  constructor(options: TrainerOptions) {
    const { config, tokenizer, questions, threads = 0 } = options;
    this.#options = options;
    this.config = config;
    this.policy = new ReferencePolicy({ ...config.policy, vocab: tokenizer.size, seed: config.seed, threads });
    this.#pool = new QuestionPool(questions.train);
    this.#workedPool = new QuestionPool(questions.train.filter(({ solution }) => solution !== ''));
    this.#evaluationSet = perSource(questions.test, config.evaluation.perSource);
    this.#smallSet = perSource(questions.test, config.evaluation.smallPerSource);
    if (config.skill.steps + config.habit.steps > 0 && this.#workedPool.sources.length === 0) {
      throw invalidValue('questions', 'questions with worked steps, which the warm start needs', 'none with any');
    }
    checkLengths(options);
    const { blend } = config.grpo;
    this.recipe = blend === 'even' ? evenRecipe(this.#pool) : blendRecipe(blend, this.#pool.sources);
    this.fingerprint = fingerprintOf(config, tokenizer.tokens, this.#pool.sources, this.#workedPool.sources);
    this.#skipEmptyStages();
  }

  get position(): TrainingPosition {
    return this.#position;
  }

  /** Steps of all stages together, and those done. */
  get progress(): { done: number; total: number } {
    const lengths = STAGES.map((stage) => this.config[stage].steps);
    const total = lengths.reduce((sum, n) => sum + n, 0);
    const { stage, step } = this.#position;
    if (stage === 'done') return { done: total, total };
    return { done: lengths.slice(0, STAGES.indexOf(stage)).reduce((sum, n) => sum + n, step), total };
  }

  /** Does the next step and says what it did. */
  step(): StepRecord {
    const { stage, step } = this.#position;
    if (stage === 'done') throw new RangeError('the run is done');
    const record = stage === 'grpo' ? this.#grpoStep(step) : this.#supervisedStep(stage, step);
    this.#position = { stage, step: step + 1 };
    if (step + 1 === this.config[stage].steps) this.#enter(STAGES[STAGES.indexOf(stage) + 1] ?? 'done');
    return record;
  }

  /** Judges the policy on the held-out questions: samples at temperature 1 for pass@1 and pass@k, or one greedy answer. */
  evaluate(mode: 'sampled' | 'greedy'): EvaluationSummary {
    const samples = mode === 'greedy' ? 1 : this.config.evaluation.samples;
    return this.#judge(this.#evaluationSet, samples, mode === 'greedy' ? 0 : 1);
  }

  /** Writes the state of the run. */
  save(path: string): void {
    saveCheckpoint(path, this.#position, this.fingerprint, this.policy, this.#reference?.parameters);
  }

  /** Goes on from a state that `save` wrote. */
  load(path: string): void {
    const { position, reference } = loadCheckpoint(path, this.fingerprint, this.policy);
    this.#position = position;
    this.#grpo = undefined;
    this.#reference = undefined;
    if (position.stage === 'grpo') this.#startGrpo(reference);
  }

  #judge(items: readonly TrainingQuestion[], samples: number, temperature: number): EvaluationSummary {
    const { maxNewTokens } = this.config.grpo;
    // Another seed than training's: the draws of an evaluation are its own.
    const seed = this.config.seed + 0x5eed;
    return summariseAnswers(
      judgeQuestions(this.policy, this.#options.tokenizer, items, { samples, temperature, maxNewTokens, seed }),
    );
  }

  #enter(stage: TrainingPosition['stage']): void {
    this.#position = { stage, step: 0 };
    if (stage === 'grpo') {
      this.policy.resetOptimizer();
      this.#startGrpo(this.config.grpo.klCoef > 0 ? this.policy.parameters : undefined);
    }
    this.#skipEmptyStages();
  }

  #skipEmptyStages(): void {
    const { stage, step } = this.#position;
    if (stage === 'done' || step < this.config[stage].steps) return;
    this.#enter(STAGES[STAGES.indexOf(stage) + 1] ?? 'done');
  }

  #startGrpo(referenceParameters: Float32Array | undefined): void {
    const { config, policy } = this;
    const { tokenizer, threads = 0 } = this.#options;
    if (referenceParameters !== undefined) {
      this.#reference = new ReferencePolicy({ ...policy.shape, threads });
      this.#reference.parameters.set(referenceParameters);
    }
    const schedule = new BlendSchedule(this.recipe, { seed: config.seed });
    this.#grpo = new GrpoStage(config, policy, this.#reference, tokenizer, this.#pool, schedule);
  }

  #grpoStep(step: number): StepRecord {
    if (this.#grpo === undefined) throw new Error('unreachable: entering the stage makes it');
    const record = this.#grpo.step(step);
    const { every } = this.config.evaluation;
    if ((step + 1) % every !== 0 || this.#smallSet.length === 0) return record;
    return { ...record, heldOut: this.#judge(this.#smallSet, 1, 1).all.passAt1.value };
  }

  #supervisedStep(stage: 'skill' | 'habit', step: number): SupervisedRecord {
    const { steps, batch, learningRate: peak, weightDecay } = this.config[stage];
    const floor = stage === 'skill' ? 0.3 : 0.1;
    const cosine = (1 + Math.cos((Math.PI * step) / steps)) / 2;
    const learningRate = peak * Math.min(1, (step + 1) / RAMP) * (floor + (1 - floor) * cosine);
    const random = new Random(Math.imul(this.config.seed, 104_729) + STAGES.indexOf(stage) * 1_000_003 + step);
    const habits = stage === 'skill' ? CLEAN : this.config.habit.annotator;
    const sequences = this.#schedule(stage)
      .batch(step, { size: batch })
      .map((draw): TrainingSequence => {
        const item = this.#workedPool.at(draw);
        const text = demonstrate(item, habits, random) + END;
        return { prompt: item.prompt, answer: this.#options.tokenizer.encode(text) };
      });
    const { loss, gradientNorm } = supervisedStep(this.policy, sequences, { learningRate, weightDecay });
    return { stage, step, learningRate, loss, gradientNorm };
  }

  #schedule(stage: 'skill' | 'habit'): BlendSchedule {
    if (this.#supervised?.stage !== stage) {
      const seed = this.config.seed + 1 + STAGES.indexOf(stage);
      this.#supervised = { stage, schedule: new BlendSchedule(evenRecipe(this.#workedPool), { seed }) };
    }
    return this.#supervised.schedule;
  }
}

/** Refuses questions that the policy's context cannot hold, before any work is done. */
function checkLengths({ config, tokenizer, questions }: TrainerOptions): void {
  const { context } = config.policy;
  const warmStart = config.skill.steps + config.habit.steps > 0;
  for (const { question, prompt, solution } of [...questions.train, ...questions.test]) {
    const worked = warmStart && solution !== '' ? answerText(solution, question.answer.value) + END : '';
    const need = prompt.length + Math.max(1, tokenizer.encode(worked).length);
    if (need > context) {
      const hint = `Question ${question.id} needs ${need} tokens with its worked answer: raise policy.context or leave it out.`;
      throw invalidValue('policy.context', `at least ${need}`, context, hint);
    }
  }
}

/** Every source alike. */
function evenRecipe({ sources }: QuestionPool): BlendRecipe {
  return { name: 'even', sources, weights: sources.map(() => 1) };
}

/** The first `count` questions of each source. */
function perSource(items: readonly TrainingQuestion[], count: number): TrainingQuestion[] {
  const taken = new Map<string, number>();
  return items.filter(({ question }) => {
    const name = sourceName(question);
    const n = taken.get(name) ?? 0;
    taken.set(name, n + 1);
    return n < count;
  });
}
