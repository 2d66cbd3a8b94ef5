#!/usr/bin/env bash
# Jest against an AddressSanitizer + UndefinedBehaviorSanitizer build of the addon. Arguments go to jest, e.g.
#   scripts/test-asan.sh test/kernels
set -euo pipefail
cd "$(dirname "$0")/.."
# -O1 and checks as calls: instrumented kernels compile four times as fast so, and run about as long as they compile.
node scripts/build-native.cjs --config Debug --out build/cmake-asan --dest build/asan/build/Release \
  -DCROSSTHINK_SANITIZE=address,undefined -DCMAKE_CXX_FLAGS_DEBUG='-O1 --param=asan-instrumentation-with-call-threshold=0'
# Node itself is not instrumented: preload the runtime. No CUDA interpreter: AddressSanitizer does not know its fibres'
# stacks, and the interpreter's checked build looks at memory itself. Leak checking is off, V8 leaks by design at exit.
LD_PRELOAD="$(g++ -print-file-name=libasan.so) $(g++ -print-file-name=libubsan.so)" \
  ASAN_OPTIONS=detect_leaks=0:abort_on_error=1:strict_string_checks=1 \
  UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
  CROSSTHINK_CUDA_MODULE= CROSSTHINK_PREBUILD="$PWD/build/asan" \
  node --expose-gc node_modules/jest/bin/jest.js --runInBand "$@"
