#pragma once

#include "kernels/core/shape.hpp"
#include "models/feature_network.hpp"
#include "tools/options.hpp"
#include "tools/session.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ascore::tools {

/// What images are measured by.
struct FeatureRows {
  std::vector<double> features;  ///< [N,D]
  std::vector<double> logits;    ///< [N,K]; empty where no classes are told apart
};

/// Turns images into what they are measured by.
class Features {
 public:
  virtual ~Features() = default;
  Features() = default;
  Features(const Features&) = delete;
  Features& operator=(const Features&) = delete;

  /// `pixels`: images of `sample_shape` [H,W,C] with values in [0,1], one after another. Throws DataError for images
  /// that the features are not made for.
  virtual FeatureRows of(std::vector<double> pixels, const Shape& sample_shape) const = 0;
  virtual int64_t width(const Shape& sample_shape) const = 0;
  /// What they are features of; it must agree where they are compared, and stands beside every number.
  virtual std::string name(const Shape& sample_shape) const = 0;
  /// Fewer samples are not measured.
  virtual int64_t least_samples() const = 0;
  /// Classes that a look at an image tells apart; 0: none.
  virtual int64_t classes() const { return 0; }
  /// How often an image is looked at, the logits of each look behind those of the one before: once, or channel by
  /// channel.
  virtual int64_t looks(const Shape&) const { return 1; }
};

/// What --features says.
struct FeatureChoice {
  enum class Kind : uint8_t { pixels, inception, classifier };
  Kind kind = Kind::pixels;
  std::filesystem::path weights;  ///< of Inception; the run or checkpoint of a classifier
};
void add_features_option(CLI::App& command, std::string& features);
/// Throws ConfigError, naming what there is.
FeatureChoice parse_features(const std::string& text);

/// For a command that measures and does nothing else: pixels are read on the cpu, networks look in f32. Throws
/// ConfigError where --device or --precision ask for anything else.
void require_measuring(const FeatureChoice& choice, const CommonOptions& options, std::string_view command);

/// For points, which have no features. Throws ConfigError for any but pixels.
void require_no_features(const FeatureChoice& choice);

/// Opens weights where the choice names some, on the device of the options. Throws DataError, which says how to come by
/// them; DeviceError.
std::unique_ptr<Features> open_features(const FeatureChoice& choice, const CommonOptions& options);

/// Those of a network, in f32, on the session's device.
std::unique_ptr<Features> network_features(std::unique_ptr<Session> session, std::unique_ptr<FeatureNetwork> network);

}  // namespace ascore::tools
