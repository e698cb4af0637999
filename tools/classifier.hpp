#pragma once

#include "engine/autograd/context.hpp"
#include "models/classifier.hpp"

#include <filesystem>
#include <memory>

namespace ascore::tools {

/// The classifier of a run or a checkpoint, by its averaged parameters. Its name says which data it knows, how long it
/// has learned, and a checksum of its parameters. Throws DataError, ConfigError where something else was trained there.
std::unique_ptr<Classifier> open_classifier(Ctx& ctx, const std::filesystem::path& run_or_file);

}  // namespace ascore::tools
