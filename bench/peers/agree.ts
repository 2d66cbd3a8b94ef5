import { tokenLogprobs } from '../../lib/index.js';
import { targetOf, type PeerCase, type Problem, type Results, type Target } from './problem.js';

/** Draws to look at for one sampling case. */
const DRAWS = 256;

/**
 * Whether a contestant does the same work: null, or what differs. Numbers against CrossThink's on the same arrays; draws,
 * whose random numbers differ, by whether the tokens are of the kept set and their mean log-prob is the distribution's.
 */
export class Agreement {
  readonly #targets = new Map<string, Target>();
  readonly #own: ReturnType<typeof tokenLogprobs>;

  constructor(readonly problem: Problem) {
    this.#own = tokenLogprobs(problem.logits, problem.tokens);
  }

  async differs(one: PeerCase): Promise<string | null> {
    await one.run(1);
    const { operation } = one;
    if (!operation.startsWith('sample')) return this.#values(await one.results());
    const target = this.#targets.get(operation) ?? targetOf(this.problem, operation);
    this.#targets.set(operation, target);
    return this.#draws(one, target);
  }

  #values(results: Results): string | null {
    const { problem } = this;
    const { logprob, entropy } = this.#own;
    for (const [name, theirs, ours] of [
      ['log-prob', results.logprobs, logprob],
      ['entropy', results.entropies, entropy!],
    ] as const) {
      for (let r = 0; theirs !== undefined && r < problem.rows; r++) {
        const difference = Math.abs(theirs[r]! - ours[r]!);
        if (!(difference < 2e-3)) return `${name} of row ${r}: ${theirs[r]} for ${ours[r]}`;
      }
    }
    return results.gradient === undefined ? null : this.#gradient(results.gradient);
  }

  #gradient({ values, softmaxOnly = false }: NonNullable<Results['gradient']>): string | null {
    const { rows, vocab, logits, tokens } = this.problem;
    for (let r = 0; r < rows; r++) {
      for (const j of [tokens[r]!, 0, vocab - 1, (r * 7919) % vocab]) {
        const p = Math.exp(logits[r * vocab + j]! - this.#own.logsumexp[r]!);
        const expected = softmaxOnly ? p : (j === tokens[r] ? 1 : 0) - p;
        const received = values[r * vocab + j]!;
        if (!(Math.abs(received - expected) < 1e-5)) return `gradient [${r}, ${j}]: ${received} for ${expected}`;
      }
    }
    return null;
  }

  async #draws(one: PeerCase, target: Target): Promise<string | null> {
    let [count, sum, expected, variance, outside] = [0, 0, 0, 0, 0];
    for (;;) {
      const tokens = (await one.results()).tokens!;
      for (let r = 0; r < this.problem.rows; r++) {
        const lp = target.logprob(r, tokens[r]!);
        count++;
        if (lp === -Infinity) {
          outside++;
          continue;
        }
        sum += lp;
        expected += target.means[r]!;
        variance += target.variances[r]!;
      }
      if (count >= DRAWS) break;
      await one.run(1);
    }
    // One draw in a hundred may be of the token at the cut, which float32 sums may put on either side.
    if (outside > 2 + count / 100) return `${outside} of ${count} tokens are outside of the kept set`;
    const deviations = Math.abs(sum - expected) / Math.sqrt(variance);
    if (!(deviations < 5)) return `mean log-prob of the draws is ${deviations.toFixed(1)} deviations off`;
    return null;
  }
}
