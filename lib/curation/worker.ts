import { parentPort, workerData } from 'node:worker_threads';
import { lenient } from '../data/adapters/lenient.js';
import { adapterOf, type BlockResult, BlockWriter, makeSteps } from './block.js';
import type { CuratePlan } from './plan.js';
import type { BlockReply, BlockTask } from './pool.js';
import { BatchMemory } from './questionBatch.js';

const plan = workerData as CuratePlan;
const steps = makeSteps(plan);
const memory = new BatchMemory();

async function answer(task: BlockTask): Promise<BlockResult> {
  const input = plan.inputs[task.input];
  if (input === undefined) throw new Error(`no input ${task.input}`);
  const block = { ...task, bytes: Buffer.from(task.bytes.buffer, task.bytes.byteOffset, task.bytes.byteLength) };
  const named = task.adapter === undefined ? undefined : adapterOf({ ...input, adapter: task.adapter }, []);
  const adapter = named !== undefined && task.lenient === true ? lenient(named) : named;
  const writer = new BlockWriter(plan, task.input, adapter, await steps, task.fromRow, memory);
  writer.addBlock(block);
  return writer.finish();
}

// One after the other: they share the memory.
let last: Promise<unknown> = Promise.resolve();

parentPort?.on('message', (task: BlockTask) => {
  const answered = last.then(() => answer(task));
  last = answered.catch(() => undefined);
  answered.then(
    (result) => {
      const { lines, ids } = result.questions;
      parentPort?.postMessage({ id: task.id, result } satisfies BlockReply, [lines.buffer, ids.buffer]);
    },
    (error: unknown) => parentPort?.postMessage({ id: task.id, error: String(error) } satisfies BlockReply),
  );
});
