#!/usr/bin/env bash
# The folder that tools/pack_deps.sh makes is enough: configures against it with the system's own paths switched off,
# asks where each library came from, and compiles and links a program with the emulated device.
#   pack_deps_test.sh ROOT CMAKE NINJA CXX
set -euo pipefail
root=$1 cmake=$2 ninja=$3 cxx=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bash "$root/tools/pack_deps.sh" "$work/deps"
"$cmake" -S "$root" -B "$work/build" -G Ninja -DCMAKE_MAKE_PROGRAM="$ninja" -DCMAKE_CXX_COMPILER="$cxx" \
  -DCMAKE_PREFIX_PATH="$work/deps" -DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF -DCMAKE_FIND_USE_SYSTEM_ENVIRONMENT_PATH=OFF \
  -DPython3_EXECUTABLE="$(command -v python3)" -DASCORE_FMT_HEADER_ONLY=ON -DASCORE_CUDA=OFF -DASCORE_SIMT=ON -DASCORE_ONEDNN=OFF -DASCORE_BUILD_BENCHMARKS=OFF
outside=$(grep -E '^ASCORE_[A-Z0-9_]+_(INCLUDE|LIBRARY):' "$work/build/CMakeCache.txt" | grep -v NOTFOUND | grep -v "$work/deps" || true)
if [ -n "$outside" ]; then
  echo "found outside the packed folder:"
  echo "$outside"
  exit 1
fi
"$ninja" -C "$work/build" kernels/CMakeFiles/ascore_kernels.dir/simt/runtime.cpp.o
