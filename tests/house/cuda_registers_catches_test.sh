#!/usr/bin/env bash
# tools/cuda_registers.py must find a stack frame. Arguments: the project's folder, nvcc, its release.
set -euo pipefail
project=$1 nvcc=$2 release=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat >"$folder/spilling.cu" <<'END'
__global__ void __launch_bounds__(1024, 2) spilling_kernel(float* values) {  // 64 values live, 32 registers allowed
  float kept[64];
  for (int i = 0; i < 64; ++i) kept[i] = values[i * 1024];
  __syncthreads();
  for (int i = 0; i < 64; ++i) values[i * 1024 + 1] = kept[63 - i];
}
END
"$nvcc" -arch=sm_80 -c "$folder/spilling.cu" -o "$folder/spilling.cu.o"
if output=$("$project/tools/cuda_registers.py" "$folder" --nvcc "$release"); then
  echo "a kernel with a stack frame passed: $output"
  exit 1
fi
grep -q 'sm_80 spilling_kernel(float\*): [1-9][0-9]* bytes of stack' <<<"$output" || { echo "not named: $output"; exit 1; }
grep -q 'spilling_kernel(float\*): not in registers.txt' <<<"$output" || { echo "not missed: $output"; exit 1; }
