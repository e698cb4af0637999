#include "tools/open_data.hpp"

#include "tools/configs.hpp"

#include <cstdio>

#include <fmt/format.h>

namespace ascore::tools {

std::unique_ptr<Dataset> open_data(const Recipe& recipe) {
  std::unique_ptr<Dataset> data = open_dataset(data_config(recipe), static_cast<uint64_t>(recipe.seed));
  for (const std::string& notice : data->notices()) fmt::print(stderr, "ascore: {}\n", notice);
  return data;
}

}  // namespace ascore::tools
