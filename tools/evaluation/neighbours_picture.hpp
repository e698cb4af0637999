#pragma once

#include "tools/evaluation/sample_set.hpp"
#include "tools/features.hpp"

#include <filesystem>

namespace ascore::tools {

/// Shows whether samples copy the data: a picture, each row one of the first ten samples and, behind it, the `k`
/// nearest images of the reference, the nearest first; and beside it, with the ending .csv, which these are (counted
/// from 0 in the reference's order) and how far, Euclidean, in `features`. Throws DataError for images of different
/// shapes, DiskError.
void write_neighbours(const std::filesystem::path& png, const SampleSet& samples, const SampleSet& reference,
                      const Features& features, int k);

}  // namespace ascore::tools
