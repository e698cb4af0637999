#include "tools/features.hpp"

#include "kernels/core/error.hpp"
#include "models/inception_v3.hpp"
#include "tools/classifier_features.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace ascore::tools {

namespace {

/// The pixels themselves.
class PixelFeatures final : public Features {
 public:
  FeatureRows of(std::vector<double> pixels, const Shape&) const override { return {std::move(pixels), {}}; }
  int64_t width(const Shape& sample_shape) const override { return sample_shape.count(); }
  std::string name(const Shape& sample_shape) const override {
    return fmt::format("pixels {}", to_string(sample_shape));
  }
  int64_t least_samples() const override { return 1; }
};

class NetworkFeatures final : public Features {
 public:
  NetworkFeatures(std::unique_ptr<Session> session, std::unique_ptr<FeatureNetwork> network)
      : session_(std::move(session)), network_(std::move(network)) {
    session_->ctx().compute = DType::f32;
  }

  FeatureRows of(std::vector<double> pixels, const Shape& sample_shape) const override {
    FeatureRows rows;
    const std::span<const double> all = pixels;
    const int64_t size = sample_shape.count(), count = static_cast<int64_t>(all.size()) / size;
    for (int64_t first = 0; first < count; first += kBatch) {
      const int64_t images = std::min(kBatch, count - first);
      session_->run([&] {
        look(all.subspan(static_cast<size_t>(first * size), static_cast<size_t>(images * size)),
             {images, sample_shape[0], sample_shape[1], sample_shape[2]}, rows);
      });
    }
    return rows;
  }
  int64_t width(const Shape&) const override { return network_->width(); }
  std::string name(const Shape&) const override { return network_->name(); }
  int64_t least_samples() const override { return network_->least_samples(); }
  int64_t classes() const override { return network_->classes(); }

 private:
  static constexpr int64_t kBatch = 32;

  void look(std::span<const double> pixels, const Shape& images, FeatureRows& rows) const {
    Ctx& ctx = session_->ctx();
    const ImageFeatures seen = network_->look(ctx, ctx.from_host(pixels, images, DType::f32));
    const auto append = [&](const Tensor& values, std::vector<double>& to) {
      if (!values) return;
      const std::vector<double> more = ctx.to_host(values);
      to.insert(to.end(), more.begin(), more.end());
    };
    append(seen.features, rows.features);
    append(seen.logits, rows.logits);
  }

  std::unique_ptr<Session> session_;
  std::unique_ptr<FeatureNetwork> network_;
};

}  // namespace

void add_features_option(CLI::App& command, std::string& features) {
  command
      .add_option("--features", features,
                  "what images are measured by: pixels, inception:WEIGHTS, the features of the FID, or classifier:RUN, "
                  "what a classifier has learned (pixels)")
      ->type_name("FEATURES");
}

FeatureChoice parse_features(const std::string& text) {
  constexpr std::string_view kInception = "inception:";
  if (text == "pixels") return {};
  if (text.starts_with(kInception) && text.size() > kInception.size()) {
    return {FeatureChoice::Kind::inception, text.substr(kInception.size())};
  }
  constexpr std::string_view kClassifier = "classifier:";
  if (text.starts_with(kClassifier) && text.size() > kClassifier.size()) {
    return {FeatureChoice::Kind::classifier, text.substr(kClassifier.size())};
  }
  throw ConfigError(fmt::format("--features {}: is pixels, inception:WEIGHTS or classifier:RUN", text));
}

void require_measuring(const FeatureChoice& choice, const CommonOptions& options, std::string_view command) {
  CommonOptions checked = options;
  if (choice.kind != FeatureChoice::Kind::pixels) checked.device = "auto";
  require_cpu_only(checked, command);
}

void require_no_features(const FeatureChoice& choice) {
  if (choice.kind == FeatureChoice::Kind::pixels) return;
  throw ConfigError("--features: networks look at images; points are measured as they are");
}

std::unique_ptr<Features> open_features(const FeatureChoice& choice, const CommonOptions& options) {
  if (choice.kind == FeatureChoice::Kind::pixels) return std::make_unique<PixelFeatures>();
  CommonOptions in_f32 = options;
  in_f32.precision = "f32";
  auto session = std::make_unique<Session>(in_f32);
  if (choice.kind == FeatureChoice::Kind::classifier) return classifier_features(std::move(session), choice.weights);
  auto network = open_inception(session->ctx(), choice.weights);
  return network_features(std::move(session), std::move(network));
}

std::unique_ptr<Features> network_features(std::unique_ptr<Session> session, std::unique_ptr<FeatureNetwork> network) {
  return std::make_unique<NetworkFeatures>(std::move(session), std::move(network));
}

}  // namespace ascore::tools
