#include "kernels/conv2d/winograd.hpp"
#include "kernels/conv2d/winograd_transforms.hpp"
#include "kernels/core/dispatch.hpp"
#include "kernels/core/parallel.hpp"
#include "kernels/gemm/host_products.hpp"
#include "kernels/gemm/panel_product.hpp"

#include <algorithm>

namespace ascore::kernels::cpu {

namespace {

/// Tiles whose sums are added at once, so that scratch does not grow with the batch; a panel of them stays in the
/// first-level cache.
constexpr int64_t kTiles = 192;

/// The three arrays of a gradient of weights, for one run of tiles.
struct Run {
  Run(Stream& stream, const Conv2dShape& s)
      : rows((s.out + kPanelRows - 1) / kPanelRows * kPanelRows),
        panels(s.in / kPanelColumns),
        inputs(take_scratch<float>(stream, HostScratch::source, size(s.in, kTiles))),
        gradients(take_scratch<float>(stream, HostScratch::destination, size(rows, kTiles))),
        sums(take_scratch<float>(stream, HostScratch::columns, size(rows, s.in))) {}

  int64_t rows;      ///< output channels, rounded up to whole tiles of the product
  int64_t panels;    ///< of input channels
  float* inputs;     ///< [place][panel][tile][input channel of the panel]
  float* gradients;  ///< [place][tile][row]
  float* sums;       ///< [place][panel][row][input channel of the panel]

 private:
  static size_t size(int64_t channels, int64_t count) { return static_cast<size_t>(kTilePlaces * channels * count); }
};

template <class T>
void transform(Stream& stream, const Conv2dShape& s, const WinogradTiles& tiles, int64_t begin, int64_t count,
               const T* x, const T* dy, const Run& run) {
  parallel_for(stream, count, 2, [&](int64_t t) {
    const WinogradTile tile = tiles[begin + t];
    for (int64_t panel = 0; panel < run.panels; ++panel) {
      const Square<4> v = input_of(x, s, tile, static_cast<int>(panel) * kPanelColumns);
      for (int place = 0; place < kTilePlaces; ++place) {
        std::ranges::copy(v[place], run.inputs + ((place * run.panels + panel) * kTiles + t) * kPanelColumns);
      }
    }
    for (int first = 0; first < s.out; first += kPanelColumns) {
      const Square<4> z = gradient_of(dy, s, tile, first);
      for (int place = 0; place < kTilePlaces; ++place) {
        std::ranges::copy(z[place], run.gradients + (place * kTiles + t) * run.rows + first);
      }
    }
    for (int place = 0; place < kTilePlaces; ++place) {
      float* const row = run.gradients + (place * kTiles + t) * run.rows;
      std::fill(row + s.out, row + run.rows, 0.0F);
    }
  });
}

/// sums (+)= the products of `count` tiles, added in their order.
void multiply(Stream& stream, int64_t count, bool add, const Run& run) {
  parallel_for(stream, kTilePlaces * run.panels, 2, [&](int64_t task) {
    const float* const inputs = run.inputs + task * kTiles * kPanelColumns;
    const float* const gradients = run.gradients + task / run.panels * kTiles * run.rows;
    float* const sums = run.sums + task * run.rows * kPanelColumns;
    for (int64_t row = 0; row < run.rows; row += kPanelRows) {
      panel_product_transposed(gradients + row, run.rows, inputs, count, add, sums + row * kPanelColumns,
                               kPanelColumns);
    }
  });
}

void store(Stream& stream, const Conv2dShape& s, const Run& run, float* dweight) {
  parallel_for(stream, s.out * run.panels, 2, [&](int64_t task) {
    const int64_t o = task / run.panels, panel = task % run.panels;
    Square<4> sums;
    for (int place = 0; place < kTilePlaces; ++place) {
      std::copy_n(run.sums + ((place * run.panels + panel) * run.rows + o) * kPanelColumns, kPanelColumns,
                  sums[place].data());
    }
    const Square<3> gradients = weight_gradients_of(sums);
    for (int tap = 0; tap < s.taps(); ++tap) {
      std::ranges::copy(gradients[tap], dweight + (o * s.taps() + tap) * s.in + panel * kPanelColumns);
    }
  });
}

}  // namespace

void winograd_conv2d_wgrad(Stream& stream, const Conv2dShape& s, ConstView x, ConstView dy, View dweight) {
  const WinogradTiles tiles(s);
  const Run run(stream, s);
  for_float_type(x.dtype(), [&]<class T>() {
    for (int64_t begin = 0; begin < tiles.count(); begin += kTiles) {
      const int64_t count = std::min(kTiles, tiles.count() - begin);
      transform(stream, s, tiles, begin, count, x.as<T>(), dy.as<T>(), run);
      multiply(stream, count, begin > 0, run);
    }
  });
  store(stream, s, run, dweight.as<float>());
}

}  // namespace ascore::kernels::cpu
