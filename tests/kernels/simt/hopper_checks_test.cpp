#include "kernels/simt/kernel_error.hpp"
#include "tests/kernels/simt/hopper_bugs.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"

#include <bit>
#include <cmath>
#include <string>

using namespace ascore;

namespace {

/// Random bf16 values as bits.
std::vector<uint16_t> values(size_t count, uint64_t seed) {
  std::vector<uint16_t> bits;
  for (double v : test::normals(count, seed)) {
    bits.push_back(static_cast<uint16_t>(std::bit_cast<uint32_t>(static_cast<float>(v)) >> 16));
  }
  return bits;
}

double value(uint16_t bits) {
  return static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(bits) << 16));
}

}  // namespace

TEST_CASE("every broken rule of Hopper's instructions is found, and nothing in kernels that keep them") {
  const auto a = values(64 * 64, 1), b = values(128 * 64, 2);
  for (const test::HopperBug& bug : test::hopper_bugs()) {
    for (uint64_t schedule : {0, 1, 2, 3}) {
      CAPTURE(bug.name, schedule);
      Stream stream(Device::simt, {.schedule = schedule});
      std::string error = "no error";
      std::vector<float> out;
      try {
        out = bug.run(stream, a, b);
      } catch (const KernelError& e) {
        error = e.what();
      }
      if (bug.message && bug.message != std::string("NaN")) {
        CHECK_THAT(error, Catch::Contains(bug.message));
        continue;
      }
      REQUIRE(error == "no error");
      if (bug.message) {
        for (float sum : out) REQUIRE(std::isnan(sum));
        continue;
      }
      for (size_t m = 0; m < 64; ++m) {
        for (size_t n = 0; n < 128; ++n) {
          double sum = 0, size = 0;
          for (size_t k = 0; k < 64; ++k) {
            const double product = value(a[m * 64 + k]) * value(b[n * 64 + k]);
            sum += product, size += std::abs(product);
          }
          REQUIRE(std::abs(static_cast<double>(out[m * 128 + n]) - sum) <= 1e-6 * size);
        }
      }
    }
  }
}

TEST_CASE("a stream that checks nothing runs a kernel that misses a proxy fence") {
  const auto a = values(64 * 64, 1), b = values(128 * 64, 2);
  for (const test::HopperBug& bug : test::hopper_bugs()) {
    if (bug.name != std::string("no fence_proxy_async")) continue;
    Stream stream(Device::simt, {.checks = SimtChecks::none()});
    CHECK_NOTHROW(bug.run(stream, a, b));
  }
}
