#!/usr/bin/env node
'use strict';

// Compiles every CUDA kernel for every listed architecture and checks what ptxas says of it: no spills, registers and
// shared memory within budget. Needs nvcc, no GPU and no driver.
//
//   node scripts/check-cuda.cjs            check (what CI runs where nvcc is found)
//   node scripts/check-cuda.cjs --write    check, and write the table into docs/cuda.md

const { spawnSync } = require('node:child_process');
const { mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');

const root = path.resolve(__dirname, '..');
const cmake = readFileSync(path.join(root, 'native/cuda.cmake'), 'utf8');

// One source of truth: the lists of native/cuda.cmake.
function list(name) {
  const match = new RegExp(`set\\(${name}\\s+([^)]*)\\)`).exec(cmake);
  if (match === null) throw new Error(`native/cuda.cmake has no ${name}`);
  return match[1].trim().split(/\s+/);
}
const sources = list('CROSSTHINK_CUDA_KERNEL_SOURCES');
const flags = list('CROSSTHINK_NVCC_FLAGS');
const architectures = list('CROSSTHINK_CUDA_ARCHITECTURES').map((name) => name.replace('-real', ''));

// Two blocks of 256 threads, or four of 128, on a multiprocessor of 65,536 registers; 48 KiB of shared memory need no
// attribute.
const REGISTERS = 128;
const SHARED_BYTES = 48 * 1024;
/** "void crossthink::cuda::(anonymous namespace)::Rows<..., true>(...)" as "Rows<Bfloat16, true>". */
function shortName(name) {
  const named = name
    .replace(/\(anonymous namespace\)::/g, '')
    .replace(/crossthink::(cuda::)?/g, '')
    .replace(/^void /, '')
    .replace(/HalfStorage<&spec::From(\w+?)16,[^>]*>/g, (_, type) => `${type}16`)
    .replace(/(\w+)Storage/g, '$1')
    .replace(/\((\w+)\)(\d+)/g, '$1 $2'); // (GroupFormula)0
  return named.replace(/\((?!anonymous).*$/, '');
}

function compile(source, folder) {
  const output = path.join(folder, `${path.basename(source)}.fatbin`);
  const gencode = architectures.flatMap((sm) => ['-gencode', `arch=compute_${sm},code=sm_${sm}`]);
  const args = ['-std=c++20', '-O3', '-fatbin', '-Xptxas', '-v', ...flags, ...gencode, `-I${root}/native`];
  const run = spawnSync('nvcc', [...args, source, '-o', output], { cwd: root, encoding: 'utf8' });
  if (run.error?.code === 'ENOENT') throw new Error('nvcc not found: install the CUDA toolkit 13 or newer');
  if (run.status !== 0) throw new Error(`${source} does not compile:\n${run.stderr}`);
  return spawnSync('c++filt', { input: run.stdout + run.stderr, encoding: 'utf8' }).stdout;
}

/** One entry per kernel and architecture, from ptxas -v. */
function parse(log) {
  const entries = [];
  let entry;
  for (const line of log.split('\n')) {
    const start = /Compiling entry function '(.*)' for 'sm_(\d+)a?'/.exec(line);
    if (start) {
      entry = { kernel: shortName(start[1]), sm: start[2], shared: 0 };
      entries.push(entry);
    }
    const spill = /(\d+) bytes spill stores, (\d+) bytes spill loads/.exec(line);
    if (spill && entry) entry.spills = (entry.spills ?? 0) + Number(spill[1]) + Number(spill[2]);
    const used = /Used (\d+) registers/.exec(line);
    if (used && entry) {
      entry.registers = Number(used[1]);
      entry.shared = Number(/(\d+) bytes smem/.exec(line)?.[1] ?? 0);
      entry.stack = Number(/(\d+) bytes cumulative stack/.exec(line)?.[1] ?? 0);
    }
  }
  return entries;
}

function problems(entry) {
  const found = [];
  if (!(entry.spills <= 0)) found.push(`${entry.spills} bytes of spills`);
  if (!(entry.registers <= REGISTERS)) found.push(`${entry.registers} registers, more than ${REGISTERS}`);
  if (entry.shared > SHARED_BYTES) found.push(`${entry.shared} bytes of shared memory, more than ${SHARED_BYTES}`);
  return found.map((what) => `${entry.kernel} for sm_${entry.sm}: ${what}`);
}

function table(entries) {
  const kernels = [...new Set(entries.map((entry) => entry.kernel))].sort();
  const rows = kernels.map((kernel) => {
    const of = (sm) => entries.find((entry) => entry.kernel === kernel && entry.sm === sm);
    const shared = Math.max(...architectures.map((sm) => of(sm).shared));
    const spills = Math.max(...architectures.map((sm) => of(sm).spills));
    return `| \`${kernel}\` | ${architectures.map((sm) => of(sm).registers).join(' | ')} | ${shared} | ${spills} |`;
  });
  const head = ['kernel', ...architectures.map((sm) => `sm_${sm}`), 'static shared bytes', 'spilled bytes'];
  return [`| ${head.join(' | ')} |`, `|${' --- |'.repeat(head.length)}`, ...rows].join('\n');
}

const folder = mkdtempSync(path.join(tmpdir(), 'check-cuda-'));
try {
  const entries = sources.flatMap((source) => {
    const found = parse(compile(source, folder));
    console.log(`${source}: ${found.length} kernels`);
    return found;
  });
  if (process.argv.includes('--write')) {
    const file = path.join(root, 'docs/cuda.md');
    const [before, , after] = readFileSync(file, 'utf8').split(/<!-- table: .* -->\n|<!-- end of table -->\n/);
    const marks = ['<!-- table: node scripts/check-cuda.cjs --write -->', '<!-- end of table -->'];
    writeFileSync(file, `${before}${marks[0]}\n\n${table(entries)}\n\n${marks[1]}\n${after}`);
    spawnSync('npx', ['prettier', '--write', file], { cwd: root, stdio: 'inherit' });
  }
  const failed = entries.flatMap(problems);
  for (const line of failed) console.error(`over budget: ${line}`);
  console.log(`${entries.length} kernels on ${architectures.join(', ')}: ${failed.length} over budget`);
  process.exitCode = failed.length === 0 && entries.length > 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
