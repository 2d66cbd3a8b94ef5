#!/usr/bin/env node
'use strict';

// Builds the addon. Every route to a binary comes through here:
//   npm run build:native    development
//   binding.gyp             node-gyp rebuild (prebuildify, source installs)
//   npm explore crossthink -- npm run build:native
//                           a user without a fitting prebuilt binary
// cmake-js drives CMake where it is installed (this repository); the published package depends only on the two header
// packages and calls cmake itself.
//
// Options: --config Release|Debug, --out DIR, --dest DIR, -DNAME=VALUE ...
// Environment: CROSSTHINK_CMAKE_ARGS, more of the same options, space-separated.

const { spawnSync } = require('node:child_process');
const path = require('node:path');

const root = path.resolve(__dirname, '..');

function parse(argv) {
  const options = { config: 'Release', out: '', dest: '', defines: [] };
  const rest = [...argv, ...(process.env.CROSSTHINK_CMAKE_ARGS ?? '').split(/\s+/).filter(Boolean)];
  while (rest.length > 0) {
    const arg = rest.shift();
    if (arg === '--config') options.config = rest.shift();
    else if (arg === '--out') options.out = rest.shift();
    else if (arg === '--dest') options.dest = rest.shift();
    else if (arg.startsWith('-D')) options.defines.push(arg);
    else throw new Error(`Unknown option: ${arg}`);
  }
  options.out = path.resolve(root, options.out || path.join('build', `cmake-${options.config.toLowerCase()}`));
  options.dest = path.resolve(root, options.dest || path.join('build', options.config));
  options.defines.unshift(`-DCROSSTHINK_OUTPUT_DIR=${options.dest}`);
  return options;
}

// A missing tool is answered with the one line that installs all of them.
function requireTools() {
  const compilers = process.env.CXX ? [process.env.CXX] : ['c++', 'g++', 'clang++'];
  const works = (command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
  const missing = [];
  if (!works('cmake')) missing.push('cmake (3.22 or newer)');
  if (!compilers.some(works)) missing.push('a C++20 compiler');
  if (!works('ninja') && !works('make')) missing.push('make or ninja');
  if (missing.length === 0) return;
  console.error(
    `crossthink: building the native addon needs ${missing.join(' and ')}, not found on PATH. Install with:`,
  );
  console.error(
    process.platform === 'darwin'
      ? '    xcode-select --install; brew install cmake'
      : '    sudo apt-get update && sudo apt-get install -y build-essential cmake',
  );
  process.exit(1);
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', cwd: root });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

function resolve(id) {
  try {
    return require.resolve(id);
  } catch {
    return undefined;
  }
}

function withCmakeJs(cmakeJsPackage, { config, out, defines }) {
  const cmakeJs = path.join(path.dirname(cmakeJsPackage), 'bin', 'cmake-js');
  const common = ['--log-level', 'warn', '--directory', root, '--out', out, '--config', config];
  // Always configure: `cmake-js build` skips it, and with it changed options, once a CMakeCache.txt exists.
  run(process.execPath, [cmakeJs, 'configure', ...common, ...defines.map((define) => `--CD${define.slice(2)}`)]);
  run(process.execPath, [cmakeJs, 'build', ...common]);
}

function withCmake({ config, out, defines }) {
  const include = [require('node-api-headers').include_dir, require('node-addon-api').include_dir];
  run('cmake', [
    ...['-S', root, '-B', out, `-DCMAKE_BUILD_TYPE=${config}`],
    `-DCMAKE_JS_INC=${include.map((dir) => path.resolve(dir)).join(';')}`,
    ...defines,
  ]);
  run('cmake', ['--build', out, '--config', config, '--parallel']);
}

const options = parse(process.argv.slice(2));
requireTools();
const cmakeJsPackage = resolve('cmake-js/package.json');
if (cmakeJsPackage) withCmakeJs(cmakeJsPackage, options);
else withCmake(options);
