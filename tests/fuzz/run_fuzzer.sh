#!/usr/bin/env bash
# Runs one fuzzer: run_fuzzer.sh PROGRAM SEEDS RUNS. What it finds on the way stays in a folder that is thrown away; an
# input that makes the reader fail is kept beside the program, and named.
set -euo pipefail
program=$1 seeds=$2 runs=$3
found=$(mktemp -d)
trap 'rm -rf "$found"' EXIT
# A small quarantine: with the usual 256 MB most of the time goes into new pages.
export ASAN_OPTIONS=quarantine_size_mb=16
"$program" "$found" "$seeds" -dict="$seeds.dict" -runs="$runs" -seed=1 -entropic=0 -max_len=8192 -timeout=60 -rss_limit_mb=1024 \
  -print_final_stats=1 -verbosity=1 -artifact_prefix="$program-" 2>&1 | tail -200
