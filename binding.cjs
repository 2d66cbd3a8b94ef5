'use strict';

// The one place that finds the native binary. node-gyp-build looks in build/Release (a local build), then
// prebuilds/<platform>-<arch>. Plain CommonJS at the package root, so that both lib/ (tests, benchmarks) and dist/
// (published) reach it as '#binding' (package.json, "imports").

const path = require('node:path');
const load = require('node-gyp-build');

try {
  module.exports = load(path.resolve(__dirname));
} catch (cause) {
  // The binary was found and refused a setting: its own message says all.
  if (cause.message.startsWith('CROSSTHINK_')) throw cause;
  const { platform, arch, version } = process;
  const error = new Error(
    [
      `crossthink: no usable native binary for ${platform}-${arch} (Node.js ${version}).`,
      cause.message.trim(),
      'Prebuilt binaries cover linux-x64 and linux-arm64. To build from source, install cmake >= 3.22 and a C++20 compiler:',
      '    sudo apt-get install -y build-essential cmake',
      'then run, in a checkout, npm run build:native, or, as a dependency:',
      '    npm explore crossthink -- npm run build:native',
    ].join('\n'),
    { cause },
  );
  error.code = 'ERR_NATIVE_BINARY';
  throw error;
}
