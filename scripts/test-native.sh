#!/usr/bin/env bash
# C++ unit tests, no Node.js involved. Extra arguments go to cmake, e.g.
#   scripts/test-native.sh -DCROSSTHINK_SANITIZE=thread
set -euo pipefail
cd "$(dirname "$0")/.."
build="build/native-test${1:+-$(printf '%s' "$*" | tr -c 'a-zA-Z0-9\n' '-')}"
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
  -DCROSSTHINK_BUILD_ADDON=OFF -DCROSSTHINK_BUILD_TESTS=ON "$@" >/dev/null
cmake --build "$build"
ctest --test-dir "$build" --output-on-failure
