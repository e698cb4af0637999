#!/usr/bin/env bash
# The whole suite on a machine with an NVIDIA GPU, which may be offline: builds, runs every test on Device::cuda, runs the
# kernel tests under compute-sanitizer's four tools, and prints a table of what passed last. Goes on after a failure and
# exits 1 if there was any.
#
#   benchmarks/gpu_suite.sh [--deps FOLDER] [--out FOLDER] [--build FOLDER] [--no-sanitizer] [--jobs N]
#
#   --deps    libraries packed by tools/pack_deps.sh; without it, those of the system are used
#   --out     where logs go (default: gpu-suite-out)
set -uo pipefail
cd "$(dirname "$0")/.."

deps="" out=gpu-suite-out build=build/gpu sanitizer=1 jobs=$(nproc)
while [ $# -gt 0 ]; do
  case "$1" in
    --deps|--out|--build|--jobs)
      [ $# -ge 2 ] || { echo "gpu_suite.sh: $1 needs a value" >&2; exit 2; }
      declare "${1#--}=$2"; shift 2 ;;
    --no-sanitizer) sanitizer=0; shift ;;
    *) echo "gpu_suite.sh: unknown option '$1'" >&2; exit 2 ;;
  esac
done
mkdir -p "$out"
command -v nvidia-smi >/dev/null || { echo "gpu_suite.sh: no NVIDIA driver on this machine" >&2; exit 6; }
command -v nvcc >/dev/null || export PATH="$PATH:/usr/local/cuda/bin"

rows=()
failed=0
# step NAME COMMAND...: runs, keeps the log, remembers the outcome and the seconds.
step() {
  local name=$1 start=$SECONDS
  shift
  if "$@" >"$out/$name.log" 2>&1; then
    rows+=("$(printf '%-28s passed %6ss' "$name" $((SECONDS - start)))")
  else
    rows+=("$(printf '%-28s FAILED %6ss  %s' "$name" $((SECONDS - start)) "$out/$name.log")")
    failed=1
    tail -n 30 "$out/$name.log"
    return 1
  fi
}
finish() {
  nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
  printf '%s\n' "${rows[@]}"
  exit "$failed"
}

configure=(cmake -S . -B "$build" -DCMAKE_BUILD_TYPE=Release -DASCORE_CUDA=ON -DASCORE_TEST_CUDA=ON -DASCORE_WERROR=OFF
           -DASCORE_BUILD_TESTS=ON)
command -v ninja >/dev/null && configure+=(-G Ninja)
[ -n "$deps" ] && configure+=(-DCMAKE_PREFIX_PATH="$(realpath "$deps")" -DASCORE_FMT_HEADER_ONLY=ON -DASCORE_ONEDNN=OFF)

step configure "${configure[@]}" || finish
step build cmake --build "$build" --parallel "$jobs" || finish
step tests-cuda ctest --test-dir "$build" -L cuda --output-on-failure --no-tests=error
step tests-rest ctest --test-dir "$build" -LE 'cuda|house' --output-on-failure --parallel "$jobs" --no-tests=error

if [ "$sanitizer" = 1 ]; then
  for tool in memcheck racecheck initcheck synccheck; do
    step "sanitizer-$tool" env ASCORE_TEST_DEVICES=cuda compute-sanitizer --tool "$tool" --error-exitcode 9 \
      "$build/tests/ascore_tests_kernels"
  done
fi
finish
