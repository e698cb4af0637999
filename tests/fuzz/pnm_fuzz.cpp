#include "engine/io/pnm.hpp"
#include "tests/fuzz/reads.hpp"

#include <cstdlib>

// An image is as large as its header says.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return ascore::fuzz::reads(data, size, [](auto bytes) {
    const auto [height, width] = ascore::pnm_size(bytes, "input");
    const ascore::HostTensor image = ascore::from_pnm(bytes, "input");
    if (image.shape[0] != height || image.shape[1] != width) std::abort();
  });
}
