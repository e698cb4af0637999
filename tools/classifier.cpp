#include "tools/classifier.hpp"

#include "engine/io/checksum.hpp"
#include "engine/io/host_tensor.hpp"
#include "engine/nn/parameters.hpp"
#include "engine/training/checkpoint.hpp"
#include "kernels/core/error.hpp"
#include "tools/configs.hpp"

#include <span>

#include <fmt/format.h>

namespace ascore::tools {

std::unique_ptr<Classifier> open_classifier(Ctx& ctx, const std::filesystem::path& run_or_file) {
  const std::filesystem::path file = find_checkpoint(run_or_file);
  const Checkpoint checkpoint = read_checkpoint(file);
  const Recipe recipe = parse_recipe(checkpoint.recipe, fmt::format("recipe in {}", file.string()));
  auto network = std::make_unique<Classifier>(classifier_config(recipe));
  ParameterSet parameters(ctx, *network, DType::f32);
  load_classifier(ctx, parameters, checkpoint);
  Checksum sum;
  const HostTensor values = download(ctx.stream, parameters.flat());
  sum.add(std::span(values.bytes));
  network->set_name(fmt::format("classifier of {}, step {}, {}", recipe.data.name, checkpoint.step, sum.text()));
  return network;
}

}  // namespace ascore::tools
