import { parentPort, workerData } from 'node:worker_threads';
import { parseJsonlBlock } from '../data/readers/jsonl.js';
import { adapterOf, makeSteps, processItems } from './block.js';
import { type CuratePlan, wantedRow } from './plan.js';
import type { BlockReply, BlockTask } from './pool.js';

const plan = workerData as CuratePlan;
const steps = makeSteps(plan);

async function answer(task: BlockTask): Promise<BlockReply> {
  const input = plan.inputs[task.input];
  if (input === undefined) return { id: task.id, error: `no input ${task.input}` };
  const wanted = wantedRow(plan, task.input);
  const block = { ...task, bytes: Buffer.from(task.bytes.buffer, task.bytes.byteOffset, task.bytes.byteLength) };
  const items = parseJsonlBlock(block, (row) => row >= task.fromRow && wanted(row));
  const adapter = task.adapter === undefined ? undefined : adapterOf({ ...input, adapter: task.adapter }, []);
  return { id: task.id, rows: processItems(items, input.file, adapter, plan, await steps) };
}

parentPort?.on('message', (task: BlockTask) => {
  answer(task).then(
    (reply) => parentPort?.postMessage(reply),
    (error: unknown) => parentPort?.postMessage({ id: task.id, error: String(error) } satisfies BlockReply),
  );
});
