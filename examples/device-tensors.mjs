// A GRPO step on a GPU: sampling, advantages, loss and gradient of logits that never leave it.
// Run: node examples/device-tensors.mjs
import {
  CudaStream,
  DeviceTensor,
  SamplingPlan,
  deviceGroupAdvantages,
  deviceGrpoStep,
  deviceMemory,
  deviceSample,
  readPolicyLoss,
  runtimeInfo,
} from 'crossthink';

function main() {
  const [rows, vocab, groupSize] = [16, 512, 8];
  const held = [];
  const keep = (tensor) => (held.push(tensor), tensor);
  const stream = CudaStream.create();
  try {
    // Yours: DeviceTensor.wrap({ address: BigInt(logits.data_ptr()), shape, dtype: 'bfloat16', stream }).
    const values = Float32Array.from({ length: rows * vocab }, (_, i) => Math.sin(i * 12.9898) * 4);
    const logits = keep(DeviceTensor.from(values, { shape: [rows, vocab], stream }));

    const plan = new SamplingPlan({ temperature: 0.8, topK: 50, outputs: ['token', 'rawLogprob'] });
    const ids = Int32Array.from({ length: rows }, (_, row) => row);
    const sampled = deviceSample(plan, logits, { seed: 7, sequences: ids, positions: new Int32Array(rows) });
    const tokens = keep(sampled.tokens);
    const oldLogprobs = keep(sampled.rawLogprobs);
    keep(sampled.status);

    // Rewards come from the host: this copy waits for the tokens.
    const rewards = keep(
      DeviceTensor.from(
        Float32Array.from(tokens.toHost(), (token) => token % 2),
        { stream },
      ),
    );
    const { advantages, zeroVariance } = deviceGroupAdvantages(rewards, { groupSize });
    keep(advantages);
    keep(zeroVariance);

    // One token a sequence here. Everything is on the device: nothing waits, and the logits become dLoss/dLogits.
    const cuSeqlens = keep(
      DeviceTensor.from(
        Int32Array.from({ length: rows + 1 }, (_, row) => row),
        { stream },
      ),
    );
    const step = deviceGrpoStep(logits, { tokens, oldLogprobs, advantages, cuSeqlens }, { preset: 'dapo' });
    for (const tensor of [step.logprobs, step.entropies, step.status, step.results]) keep(tensor);

    const { metrics } = readPolicyLoss(step.results.toHost()); // Waits.
    const gradient = logits.toHost();
    console.log(`${metrics.tokens} tokens, ratio ${(metrics.ratioSum / metrics.tokens).toFixed(3)}`);
    console.log(`gradient ${gradient.some((d) => d !== 0) ? 'written' : 'zero'}`);
  } finally {
    for (const tensor of held) tensor.dispose();
    stream.dispose();
  }
  console.log(`${deviceMemory().tensors} tensors left`);
}

const { cuda } = runtimeInfo();
if (cuda.available) main();
else console.log(`No CUDA: ${cuda.reason}`);
