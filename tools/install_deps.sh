#!/usr/bin/env bash
# Installs what building ascore needs, on Debian and Ubuntu: as root, or by sudo. Installs only what is missing; on a
# machine that has all of it nothing is asked of the network.
#
#   tools/install_deps.sh          what the program needs (a CPU build)
#   tools/install_deps.sh --test   and what tests and benchmarks need: the emulated device, Catch2, strace, clang (for the
#                                  fuzzers), Google Benchmark
#
# The CUDA toolkit (nvcc) is not installed here: with it on PATH, CUDA is built, without it, not.
set -euo pipefail

packages=(g++ cmake ninja-build libfmt-dev libeigen3-dev libdnnl-dev zlib1g-dev libstb-dev libcli11-dev liblmdb-dev libwebp-dev
          libtomlplusplus-dev nlohmann-json3-dev libopenmpi-dev openmpi-bin)
case "${1:-}" in
  "") ;;
  --test) packages+=(libboost-context-dev catch2 strace python3 xz-utils clang libclang-rt-dev libbenchmark-dev) ;;
  *) echo "install_deps.sh: unknown option '$1'; takes --test or nothing" >&2; exit 2 ;;
esac

if ! command -v dpkg-query >/dev/null; then
  echo "install_deps.sh: this is no Debian or Ubuntu; install by hand: ${packages[*]}" >&2
  exit 1
fi
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "install_deps.sh: run as root, or install sudo; missing: ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi
echo "installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
