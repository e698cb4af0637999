#!/usr/bin/env bash
# Fails if an include points upward: tools -> samplers, models -> engine -> kernels, models and samplers apart. Also if
# one climbs by "..", or if a header that a .cu file can reach includes a library that nvcc cannot read.
#   layers_test.sh ROOT
set -euo pipefail
cd "$1"
bad=$(
  grep -rnE '#include "(engine|models|samplers|tools|tests)/' kernels || true
  grep -rnE '#include "(models|samplers|tools|tests)/' engine || true
  grep -rnE '#include "(samplers|tools|tests)/' models || true
  grep -rnE '#include "(models|tools|tests)/' samplers || true
  grep -rnE '#include "(\.\./|.*/\.\./)' kernels engine models samplers tools benchmarks tests --include='*.?pp' --include='*.cu' || true
  grep -rnE '#include <(fmt|spdlog|toml|CLI|nlohmann|catch2)' kernels --include='*.hpp' --include='*.cu' || true
  grep -rnE '<<<' kernels --include='*.cu' || true
)
if [ -n "$bad" ]; then
  echo "includes or launches that break the layers:"
  echo "$bad"
  exit 1
fi
