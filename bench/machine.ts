import { execSync } from 'node:child_process';
import os from 'node:os';

import { runtimeInfo } from '../lib/index.js';

/** What a figure means nothing without. */
export function machine() {
  const { isa, threads, numericSpec } = runtimeInfo();
  return {
    date: new Date().toISOString(),
    commit: execSync('git describe --always --dirty').toString().trim(),
    cpu: os.cpus()[0]?.model ?? 'unknown',
    cpus: os.cpus().length,
    isa,
    threads,
    numericSpec,
    node: process.version,
    /** Load average of the last minute before the run: above 0, other work shared the machine. */
    load: os.loadavg()[0],
  };
}
