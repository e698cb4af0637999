#include "engine/data/stacked_mnist.hpp"

#include "engine/data/mnist.hpp"
#include "engine/training/random_streams.hpp"
#include "kernels/core/distributions.hpp"
#include "kernels/core/error.hpp"

#include <array>

#include <fmt/format.h>

namespace ascore {

namespace {

constexpr int kSide = 28, kPixels = kSide * kSide, kStacked = 3;

class StackedMnist final : public Dataset {
 public:
  StackedMnist(ByteImageSplits digits, const Preparation& preparation, uint64_t seed)
      : Dataset({kSide, kSide, kStacked}, preparation, seed), digits_(std::move(digits)) {}

  int64_t size(Split split) const override { return static_cast<int64_t>(part(split).labels.size()); }

  int64_t label(Split split, int64_t index) const override {
    int64_t label = 0;
    for (const size_t digit : stacked(split, index)) label = 10 * label + part(split).labels[digit];
    return label;
  }

 protected:
  void load(Split split, int64_t index, float* out) const override {
    const std::array<size_t, kStacked> digits = stacked(split, index);
    for (size_t c = 0; c < kStacked; ++c) {
      const uint8_t* pixels = part(split).pixels.data() + digits[c] * kPixels;
      for (size_t p = 0; p < kPixels; ++p) out[p * kStacked + c] = static_cast<float>(pixels[p]) / 255.0f;
    }
  }

 private:
  const ByteImages& part(Split split) const { return split == Split::train ? digits_.train : digits_.test; }

  /// The digits in red, green and blue of a sample, as places in its split.
  std::array<size_t, kStacked> stacked(Split split, int64_t index) const {
    const uint64_t sample = static_cast<uint64_t>(index) + (split == Split::test ? uint64_t{1} << 47 : 0);
    const RandomBits bits =
        random_bits({.seed = seed(), .stream = id(RandomStream::dataset), .first_sample = sample, .step = 0}, 0, 0);
    std::array<size_t, kStacked> digits{};
    for (size_t c = 0; c < kStacked; ++c) digits[c] = static_cast<size_t>(index_from_bits(bits.word[c], size(split)));
    return digits;
  }

  ByteImageSplits digits_;
};

}  // namespace

std::unique_ptr<Dataset> open_stacked_mnist(const DataConfig& config, const Preparation& preparation, uint64_t seed) {
  if (config.path.empty()) throw ConfigError("data.path: stackedmnist needs the folder of MNIST's four idx files");
  return std::make_unique<StackedMnist>(read_mnist(config.path), preparation, seed);
}

}  // namespace ascore
