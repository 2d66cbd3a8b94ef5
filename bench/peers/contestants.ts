import { existsSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { llamaCases, type Koffi } from './llama.js';
import { onnxruntimeCases, type OnnxRuntime } from './onnxruntime.js';
import { ownCases } from './own.js';
import { plainCases } from './plain.js';
import { type PeerCase, type Problem } from './problem.js';
import { PyTorch } from './pytorch.js';
import { tensorflowCases, type TensorFlow, type WasmBackend } from './tensorflow.js';
import { transformersCases, type Maths } from './transformers.js';

/** Installs this folder's package.json on first use: registry packages only, without their install scripts. */
export function install(folder: string): void {
  if (existsSync(path.join(folder, 'node_modules'))) return;
  console.log('installing bench/peers (once) ...');
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder, stdio: 'inherit' });
}

export interface Contestants {
  readonly cases: readonly PeerCase[];
  /** Peers that could not be started, and why. */
  readonly missing: Readonly<Record<string, string>>;
  readonly versions: Readonly<Record<string, string>>;
  close(): void;
}

/** Everyone who can run the problem here, or CrossThink and the peer `only`. */
export async function contestants(problem: Problem, folder: string, only?: string): Promise<Contestants> {
  const cases = [...ownCases(problem), ...(only === undefined ? plainCases(problem) : [])];
  const missing: Record<string, string> = {};
  const versions: Record<string, string> = {};
  const closers: (() => void)[] = [];
  const fromFolder = createRequire(path.join(folder, 'package.json'));
  const module = (name: string): unknown => fromFolder(name);
  const join = async (name: string, start: () => PeerCase[] | Promise<PeerCase[]>): Promise<void> => {
    if (only !== undefined && only !== name) return;
    try {
      cases.push(...(await start()));
    } catch (error) {
      missing[name] = (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
    }
  };
  const { dependencies } = module('./package.json') as { dependencies: Record<string, string> };
  Object.assign(versions, dependencies);
  await join('onnxruntime-node', () => onnxruntimeCases(problem, module('onnxruntime-node') as OnnxRuntime));
  await join('tfjs', () =>
    tensorflowCases(
      problem,
      module('@tensorflow/tfjs-core') as TensorFlow,
      module('@tensorflow/tfjs-backend-wasm') as WasmBackend,
      folder,
    ),
  );
  await join('transformers.js', async () => {
    // Not exported by the package; plain ES modules without dependencies.
    const file = path.join(folder, 'node_modules/@huggingface/transformers/src/utils/maths.js');
    return transformersCases(problem, (await import(pathToFileURL(file).href)) as Maths);
  });
  await join('llama.cpp', () => llamaCases(problem, module('koffi') as Koffi, folder));
  await join('PyTorch', async () => {
    const torch = new PyTorch(problem);
    closers.push(() => {
      torch.close();
    });
    const started = await torch.cases();
    versions['torch'] = started.version;
    return started.cases;
  });
  return {
    ...{ cases, missing, versions },
    close: () => {
      for (const close of closers) close();
    },
  };
}
