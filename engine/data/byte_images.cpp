#include "engine/data/byte_images.hpp"

namespace ascore {

ByteImageDataset::ByteImageDataset(const Shape& sample_shape, ByteImages train, ByteImages test, float white,
                                   const Preparation& preparation, uint64_t seed)
    : Dataset(sample_shape, preparation, seed), train_(std::move(train)), test_(std::move(test)), white_(white) {}

int64_t ByteImageDataset::size(Split split) const {
  return static_cast<int64_t>(part(split).labels.size());
}

int64_t ByteImageDataset::label(Split split, int64_t index) const {
  return part(split).labels.at(static_cast<size_t>(index));
}

void ByteImageDataset::load(Split split, int64_t index, float* out) const {
  const auto count = static_cast<size_t>(sample_shape().count());
  const uint8_t* pixels = part(split).pixels.data() + static_cast<size_t>(index) * count;
  for (size_t i = 0; i < count; ++i) out[i] = static_cast<float>(pixels[i]) / white_;
}

}  // namespace ascore
