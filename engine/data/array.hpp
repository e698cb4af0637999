#pragma once

#include "engine/data/dataset.hpp"

namespace ascore {

/// Images of the user's own: config.path is a file that read_image_arrays takes. Where it has no test_images,
/// config.test_fraction of the images is held out. Throws DataError, ConfigError.
std::unique_ptr<Dataset> open_array(const DataConfig& config, const Preparation& preparation, uint64_t seed);

}  // namespace ascore
