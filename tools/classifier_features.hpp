#pragma once

#include "tools/features.hpp"

#include <filesystem>
#include <memory>

namespace ascore::tools {

/// What the classifier of a run or a checkpoint sees: on one that was trained on images of one channel, every channel
/// of others is looked at by itself, and the features and logits of an image's channels follow each other. On the
/// session's device, in f32. Throws DataError, ConfigError.
std::unique_ptr<Features> classifier_features(std::unique_ptr<Session> session,
                                              const std::filesystem::path& run_or_file);

}  // namespace ascore::tools
