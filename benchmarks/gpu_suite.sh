#!/usr/bin/env bash
# The whole suite on a machine with an NVIDIA GPU, which may be offline: builds, runs every test on Device::cuda, runs the
# kernel tests under compute-sanitizer's four tools, times kernels and steps, fills docs/performance.md, and prints last a
# table of what passed. Goes on after a failure and exits 1 if there was any. A machine that is lent for minutes at a time
# does one phase after the other: what a phase needs of an earlier one lies in the build folder.
#
#   benchmarks/gpu_suite.sh [--only PHASES] [--seconds N] [--deps FOLDER] [--out FOLDER] [--build FOLDER] [--jobs N]
#                           [--python PATH] [--min-time S] [--rows REGEX] [--cases LIST] [--turns N]
#
#   --only      some phases, by commas (default: all), of build, tests (tests-cuda, tests-nccl, tests-rest), sanitizer (sanitizer-memcheck,
#               -racecheck, -initcheck, -synccheck), kernels (kernels-bf16, kernels-f32) and steps: a group or one of it
#   --seconds   what has not begun by then is left out and said so (default: no limit); what runs then is stopped
#   --deps      libraries packed by tools/pack_deps.sh; without it, those of the system are used
#   --out       where logs and reports go (default: gpu-suite-out)
#   --python    a Python with the PyTorch of benchmarks/peers/requirements.txt; without it steps are timed alone
#   --min-time  seconds per row of the kernels (default: 0.005)
#   --rows      kernels whose names hold this regular expression, in place of all; the reports of calls with one --out add up
#   --cases     steps to be timed, by commas (default: all; torch.compile takes minutes for each). Calls with one --out
#               add up in the table
#   --turns     of the steps of both sides (default: 3)
set -uo pipefail
cd "$(dirname "$0")/.."

