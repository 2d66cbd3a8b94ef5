#!/usr/bin/env bash
# What to run on a machine with an NVIDIA GPU: every kernel on the device against the CPU, bit for bit, then timings
# against the measured copy bandwidth and, where Python has them, PyTorch and FlashInfer; under compute-sanitizer where
# that is installed; then jest on the device where Node.js is. Writes bench/results/<gpu>.json and .md. Needs nvcc 13
# and a driver of 580 or newer; nothing else. CROSSTHINK_PYTHON names a Python other than python3.
#
#   npm run gpu-check                 or, on a bare machine:  bash scripts/gpu-check.sh
#   bash scripts/gpu-check.sh --interpreter    the same steps on the host interpreter (after npm run build:interpreter)
set -euo pipefail
cd "$(dirname "$0")/.."
step() { printf '\n=== %s (%ss)\n' "$*" "$SECONDS"; }
failed=0

# One source of truth: the lists of native/cuda.cmake.
list() { tr '\n' ' ' <native/cuda.cmake | sed -nE "s/.*set\($1 +([^)]*)\).*/\1/p"; }

if [ "${1:-}" = --interpreter ]; then
  name=interpreter
  runner=build/interpreter/gpu_runner_plain
  size=--small
  export CROSSTHINK_CUBLAS="$PWD/build/interpreter/libcublas.so"
  [ -x "$runner" ] || { echo "missing $runner: run npm run build:interpreter" >&2; exit 1; }
else
  command -v nvidia-smi >/dev/null || { echo 'no NVIDIA driver (nvidia-smi) on this machine' >&2; exit 1; }
  nvcc="$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)"
  name="$(nvidia-smi --query-gpu=name --format=csv,noheader -i 0 | tr -cs 'A-Za-z0-9\n' '-' | sed 's/-$//')"
  runner=build/gpu/gpu_runner
  size=
  step "building the runner with $nvcc"
  mkdir -p build/gpu
  # shellcheck disable=SC2046 # Lists of words.
  "$nvcc" -std=c++20 -O3 -arch=native --threads 0 $(list CROSSTHINK_NVCC_FLAGS) \
    -Xcompiler=-ffp-contract=off,-fno-math-errno,-pthread -Inative -Itest/gpu \
    $(list CROSSTHINK_GPU_RUNNER_SOURCES) $(list CROSSTHINK_CUDA_KERNEL_SOURCES) -o "$runner"
fi

results=bench/results
mkdir -p "$results"
log="$results/$name.log"

# Runs a command for at most so many seconds, and never past eight minutes in all: what had no time is said, and fails.
within() {
  local left=$((470 - SECONDS)) seconds=$1
  shift
  [ "$left" -gt 10 ] || { echo "not run, eight minutes are over: $*" | tee -a "$log"; return 124; }
  timeout "$((left < seconds ? left : seconds))" "$@"
}

step 'bits and timings'
within 240 "$runner" $size --json "$results/$name.json" | tee "$log" || failed=1

# What jest does with the checked build, without Node.js.
if [ "$name" = interpreter ]; then
  for seed in 1 2 3 4 5; do
    step "races, bounds, uninitialised memory: random order $seed"
    CUDA_INTERPRETER_SEED=$seed within 60 build/interpreter/gpu_runner_checked --small --no-timing >>"$log" 2>"$log.found" || failed=1
    tail -1 "$log"
    [ ! -s "$log.found" ] || { failed=1; tee -a "$log" <"$log.found"; } # What the checker finds it says on stderr.
    rm "$log.found"
  done
fi

if command -v npx >/dev/null && [ -d node_modules ]; then
  step 'jest on the device'
  if [ "$name" = interpreter ]; then
    within 240 npx jest test/cuda --silent || failed=1
  else
    within 240 npm run --silent build:cuda -- --dest build/gpu --out build/gpu/cmake -DCMAKE_CUDA_ARCHITECTURES=native &&
      CROSSTHINK_CUDA_MODULE="$PWD/build/gpu/libcrossthink_cuda.so" within 240 npx jest test/kernels test/cuda/ --silent ||
      failed=1
  fi
fi

# In the rehearsal on the CPU, where any PyTorch will do.
step 'PyTorch and FlashInfer'
python="${CROSSTHINK_PYTHON:-python3}"
device=$([ "$name" = interpreter ] && echo cpu || echo cuda)
if "$python" -c "import sys, torch; sys.exit('$device' == 'cuda' and not torch.cuda.is_available())" 2>/dev/null; then
  within 120 "$python" bench/peers/gpu_peers.py "$results/$name.json" --device "$device" --seconds 90 2>&1 |
    tee -a "$log" || failed=1
else
  echo "PyTorch (on $device) and FlashInfer: not installed" | tee -a "$log"
fi

if [ "$name" != interpreter ] && command -v compute-sanitizer >/dev/null; then
  for tool in memcheck racecheck initcheck synccheck; do
    step "compute-sanitizer $tool"
    status=0
    within 90 compute-sanitizer --tool "$tool" --error-exitcode 1 "$runner" --small --no-timing >"$log.$tool" 2>&1 || status=$?
    case $status in
      0) echo "compute-sanitizer $tool: no finding" ;;
      124) echo "compute-sanitizer $tool: not finished in time, no finding until then" ;;
      *) echo "compute-sanitizer $tool: FAILED"; tail -20 "$log.$tool" ;;
    esac | tee -a "$log"
    [ $status = 0 ] || [ $status = 124 ] || failed=1
    rm "$log.$tool"
  done
elif [ "$name" != interpreter ]; then
  echo 'compute-sanitizer: not installed' | tee -a "$log"
fi

step "writing $results/$name.md"
{
  printf '# %s\n\nBy `scripts/gpu-check.sh` on %s, commit %s: %s.\n\n' "$name" "$(date -u +%Y-%m-%d)" \
    "$(git rev-parse --short HEAD 2>/dev/null || echo unknown)" "$([ $failed = 0 ] && echo passed || echo FAILED)"
  if command -v nvidia-smi >/dev/null; then
    printf 'Driver %s.\n\n' "$(nvidia-smi --query-gpu=driver_version --format=csv,noheader -i 0)"
  fi
  printf '```\n%s\n```\n' "$(cat "$log")"
} >"$results/$name.md"
rm "$log"
[ $failed = 0 ] && step 'passed' || step 'FAILED'
exit $failed
