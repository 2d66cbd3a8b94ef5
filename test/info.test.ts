import { runtimeInfo } from '../lib/index.js';

describe('runtimeInfo', () => {
  const given = (process.env['CROSSTHINK_CUDA_MODULE'] ?? '') !== '';
  (given ? it : it.skip)('has the CUDA module that the tests were given: none of them skips in silence', () => {
    expect(runtimeInfo().cuda).toMatchObject({ available: true });
  });

  it('names an instruction set this machine runs, and the reason for no GPU', () => {
    const info = runtimeInfo();
    expect(info.isas).toContain(info.isa);
    expect(info.threads).toBeGreaterThanOrEqual(1);
    expect(info.cuda.available || info.cuda.reason.length > 0).toBe(true);
  });
});
