import { spawnSync } from 'node:child_process';
import path from 'node:path';

import { CrossThinkError } from '../../lib/index.js';
import { runtimeInfo } from '../../lib/native/info.js';
import { CudaStream } from '../../lib/native/stream.js';
import { DeviceTensor, deviceMemory } from '../../lib/native/tensor.js';

// On a GPU, or in the interpreter; `npm test` builds the latter.
const cuda = runtimeInfo().cuda.available ? describe : describe.skip;

function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof CrossThinkError) return error.code;
    throw error;
  }
  return 'no error';
}

cuda('device tensors', () => {
  it('carry every element type there and back', () => {
    const arrays = [
      Float32Array.of(1.5, -0, Infinity),
      Float64Array.of(Math.PI),
      Int32Array.of(-1, 2 ** 31 - 1),
      BigInt64Array.of(-(2n ** 63n)),
      BigUint64Array.of(2n ** 64n - 1n),
      Uint8Array.of(0, 255),
    ];
    for (const array of arrays) {
      using tensor = DeviceTensor.from(array);
      expect(tensor.toHost()).toEqual(array);
      expect(
        tensor
          .zero()
          .toHost()
          .every((x) => Number(x) === 0),
      ).toBe(true);
    }
    using halves = DeviceTensor.from(Uint16Array.of(0x3f80, 0x4000), { dtype: 'bfloat16', shape: [2, 1] });
    expect([halves.dtype, halves.shape, halves.strides]).toEqual(['bfloat16', [2, 1], [1, 1]]);
    expect(halves.toHost()).toEqual(Uint16Array.of(0x3f80, 0x4000));
  });

  it('are accounted for until they are disposed', () => {
    const before = deviceMemory();
    const tensor = DeviceTensor.allocate([16, 4]);
    const view = DeviceTensor.wrap({ address: tensor.address, shape: [16, 4], owner: tensor });
    expect(deviceMemory()).toEqual({ ...before, tensors: before.tensors + 1, bytes: before.bytes + 256 });
    view.dispose();
    expect(tensor.disposed).toBe(false);
    tensor.dispose();
    tensor.dispose();
    expect(deviceMemory()).toEqual(before);
    expect(codeOf(() => tensor.address)).toBe('ERR_STATE_MISMATCH');
    expect(codeOf(() => tensor.toHost())).toBe('ERR_STATE_MISMATCH');
  });

  it('wrap memory of others, with strides, and see what they write', () => {
    using memory = DeviceTensor.from(Float32Array.of(1, 2, 3, 4, 5, 6));
    const view = DeviceTensor.wrap({ address: memory.address + 4n, shape: [2, 2], strides: [3, 1] });
    expect([view.length, view.contiguous, view.device]).toEqual([4, false, 'cuda:0']);
    expect(codeOf(() => view.toHost())).toBe('ERR_INVALID_ARG_VALUE');
    const row = DeviceTensor.wrap({ address: memory.address + 12n, shape: [3] });
    memory.copyFrom(Float32Array.of(6, 5, 4, 3, 2, 1));
    expect(row.toHost()).toEqual(Float32Array.of(3, 2, 1));
  });

  it('refuse what cannot be right', () => {
    expect(codeOf(() => DeviceTensor.wrap({ address: 0x1000n, shape: [1] }))).toBe('ERR_NATIVE');
    using memory = DeviceTensor.allocate([8]);
    const { address } = memory;
    const wrong = 'ERR_INVALID_ARG_VALUE';
    expect(codeOf(() => DeviceTensor.wrap({ address: address + 1n, shape: [1] }))).toBe(wrong);
    expect(codeOf(() => DeviceTensor.wrap({ address, shape: [2, 4], strides: [3, 1] }))).toBe(wrong);
    expect(codeOf(() => DeviceTensor.wrap({ address, shape: [2, 2], strides: [4, 2] }))).toBe(wrong);
    expect(codeOf(() => DeviceTensor.allocate([-1]))).toBe(wrong);
    expect(codeOf(() => DeviceTensor.allocate([1], { device: 'cuda:9' }))).toBe(wrong);
    expect(codeOf(() => DeviceTensor.allocate([1], { device: 'cpu' }))).toBe(wrong);
    expect(codeOf(() => memory.copyFrom(new Float32Array(7)))).toBe(wrong);
    expect(codeOf(() => memory.copyFrom(new Int32Array(8)))).toBe(wrong);
    expect(codeOf(() => DeviceTensor.from(new Uint16Array(2)))).toBe(wrong);
  });

  it('are copied on the worker pool too', async () => {
    using stream = CudaStream.create();
    using tensor = DeviceTensor.allocate([3], { stream });
    expect(await tensor.copyFromAsync(Float32Array.of(1, 2, 3))).toBe(tensor);
    const out = new Float32Array(3);
    const [copy, waited] = await Promise.all([tensor.toHostAsync(out), stream.synchronizeAsync()]);
    expect([copy, waited]).toEqual([Float32Array.of(1, 2, 3), undefined]);
    expect(copy).toBe(out);
    await expect(tensor.toHostAsync(new Float32Array(2))).rejects.toThrow('out must be of 3 elements');
    tensor.dispose();
    await expect(tensor.toHostAsync()).rejects.toThrow('disposed');
  });

  it('reject where CUDA fails', async () => {
    using memory = DeviceTensor.allocate([4]);
    const view = DeviceTensor.wrap({ address: memory.address, shape: [4096] }); // Longer than what it wraps.
    await expect(view.toHostAsync()).rejects.toMatchObject({ code: 'ERR_NATIVE' });
  });

  it('are opened by another process through their IPC handle', () => {
    using memory = DeviceTensor.from(Float32Array.of(1, 2, 3, 4));
    const program = `
      const { DeviceTensor } = require(${JSON.stringify(path.resolve(__dirname, '../../lib/native/tensor.ts'))});
      const handle = Buffer.from(process.argv[1], 'hex');
      const tensor = DeviceTensor.openIpc(new Uint8Array(handle), { shape: [4] });
      tensor.copyFrom(tensor.toHost().map((x) => x * 10));
      tensor.dispose();`;
    const handle = Buffer.from(memory.ipcHandle()).toString('hex');
    const child = spawnSync(process.execPath, ['--require', 'tsx/cjs', '-e', program, handle], {
      cwd: path.resolve(__dirname, '../..'),
      encoding: 'utf8',
    });
    expect(child.stderr).toBe('');
    expect(child.status).toBe(0);
    expect(memory.toHost()).toEqual(Float32Array.of(10, 20, 30, 40));
  });
});

cuda('streams', () => {
  it('are made, waited for and destroyed once', () => {
    using stream = CudaStream.create();
    expect(stream.address).not.toBe(0n);
    using tensor = DeviceTensor.from(Float32Array.of(7), { stream });
    stream.synchronize();
    expect(tensor.toHost()).toEqual(Float32Array.of(7));
    tensor.dispose();
    stream.dispose();
    stream.dispose();
    expect(codeOf(() => CudaStream.wrap(1 as unknown as bigint))).toBe('ERR_INVALID_ARG_TYPE');
  });
});
