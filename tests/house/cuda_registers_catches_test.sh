#!/usr/bin/env bash
# tools/cuda_registers.py must find a stack frame, and a Hopper kernel whose products wait and that stores by generic addresses. Arguments: the project's folder,
# nvcc, its release.
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

# Sums that are read while products run: ptxas lets the products wait, and says so only as information.
cat >"$folder/waiting.cu" <<'END'
#include "kernels/core/hopper.hpp"
using namespace ascore::kernels::cuda;
template <class T>
__global__ void __launch_bounds__(128) hopper_product_kernel(uint64_t a, uint64_t b, T* out) {
  float sums[64] = {};
  wgmma_fence();
  wgmma<false, false>(sums, a, b);
  wgmma_commit();
  out[0] = sums[0];
  wgmma_wait<1>();
  wgmma_wait<0>();
  wgmma_settle(sums);
  for (int i = 0; i < 64; ++i) out[i] = sums[i];
  extern __shared__ float shared[];  // by a number, so that its memory could be any
  T* const aligned = reinterpret_cast<T*>((reinterpret_cast<uintptr_t>(shared) + 1023) / 1024 * 1024);
  aligned[threadIdx.x] = sums[0];
}
template __global__ void hopper_product_kernel<float>(uint64_t, uint64_t, float*);
END
"$nvcc" -std=c++20 --expt-relaxed-constexpr -gencode=arch=compute_90a,code=sm_90a -I "$project" -c "$folder/waiting.cu" \
  -o "$folder/waiting.cu.o" 2>/dev/null
output=$("$project/tools/cuda_registers.py" "$folder" --nvcc "$release" || true)
grep -q 'hopper_product_kernel<float>.*fences of and waits for products, not 3' <<<"$output" || { echo "not found: $output"; exit 1; }
grep -q 'hopper_product_kernel<float>.*0 changes of the register count' <<<"$output" || { echo "not found: $output"; exit 1; }
grep -q 'hopper_product_kernel<float>.*0 loads and [1-9][0-9]* stores by generic addresses' <<<"$output" || { echo "not found: $output"; exit 1; }
