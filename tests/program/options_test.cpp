#include "tools/options.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"

using namespace ascore;
using tools::chosen_precision;

TEST_CASE("activations are bf16 on a GPU and f32 elsewhere, unless --precision says otherwise") {
  tools::CommonOptions options;
  CHECK(chosen_precision(options, Device::cuda) == DType::bf16);
  CHECK(chosen_precision(options, Device::cpu) == DType::f32);
  CHECK(chosen_precision(options, Device::simt) == DType::f32);
  for (const Device device : {Device::cpu, Device::simt, Device::cuda}) {
    options.precision = "bf16";
    CHECK(chosen_precision(options, device) == DType::bf16);
    options.precision = "f32";
    CHECK(chosen_precision(options, device) == DType::f32);
    options.precision = "tf32";
    CHECK_THROWS_AS(chosen_precision(options, device), ConfigError);
  }
  options.precision = "f64";
  CHECK(chosen_precision(options, Device::cpu) == DType::f64);
  CHECK_THROWS_AS(chosen_precision(options, Device::cuda), ConfigError);
}

TEST_CASE("a command of the CPU alone takes no other precision than f32, which need not be said") {
  tools::CommonOptions options;
  CHECK_NOTHROW(tools::require_cpu_only(options, "evaluate"));
  options.precision = "f32";
  CHECK_NOTHROW(tools::require_cpu_only(options, "evaluate"));
  options.precision = "bf16";
  CHECK_THROWS_AS(tools::require_cpu_only(options, "evaluate"), ConfigError);
}
