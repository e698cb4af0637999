#pragma once

#include "engine/data/dataset.hpp"
#include "tools/recipe/recipe.hpp"

#include <memory>

namespace ascore::tools {

/// Opens a recipe's data, and tells on stderr what its opening wants known. Throws as open_dataset does.
std::unique_ptr<Dataset> open_data(const Recipe& recipe);

}  // namespace ascore::tools
