#include "kernels/conv2d/winograd_weights.hpp"

#include "kernels/conv2d/winograd_transforms.hpp"
#include "kernels/core/library_memory.hpp"
#include "kernels/core/parallel.hpp"
#include "kernels/gemm/host_products.hpp"

#include <cstddef>
#include <unordered_map>
#include <vector>

namespace ascore::kernels::cpu {

namespace {

/// A training step uses a layer's weights at most this often before they change: a critic's for true images, for
/// generated ones and for the score network's loss, each perhaps computed again in backward.
constexpr int kUsesOfAStep = 6;

/// Transformed weights that stay with a stream, by the address of the weights.
struct KeptWeights {
  struct Entry {
    uint64_t stamp = 0;  ///< content of the weights
    DType activations = DType::f32;
    int uses = 0;  ///< of this content
    size_t count = 0;
    std::vector<float> values;
  };
  std::unordered_map<const void*, Entry> entries;
};

size_t transformed_count(const Conv2dShape& s) {
  return static_cast<size_t>(kTilePlaces) * static_cast<size_t>(s.in) * static_cast<size_t>(s.out);
}

/// The nine taps from input channel `i` to the panel of output channels that begins at `first`.
Square<3> taps(const Conv2dShape& s, const float* weight, Weights use, int i, int first) {
  Square<3> w;
  for (int tap = 0; tap < s.taps(); ++tap) {
    for (int c = 0; c < kPanelColumns; ++c) {
      // As they are [s.out][taps][s.in]; turned, the layer's [s.in][taps][s.out], mirrored.
      w[tap][c] = use == Weights::as_they_are
                      ? weight[(int64_t(first + c) * s.taps() + tap) * s.in + i]
                      : weight[(int64_t(i) * s.taps() + s.taps() - 1 - tap) * s.out + first + c];
    }
  }
  return w;
}

void transform(Stream& stream, const Conv2dShape& s, const float* weight, Weights use, float* to) {
  // Tasks of 16 inputs: the cache lines that a panel's outputs share are read once.
  constexpr int kInputs = 16;
  const int64_t groups = s.in / kInputs, panels = s.out / kPanelColumns;
  parallel_for(stream, panels * groups, 2, [&](int64_t task) {
    const int64_t panel = task / groups;
    const int begin = static_cast<int>(task % groups) * kInputs;
    for (int i = begin; i < begin + kInputs; ++i) {
      const Square<4> u = transformed_weights(taps(s, weight, use, i, static_cast<int>(panel) * kPanelColumns));
      for (int place = 0; place < kTilePlaces; ++place) {
        float* const line = to + ((place * panels + panel) * s.in + i) * kPanelColumns;
        for (int c = 0; c < kPanelColumns; ++c) line[c] = u[place][c];
      }
    }
  });
}

/// Kept weights that hold what `weight` holds now, or null before it has been used for long enough.
KeptWeights::Entry* kept_entry(Stream& stream, const Conv2dShape& s, ConstView weight, DType activations) {
  auto& memory = stream.attached<LibraryMemory>();
  KeptWeights::Entry& entry = stream.attached<KeptWeights>().entries[weight.raw()];
  if (entry.stamp != weight.content_stamp() || entry.activations != activations) {
    memory.remove(entry.count * sizeof(float));
    entry = {weight.content_stamp(), activations, 0, 0, {}};
  }
  if (++entry.uses <= kUsesOfAStep) return nullptr;
  if (entry.count == 0) {
    entry.count = transformed_count(s);
    memory.add(entry.count * sizeof(float));
  }
  return &entry;
}

}  // namespace

const float* winograd_weights(Stream& stream, const Conv2dShape& s, ConstView weight, Weights use, DType activations) {
  const auto make = [&](float* to) {
    const float* const values =
        activations == DType::bf16 ? weights_for<bf16>(stream, weight, HostScratch::weights) : weight.as<float>();
    transform(stream, s, values, use, to);
    return to;
  };
  KeptWeights::Entry* const kept =
      use == Weights::as_they_are && weight.content_stamp() != 0 ? kept_entry(stream, s, weight, activations) : nullptr;
  if (kept == nullptr) return make(take_scratch<float>(stream, HostScratch::packed, transformed_count(s)));
  if (kept->values.empty() && !is_dry(stream)) {
    kept->values.resize(kept->count);
    make(kept->values.data());
  }
  return kept->values.data();
}

}  // namespace ascore::kernels::cpu