tools=(memcheck racecheck initcheck synccheck)
phases=build,tests,tests-cuda,tests-nccl,tests-rest,sanitizer,kernels,kernels-bf16,kernels-f32,steps$(printf ',sanitizer-%s' "${tools[@]}")
only=build,tests,sanitizer,kernels,steps rows_wanted="" seconds=0 deps="" out=gpu-suite-out build=build/gpu jobs=$(nproc) python="" min_time=0.005 turns=3
cases=ncsnv2/train,unet/train,ncsnv2/sample,unet/sample,ncsnv2/critic,ncsnv2/adversarial,mlp/train
while [ $# -gt 0 ]; do
  case "$1" in
    --only|--seconds|--deps|--out|--build|--jobs|--python|--min-time|--cases|--turns|--rows)
      [ $# -ge 2 ] || { echo "gpu_suite.sh: $1 needs a value" >&2; exit 2; }
      [ "$1" != --rows ] || { rows_wanted=$2; shift 2; continue; }
      name=${1#--}; declare "${name//-/_}=$2"; shift 2 ;;
    *) echo "gpu_suite.sh: unknown option '$1'" >&2; exit 2 ;;
  esac
done
[[ "$seconds" =~ ^[0-9]+$ ]] || { echo "gpu_suite.sh: --seconds '$seconds' is no whole number" >&2; exit 2; }
for phase in ${only//,/ }; do
  [[ ",$phases," == *",$phase,"* ]] || { echo "gpu_suite.sh: no phase '$phase'; there are $phases" >&2; exit 2; }
done
# wanted PHASE: it, or the group that it is of, was asked for.
wanted() { [[ ",$only," == *",$1,"* || ",$only," == *",${1%%-*},"* ]]; }
mkdir -p "$out"
command -v nvidia-smi >/dev/null || { echo "gpu_suite.sh: no NVIDIA driver on this machine" >&2; exit 6; }
command -v nvcc >/dev/null || export PATH="$PATH:/usr/local/cuda/bin"

rows=()
failed=0
# step NAME COMMAND...: runs within the time that is left, keeps the log, remembers the outcome and the seconds.
step() {
  local name=$1 start=$SECONDS limit=() log
  log=$out/${name//[^a-zA-Z0-9_-]/-}.log
  shift
  if [ "$seconds" -gt 0 ]; then
    if [ "$SECONDS" -ge "$seconds" ]; then
      rows+=("$(printf '%-28s left out: no time' "$name")")
      failed=1
      return 1
    fi
    limit=(timeout $((seconds - SECONDS)))
  fi
  if "${limit[@]}" "$@" >"$log" 2>&1; then
    rows+=("$(printf '%-28s passed %6ss' "$name" $((SECONDS - start)))")
  else
    rows+=("$(printf '%-28s FAILED %6ss  %s' "$name" $((SECONDS - start)) "$log")")
    failed=1
    tail -n 30 "$log"
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
  # cuDNN may be there as a Python package alone
  prefixes=$("${python:-python3}" -c 'import nvidia.cudnn; print(";".join(nvidia.cudnn.__path__))' 2>/dev/null)
  [ -n "$deps" ] && configure+=(-DASCORE_FMT_HEADER_ONLY=ON -DASCORE_ONEDNN=OFF) && prefixes="$(realpath "$deps");$prefixes"
  configure+=(-DCMAKE_PREFIX_PATH="$prefixes")
  step configure "${configure[@]}" || finish
  step build cmake --build "$build" --parallel "$jobs" || finish
fi

wanted tests-cuda && step tests-cuda ctest --test-dir "$build" -L cuda -E nccl --output-on-failure --no-tests=error
# NCCL with one rank; it may be there as a Python package alone
wanted tests-nccl && step tests-nccl env PATH="$PATH:$(dirname "${python:-/usr/bin/python3}")" \
  ctest --test-dir "$build" -L cuda -R nccl --output-on-failure --no-tests=error
wanted tests-rest && step tests-rest ctest --test-dir "$build" -LE 'cuda|house' --output-on-failure --parallel "$jobs" --no-tests=error

for tool in "${tools[@]}"; do
  wanted "sanitizer-$tool" && step "sanitizer-$tool" env ASCORE_TEST_DEVICES=cuda compute-sanitizer --tool "$tool" \
    --error-exitcode 9 "$build/tests/ascore_tests_kernels"
done

bench=$build/benchmarks/ascore-bench
# kernels DTYPE: reports by groups of rows, so that a call that is stopped keeps those that are done; then their table.
kernels() {
  local dtype=$1 group pattern report
  for group in ${rows_wanted:-conv2d_forward conv2d_dgrad conv2d_wgrad conv2d_residual attention linear rest}; do
    pattern="^$group"
    [ "$group" != rest ] || pattern='-^(conv2d|attention|linear)'
    [ -z "$rows_wanted" ] || pattern=$group
    report=$out/kernels-$dtype-${group//[^a-z0-9_]/_}.json
    step "kernels-$dtype $group" "$bench" kernels --device cuda --dtype "$dtype" --batch 128 --benchmark_filter="$pattern" \
      --benchmark_min_time="$min_time" --benchmark_out="$report.partial" && mv "$report.partial" "$report"
  done
  reports=("$out/kernels-$dtype"-*.json)
  step "kernels-$dtype beside cuDNN" grep -l '"yardsticks".*cuDNN' "${reports[0]}"
  step "kernels-$dtype table" python3 benchmarks/compare.py --kernels "${reports[@]}" --table "gpu-kernels-$dtype"
}
if wanted kernels-bf16; then
  kernels bf16
  step conv2d-table python3 benchmarks/compare.py --kernels "${reports[@]}" --shapes conv2d --table gpu-conv2d-bf16
  report=$out/kernels-bf16-attention.json
  if [ -n "$python" ] && [ -f "$report" ] && step attention "$python" benchmarks/peers/attention.py --kernels "$report"; then
    step attention-table python3 benchmarks/compare.py --attention "$out/attention.log" --table gpu-attention
  fi
fi
wanted kernels-f32 && kernels f32

if wanted steps; then
  variants=none
  [ -n "$python" ] && variants=eager,compile
  step steps-bf16 "${python:-python3}" benchmarks/compare.py ${cases//,/ } --device cuda --precision bf16 \
    --ascore-bench "$bench" --variants "$variants" --turns "$turns" --warm-up 5 --rounds 5 --steps 10 \
    --json "$out/steps-bf16.json" --table gpu-steps-bf16
fi
finish
