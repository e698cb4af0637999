#!/usr/bin/env bash
# Gathers into one folder what ascore needs to build on an offline machine that has a compiler, cmake, ninja and the CUDA
# toolkit, and nothing else: headers, libboost_context.a, libz.a and libbenchmark.so (Debian has it in no other form). Run
# where tools/install_deps.sh --test has run.
#
#   tools/pack_deps.sh [FOLDER]      FOLDER: deps by default; replaced if this script made it
#   cmake -S . -B build -G Ninja -DCMAKE_PREFIX_PATH=$PWD/deps -DASCORE_FMT_HEADER_ONLY=ON -DASCORE_ONEDNN=OFF
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-deps}
marker=.packed-by-ascore

if [ -e "$out" ] && [ ! -e "$out/$marker" ]; then
  echo "pack_deps.sh: $out exists and was not made by this script; remove it or name another folder" >&2
  exit 2
fi
rm -rf "$out"
mkdir -p "$out/include" "$out/lib"
touch "$out/$marker"

# Copies a header-only library: its folder (or file) below an include path of the compiler's.
take() {
  local from
  for root in /usr/include /usr/local/include; do
    [ -e "$root/$1" ] && from=$root/$1 && break
  done
  [ -n "${from:-}" ] || { echo "pack_deps.sh: no header $1; run tools/install_deps.sh --test first" >&2; exit 1; }
  mkdir -p "$out/include/$(dirname "$1")"
  cp -rL "$from" "$out/include/$1"
}
for header in fmt eigen3 stb toml++ nlohmann CLI catch2 benchmark zlib.h; do take "$header"; done
for triplet_header in /usr/include/*/zconf.h /usr/include/zconf.h; do
  [ -e "$triplet_header" ] && cp -L "$triplet_header" "$out/include/" && break
done

# Of Boost only what fibers include: the compiler knows.
printf '#include <boost/context/fiber.hpp>\n#include <boost/context/pooled_fixedsize_stack.hpp>\n' |
  g++ -std=c++20 -M -x c++ - | tr -s ' \\\n' '\n' | grep '^/usr.*/boost/' | sort -u | while read -r header; do
    relative=boost/${header#*/boost/}
    mkdir -p "$out/include/$(dirname "$relative")"
    cp -L "$header" "$out/include/$relative"
  done

for library in libboost_context.a libz.a libbenchmark.so; do
  path=$(g++ -print-file-name="$library")
  [ -e "$path" ] || { echo "pack_deps.sh: no $library; run tools/install_deps.sh --test first" >&2; exit 1; }
  cp -L "$path" "$out/lib/"
done
# By the name, too, under which a linked program asks for it.
cp -L "$path" "$out/lib/$(objdump -p "$path" | awk '$1 == "SONAME" {print $2}')"
du -sh "$out" | awk -v folder="$out" '{print "packed " folder ": " $1}'
