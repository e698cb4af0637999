#!/usr/bin/env bash
# The whole suite on a machine with an NVIDIA GPU, which may be offline: builds, runs every test on Device::cuda, runs the
# kernel tests under compute-sanitizer's four tools, times kernels and steps, fills docs/performance.md, and prints last a
# table of what passed. Goes on after a failure and exits 1 if there was any. A machine that is lent for minutes at a time
# does one phase after the other: what a phase needs of an earlier one lies in the build folder.
#
#   benchmarks/gpu_suite.sh [--only PHASES] [--seconds N] [--deps FOLDER] [--out FOLDER] [--build FOLDER] [--jobs N]
#                           [--python PATH] [--min-time S] [--cases LIST] [--turns N]
#
#   --only      of build,tests,sanitizer,kernels,steps: some, by commas (default: all)
#   --seconds   what has not begun by then is left out and said so (default: no limit); what runs then is stopped
#   --deps      libraries packed by tools/pack_deps.sh; without it, those of the system are used
#   --out       where logs and reports go (default: gpu-suite-out)
#   --python    a Python with the PyTorch of benchmarks/peers/requirements.txt; without it steps are timed alone
#   --min-time  seconds per row of the kernels (default: 0.005)
#   --cases     steps to be timed, by commas (default: all; torch.compile takes minutes for each). Calls with one --out
#               add up in the table
#   --turns     of the steps of both sides (default: 3)
set -uo pipefail
cd "$(dirname "$0")/.."

phases=build,tests,sanitizer,kernels,steps
only=$phases seconds=0 deps="" out=gpu-suite-out build=build/gpu jobs=$(nproc) python="" min_time=0.005 turns=3
cases=ncsnv2/train,unet/train,ncsnv2/sample,unet/sample,ncsnv2/critic,ncsnv2/adversarial,mlp/train
while [ $# -gt 0 ]; do
  case "$1" in
    --only|--seconds|--deps|--out|--build|--jobs|--python|--min-time|--cases|--turns)
      [ $# -ge 2 ] || { echo "gpu_suite.sh: $1 needs a value" >&2; exit 2; }
      name=${1#--}; declare "${name//-/_}=$2"; shift 2 ;;
    *) echo "gpu_suite.sh: unknown option '$1'" >&2; exit 2 ;;
  esac
done
[[ "$seconds" =~ ^[0-9]+$ ]] || { echo "gpu_suite.sh: --seconds '$seconds' is no whole number" >&2; exit 2; }
for phase in ${only//,/ }; do
  [[ ",$phases," == *",$phase,"* ]] || { echo "gpu_suite.sh: no phase '$phase'; there are $phases" >&2; exit 2; }
done
wanted() { [[ ",$only," == *",$1,"* ]]; }
mkdir -p "$out"
command -v nvidia-smi >/dev/null || { echo "gpu_suite.sh: no NVIDIA driver on this machine" >&2; exit 6; }
command -v nvcc >/dev/null || export PATH="$PATH:/usr/local/cuda/bin"

rows=()
failed=0
# step NAME COMMAND...: runs within the time that is left, keeps the log, remembers the outcome and the seconds.
step() {
  local name=$1 start=$SECONDS limit=()
  shift
  if [ "$seconds" -gt 0 ]; then
    if [ "$SECONDS" -ge "$seconds" ]; then
      rows+=("$(printf '%-28s left out: no time' "$name")")
      failed=1
      return 1
    fi
    limit=(timeout $((seconds - SECONDS)))
  fi
  if "${limit[@]}" "$@" >"$out/$name.log" 2>&1; then
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

if wanted build; then
  configure=(cmake -S . -B "$build" -DCMAKE_BUILD_TYPE=Release -DASCORE_CUDA=ON -DASCORE_TEST_CUDA=ON -DASCORE_WERROR=OFF
             -DASCORE_BUILD_TESTS=ON)
  command -v ninja >/dev/null && configure+=(-G Ninja)
  [ -n "$deps" ] && configure+=(-DCMAKE_PREFIX_PATH="$(realpath "$deps")" -DASCORE_FMT_HEADER_ONLY=ON -DASCORE_ONEDNN=OFF)
  step configure "${configure[@]}" || finish
  step build cmake --build "$build" --parallel "$jobs" || finish
fi

if wanted tests; then
  step tests-cuda ctest --test-dir "$build" -L cuda --output-on-failure --no-tests=error
  step tests-rest ctest --test-dir "$build" -LE 'cuda|house' --output-on-failure --parallel "$jobs" --no-tests=error
fi

if wanted sanitizer; then
  for tool in memcheck racecheck initcheck synccheck; do
    step "sanitizer-$tool" env ASCORE_TEST_DEVICES=cuda compute-sanitizer --tool "$tool" --error-exitcode 9 \
      "$build/tests/ascore_tests_kernels"
  done
fi

bench=$build/benchmarks/ascore-bench
if wanted kernels; then
  for dtype in bf16 f32; do
    step "kernels-$dtype" "$bench" kernels --device cuda --dtype "$dtype" --batch 128 \
      --benchmark_min_time="$min_time" --benchmark_out="$out/kernels-$dtype.json"
  done
  step kernels-table python3 benchmarks/compare.py --kernels "$out/kernels-bf16.json" --table gpu-kernels-bf16
  [ -n "$python" ] && step attention "$python" benchmarks/peers/attention.py --kernels "$out/kernels-bf16.json"
fi

if wanted steps; then
  variants=none
  [ -n "$python" ] && variants=eager,compile
  step steps-bf16 "${python:-python3}" benchmarks/compare.py ${cases//,/ } --device cuda --precision bf16 \
    --ascore-bench "$bench" --variants "$variants" --turns "$turns" --warm-up 5 --rounds 5 --steps 10 \
    --json "$out/steps-bf16.json" --table gpu-steps-bf16
fi
finish
