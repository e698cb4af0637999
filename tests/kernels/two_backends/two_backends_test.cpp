#include "kernels/core/error.hpp"
#include "kernels/core/memory.hpp"
#include "tests/kernels/two_backends/probe.hpp"
#include "tests/support/catch.hpp"

using namespace ascore;

TEST_CASE("the emulated body runs for simt") {
  Stream stream(Device::simt);
  std::vector<float> out(64, -1);
  kernels::simt::probe(stream, out.data());
  CHECK(out == std::vector<float>(64, 2016));
  CHECK(stream.simt_counters().launches == 1);
  CHECK(stream.simt_counters().threads == 64);
  CHECK(stream.simt_counters().barriers == 3);
}

#ifdef ASCORE_HAS_CUDA
TEST_CASE("the CUDA body runs for cuda, and no emulated thread") {
  if (is_available(Device::cuda)) {
    Stream stream(Device::cuda);
    float* const memory = static_cast<float*>(device_allocate(Device::cuda, 64 * sizeof(float)));
    kernels::cuda::probe(stream, memory);
    std::vector<float> out(64, -1);
    copy(stream, View(out.data(), {64}, DType::f32, Device::cpu), ConstView(memory, {64}, DType::f32, Device::cuda));
    device_free(Device::cuda, memory);
    CHECK(out == std::vector<float>(64, 2016));
    CHECK(stream.simt_counters().launches == 0);
  } else {
    // Without a GPU the CUDA runtime itself must be what refuses.
    Stream stream(Device::simt);
    std::vector<float> out(64, -1);
    CHECK_THROWS_AS(kernels::cuda::probe(stream, out.data()), DeviceError);
    CHECK(stream.simt_counters().launches == 0);
    CHECK(out == std::vector<float>(64, -1));
  }
}
#endif
