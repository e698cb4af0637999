#!/usr/bin/env bash
# Builds everything this machine can build (CPU; the emulated device; CUDA if nvcc is there), with warnings as errors,
# and runs all tests. Ends in ctest's summary.
#
#   tools/test.sh              everything
#   tools/test.sh -R conv2d    arguments go to ctest: -R NAME, -L LABEL, -E NAME, ...
set -euo pipefail
cd "$(dirname "$0")/.."

tools/install_deps.sh --test
[ -x /usr/local/cuda/bin/nvcc ] && export PATH="$PATH:/usr/local/cuda/bin"
cmake --preset dev
cmake --build --preset dev --parallel "$(nproc)"
ctest --preset dev --parallel "$(nproc)" "$@"
