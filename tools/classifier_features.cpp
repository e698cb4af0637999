#include "tools/classifier_features.hpp"

#include "tools/classifier.hpp"

#include <utility>

#include <fmt/format.h>

namespace ascore::tools {

namespace {

/// Images [H,W,C], one after another, as images of one channel: each one's red, green, blue.
std::vector<double> as_planes(const std::vector<double>& pixels, int64_t channels, int64_t image) {
  const auto count = static_cast<int64_t>(pixels.size());
  std::vector<double> planes;
  planes.reserve(pixels.size());
  for (int64_t begin = 0; begin < count; begin += image) {
    for (int64_t channel = 0; channel < channels; ++channel) {
      for (int64_t at = channel; at < image; at += channels) planes.push_back(pixels[static_cast<size_t>(begin + at)]);
    }
  }
  return planes;
}

class ClassifierFeatures final : public Features {
 public:
  ClassifierFeatures(std::unique_ptr<Features> network, int64_t channels)
      : network_(std::move(network)), channels_(channels) {}

  FeatureRows of(std::vector<double> pixels, const Shape& shape) const override {
    if (looks(shape) == 1) return network_->of(std::move(pixels), shape);
    return network_->of(as_planes(pixels, shape[2], shape.count()), {shape[0], shape[1], 1});
  }
  int64_t width(const Shape& shape) const override { return looks(shape) * network_->width(shape); }
  std::string name(const Shape& shape) const override {
    const std::string name = network_->name(shape);
    return looks(shape) == 1 ? name : fmt::format("{}, each of {} channels", name, looks(shape));
  }
  int64_t least_samples() const override { return network_->least_samples(); }
  int64_t classes() const override { return network_->classes(); }
  int64_t looks(const Shape& shape) const override { return channels_ == 1 ? shape[2] : 1; }

 private:
  std::unique_ptr<Features> network_;
  int64_t channels_;
};

}  // namespace

std::unique_ptr<Features> classifier_features(std::unique_ptr<Session> session,
                                              const std::filesystem::path& run_or_file) {
  std::unique_ptr<Classifier> classifier = open_classifier(session->ctx(), run_or_file);
  const int64_t channels = classifier->channels();
  return std::make_unique<ClassifierFeatures>(network_features(std::move(session), std::move(classifier)), channels);
}

}  // namespace ascore::tools
