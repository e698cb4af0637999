#include "engine/io/npy.hpp"
#include "tests/fuzz/reads.hpp"

#include <cstdlib>

// What was read must come back from what is written of it.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return ascore::fuzz::reads(data, size, [](auto bytes) {
    const ascore::HostTensor x = ascore::from_npy(bytes, "input");
    if (!(ascore::from_npy(ascore::to_npy(x), "written") == x)) std::abort();
  });
}
