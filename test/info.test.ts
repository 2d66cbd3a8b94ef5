import { runtimeInfo } from '../lib/index.js';

describe('runtimeInfo', () => {
  it('names an instruction set this machine runs, and the reason for no GPU', () => {
    const info = runtimeInfo();
    expect(info.isas).toContain(info.isa);
    expect(info.threads).toBeGreaterThanOrEqual(1);
    expect(info.cuda.available || info.cuda.reason.length > 0).toBe(true);
  });
});
