#!/usr/bin/env bash
# layers_test.sh must find a planted offence: an upward include, a climb by "..", a bare launch.
#   layers_catches_test.sh ROOT
set -euo pipefail
root=$1
plant() {  # plant FILE LINE
  local copy
  copy=$(mktemp -d)
  trap 'rm -rf "$copy"' RETURN
  (cd "$root" && tar --exclude=tests/data -cf - kernels engine models samplers tools benchmarks tests) | tar xf - -C "$copy"
  echo "$2" >>"$copy/$1"
  if bash "$root/tests/house/layers_test.sh" "$copy" >/dev/null; then
    echo "not found in $1: $2"
    exit 1
  fi
}
plant kernels/core/view.hpp '#include "engine/tensor/tensor.hpp"'
plant engine/tensor/tensor.hpp '#include "models/registry.hpp"'
plant kernels/core/view.hpp '#include <fmt/core.h>'
plant engine/tensor/tensor.cpp '#include "../../kernels/core/view.hpp"'
plant kernels/fill/fill.cu 'void f() { fill_kernel<<<1, 1>>>(); }'
