#!/usr/bin/env bash
# clang-format over native/: `-i` rewrites, no argument checks (what CI runs).
set -euo pipefail
cd "$(dirname "$0")/.."
git ls-files -co --exclude-standard 'native/*.h' 'native/*.cpp' 'native/*.cu' 'native/*.cuh' 'test/*.h' 'test/*.cpp' 'test/*.cu' | xargs -r clang-format ${1:---dry-run --Werror}
