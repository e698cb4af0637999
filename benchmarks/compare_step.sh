#!/usr/bin/env bash
# The training step of NCSNv2 (ngf 128, batch 4, 32x32, f32) here and in PyTorch, in turns on one machine, so that what
# else runs there falls on both. Prints every run, then the medians and their ratios (below 1: we are faster).
#
#   PYTHON=python3 benchmarks/compare_step.sh [path of ascore-bench] [rounds]
set -euo pipefail
cd "$(dirname "$0")/.."
bench=${1:-build/benchmarks/ascore-bench}
rounds=${2:-5}
python=${PYTHON:-python3}
threads=${THREADS:-2}
ours=() plain=() last=()
milliseconds() { sed -n 's/^step ms \([0-9.]*\).*/\1/p'; }
median() { printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"; }
for ((round = 1; round <= rounds; ++round)); do
  ours+=("$("$bench" step --threads "$threads" | milliseconds)")
  plain+=("$("$python" benchmarks/peers/ncsnv2_step.py --threads "$threads" | milliseconds)")
  last+=("$("$python" benchmarks/peers/ncsnv2_step.py --threads "$threads" --channels-last | milliseconds)")
  echo "round $round: ascore ${ours[-1]} ms, PyTorch ${plain[-1]} ms, PyTorch channels_last ${last[-1]} ms"
done
a=$(median "${ours[@]}") b=$(median "${plain[@]}") c=$(median "${last[@]}")
awk -v a="$a" -v b="$b" -v c="$c" 'BEGIN {
  printf "median: ascore %.1f ms, PyTorch %.1f ms (ratio %.3f), channels_last %.1f ms (ratio %.3f)\n", a, b, a / b, c, a / c }'
