#include "engine/io/safetensors.hpp"
#include "tests/fuzz/reads.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return ascore::fuzz::reads(data, size, [](auto bytes) { ascore::from_safetensors(bytes, "input"); });
}
