#include "engine/data/points.hpp"

#include "engine/training/random_streams.hpp"
#include "kernels/core/distributions.hpp"

#include <cmath>
#include <numbers>

namespace ascore {

namespace {

constexpr int64_t kTrain = 50'000, kTest = 10'000;

class Points final : public Dataset {
 public:
  Points(std::optional<Mixture> mixture, const Preparation& preparation, uint64_t seed)
      : Dataset({2}, preparation, seed), mixture_(std::move(mixture)) {}

  int64_t size(Split split) const override { return split == Split::train ? kTrain : kTest; }

  int64_t label(Split split, int64_t index) const override {
    if (!mixture_) return 0;
    return index_from_bits(bits(split, index, 1).word[0], static_cast<int64_t>(mixture_->centres.size()));
  }

 protected:
  void load(Split split, int64_t index, float* out) const override {
    const Draws z = normals(bits(split, index, 0));
    if (mixture_) {
      const auto& centre = mixture_->centres[static_cast<size_t>(label(split, index))];
      for (int i = 0; i < 2; ++i)
        out[i] = static_cast<float>(centre[static_cast<size_t>(i)] + mixture_->spread * z.value[i]);
    } else {
      const double u = uniforms(bits(split, index, 1)).value[0];
      const double t = 1.5 * std::numbers::pi * (1 + 2 * u);
      out[0] = static_cast<float>((t * std::cos(t) + 0.25 * z.value[0]) / 7.5);
      out[1] = static_cast<float>((t * std::sin(t) + 0.25 * z.value[1]) / 7.5);
    }
  }

 private:
  // Draw 0 of a sample is its noise, draw 1 its place.
  RandomBits bits(Split split, int64_t index, uint32_t draw) const {
    const uint64_t sample = static_cast<uint64_t>(index) + (split == Split::test ? uint64_t{1} << 47 : 0);
    return random_bits({.seed = seed(), .stream = id(RandomStream::dataset), .first_sample = sample, .step = draw}, 0,
                       0);
  }

  std::optional<Mixture> mixture_;
};

}  // namespace

std::optional<Mixture> mixture_of(std::string_view data_name) {
  Mixture mixture;
  if (data_name == "gaussians8") {
    mixture.spread = 0.02 / 1.414;
    for (int k = 0; k < 8; ++k) {
      const double angle = k * std::numbers::pi / 4;
      mixture.centres.push_back({2 * std::cos(angle) / 1.414, 2 * std::sin(angle) / 1.414});
    }
    return mixture;
  }
  if (data_name == "gaussians25") {
    mixture.spread = 0.05 / 2.828;
    for (int i = -2; i <= 2; ++i) {
      for (int j = -2; j <= 2; ++j) mixture.centres.push_back({2 * i / 2.828, 2 * j / 2.828});
    }
    return mixture;
  }
  return std::nullopt;
}

std::unique_ptr<Dataset> open_points(const DataConfig& config, const Preparation& preparation, uint64_t seed) {
  return std::make_unique<Points>(mixture_of(config.name), preparation, seed);
}

}  // namespace ascore
