// What training takes per image, as predicted, against what PyTorch keeps; and that it takes no more than profiles say.
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tools/open_data.hpp"
#include "tools/profile/prediction.hpp"

#include <string>
#include <tuple>
#include <vector>

using namespace ascore;
using namespace ascore::tools;

namespace {

/// Bytes per image at 32x32, width 128, that PyTorch keeps in eager f32 training.
constexpr double kPyTorchNcsnv2 = 61.2e6, kPyTorchUnet = 71.6e6;

double per_image(const Recipe& recipe, Device device, DType precision) {
  RunSettings settings{.device = device, .precision = precision, .threads = 2, .batch = 64};
  const MemoryRun large = run_steps(recipe, settings);
  settings.batch = 32;
  return bytes_per_image(large, 64, run_steps(recipe, settings), 32);
}

}  // namespace

TEST_CASE("an image takes no more than its share of what PyTorch keeps", "[profile]") {
  const std::vector<std::tuple<DType, std::string, double>> limits = {{DType::f32, "none", 0.55},
                                                                      {DType::bf16, "none", 0.28},
                                                                      {DType::bf16, "norm", 0.23},
                                                                      {DType::bf16, "block", 1.0 / 9}};
  for (const auto& [network, kept] : {std::pair{"cifar10_ncsnv2", kPyTorchNcsnv2}, {"cifar10_unet", kPyTorchUnet}}) {
    for (const Device device : {Device::cuda, Device::cpu}) {
      for (const auto& [precision, recompute, limit] : limits) {
        const Recipe recipe = load_recipe(network, {"training.recompute=" + recompute});
        INFO(network << ", " << name(device) << " " << name(precision) << ", recompute " << recompute);
        CHECK(per_image(recipe, device, precision) <= limit * kept);
      }
    }
  }
}

TEST_CASE("training fits into what its profile says it takes, and not into less", "[profile]") {
  const std::vector<std::string> small = {"score.width=8", "critic.width=4", "noise.levels=5"};
  for (const char* which : {"digits_plain", "digits"}) {
    INFO(which);
    const Recipe recipe = load_recipe(which, small);
    const auto data = open_data(recipe);
    RunSettings settings{.threads = 1, .batch = 6, .steps = 3};
    const MemoryRun predicted = run_steps(recipe, settings);
    settings.data = data.get();
    settings.limit = predicted.peak_bytes - predicted.library_bytes;  // pools are told of tensors alone
    CHECK(run_steps(recipe, settings).peak_bytes == predicted.peak_bytes);
    settings.limit -= settings.limit / 50;
    CHECK_THROWS_AS(run_steps(recipe, settings), OutOfMemoryError);
  }
}
