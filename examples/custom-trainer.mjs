// The kernels in a trainer of your own. The "model" is a table of logits, one row per question: whatever yields logits and
// takes dLoss/dLogits back fits in its place.
// Run: node examples/custom-trainer.mjs
import { SamplingPlan, groupAdvantages, grpoStep } from 'crossthink';

const vocab = 32;
const answers = [3, 14, 15, 9, 26, 5]; // The right token of each question.
const groupSize = 8;
const learningRate = 4;

const model = new Float32Array(answers.length * vocab);
const plan = new SamplingPlan({ temperature: 1, outputs: ['token', 'rawLogprob'] });

for (let step = 0; step <= 60; step += 1) {
  // Rollout: eight answers a question, of one token each. A draw depends on (seed, sequence, position) alone.
  const rows = answers.length * groupSize;
  const logits = new Float32Array(rows * vocab);
  for (let row = 0; row < rows; row += 1) {
    const question = Math.floor(row / groupSize);
    logits.set(model.subarray(question * vocab, (question + 1) * vocab), row * vocab);
  }
  const sequences = Int32Array.from({ length: rows }, (_, row) => row);
  const positions = new Int32Array(rows).fill(step);
  const { tokens, rawLogprobs } = plan.sample(logits, { seed: 7, sequences, positions });

  const rewards = Float32Array.from(tokens, (token, row) => (token === answers[Math.floor(row / groupSize)] ? 1 : 0));
  const { advantages } = groupAdvantages(rewards, { groupSize, estimator: 'grpo' });

  // Loss and gradient; the logits are overwritten with dLoss/dLogits.
  const cuSeqlens = Int32Array.from({ length: rows + 1 }, (_, row) => row);
  const { dLogits } = grpoStep(logits, { tokens, oldLogprobs: rawLogprobs, advantages, cuSeqlens });

  for (let row = 0; row < rows; row += 1) {
    const question = Math.floor(row / groupSize);
    for (let j = 0; j < vocab; j += 1) model[question * vocab + j] -= learningRate * dLogits[row * vocab + j];
  }
  if (step % 20 === 0) {
    const mean = rewards.reduce((sum, reward) => sum + reward, 0) / rows;
    console.log(`step ${step}: mean reward ${mean.toFixed(2)}`);
  }
}
