#!/usr/bin/env bash
# Packs the package, installs the tarball in an empty project with every compiler replaced by a tripwire, and uses it by
# import, by require and from the command line.
set -euo pipefail
cd "$(dirname "$0")/.."
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
test -n "$(ls prebuilds/*/*.node 2>/dev/null)" || npm run --silent build:prebuilds
npm pack --silent --ignore-scripts --pack-destination "$work" >/dev/null
mkdir "$work/bin" "$work/app"
for tool in cc c++ gcc g++ clang clang++ make ninja cmake nvcc node-gyp python3; do
  printf '#!/bin/sh\necho "%s was invoked" >&2\nexit 99\n' "$tool" >"$work/bin/$tool"
done
chmod +x "$work"/bin/*
cd "$work/app"
echo '{"private":true}' >package.json
PATH="$work/bin:$PATH" npm install --silent --foreground-scripts "$work"/*.tgz
cat >smoke.mjs <<'JS'
import assert from 'node:assert';
import { createRequire } from 'node:module';
import * as imported from 'crossthink';
const required = createRequire(import.meta.url)('crossthink');
// Every name is seen by ESM too, and is the same object: one copy of everything.
for (const name of Object.keys(required)) assert.strictEqual(imported[name], required[name], name);
console.log('package ok:', Object.keys(required).length, 'exports,', JSON.stringify(imported.runtimeInfo()));
JS
PREBUILDS_ONLY=1 node smoke.mjs
PREBUILDS_ONLY=1 npx --no-install crossthink info
du -b "$work"/*.tgz | cut -f1 | xargs printf 'tarball: %s bytes\n'
