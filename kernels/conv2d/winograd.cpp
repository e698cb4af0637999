#include "kernels/conv2d/winograd.hpp"

#include "kernels/conv2d/conv2d_runs.hpp"
#include "kernels/conv2d/winograd_transforms.hpp"
#include "kernels/conv2d/winograd_weights.hpp"
#include "kernels/core/dispatch.hpp"
#include "kernels/core/parallel.hpp"
#include "kernels/gemm/host_products.hpp"
#include "kernels/gemm/panel_product.hpp"

#include <algorithm>
#include <utility>

#include <omp.h>

namespace ascore::kernels::cpu {

namespace {

/// Tiles that are computed at once, so that scratch does not grow with the batch: one place's inputs, weights and sums
/// fill a core's second-level cache at 256 channels.
constexpr int64_t kTiles = 22 * kPanelRows;
constexpr int kPixels = kTileOutputs * kTileOutputs;

/// A run of tiles, and what it is computed in.
struct Run {
  Run(Stream& stream, const Conv2dShape& s)
      : panels(s.out / kPanelColumns),
        inputs(take_scratch<float>(stream, HostScratch::rows, size(s.in))),
        products(take_scratch<float>(stream, HostScratch::columns, size(s.out))) {}

  int64_t panels;         ///< of output channels
  float* inputs;          ///< [place][tile][in]
  float* products;        ///< [place][panel][tile][output channel of the panel]
  int64_t begin = 0;      ///< its first tile
  int64_t count = 0;      ///< its tiles
  int64_t rows() const {  ///< tiles rounded up to whole tiles of the product
    return (count + kPanelRows - 1) / kPanelRows * kPanelRows;
  }

 private:
  static size_t size(int64_t channels) { return static_cast<size_t>(kTilePlaces * kTiles * channels); }
};

/// Transforms the inputs; those of rows past the last tile are zeros.
template <class T>
void transform_inputs(Stream& stream, const Conv2dShape& s, const WinogradTiles& tiles, const Run& run, const T* x) {
  parallel_for(stream, run.rows(), 2, [&](int64_t t) {
    for (int first = 0; first < s.in; first += kPanelColumns) {
      const Square<4> v = t < run.count ? input_of(x, s, tiles[run.begin + t], first) : Square<4>{};
      for (int place = 0; place < kTilePlaces; ++place) {
        std::ranges::copy(v[place], run.inputs + (place * kTiles + t) * s.in + first);
      }
    }
  });
}

/// A task per place and panel; a thread's tasks lie side by side, so that it reads a place's inputs once.
void multiply(Stream& stream, const Conv2dShape& s, const float* weights, const Run& run) {
  parallel_for(stream, kTilePlaces * run.panels, 2, [&](int64_t task) {
    const float* const inputs = run.inputs + task / run.panels * kTiles * s.in;
    const float* const panel = weights + task * s.in * kPanelColumns;
    float* const products = run.products + task * kTiles * kPanelColumns;
    for (int64_t row = 0; row < run.count; row += kPanelRows) {
      panel_product(inputs + row * s.in, s.in, panel, s.in, false, products + row * kPanelColumns, kPanelColumns);
    }
  });
}

/// The outputs of tile `t` of the run, channels [panel * kPanelColumns, ...).
Square<2> gathered_outputs(const Run& run, int64_t t, int64_t panel) {
  Square<4> products;
  for (int place = 0; place < kTilePlaces; ++place) {
    std::copy_n(run.products + ((place * run.panels + panel) * kTiles + t) * kPanelColumns, kPanelColumns,
                products[place].data());
  }
  return outputs_of(products);
}

/// Makes y of the products, tile by tile, a pixel's channels at a time.
template <class T>
void store(Stream& stream, const Conv2dShape& s, const WinogradTiles& tiles, const Run& run, const float* bias,
           const Finish& epilogue, T* y) {
  const int64_t room = int64_t(kPixels) * s.out;
  float* const rooms = take_scratch<float>(stream, HostScratch::source,
                                           static_cast<size_t>(room) * static_cast<size_t>(stream.threads()));
  parallel_for(stream, run.count, 2, [&](int64_t t) {
    float* const sums = rooms + omp_get_thread_num() * room;  // [pixel][out]
    for (int64_t panel = 0; panel < run.panels; ++panel) {
      const Square<2> outputs = gathered_outputs(run, t, panel);
      for (int pixel = 0; pixel < kPixels; ++pixel) {
        std::ranges::copy(outputs[pixel], sums + int64_t(pixel) * s.out + panel * kPanelColumns);
      }
    }
    const WinogradTile tile = tiles[run.begin + t];
    for (int pixel = 0; pixel < kPixels; ++pixel) {
      const int64_t h = tile.h + int64_t(pixel / kTileOutputs) * s.dilation;
      const int64_t w = tile.w + int64_t(pixel % kTileOutputs) * s.dilation;
      if (h >= s.height || w >= s.width) continue;
      float* const values = sums + int64_t(pixel) * s.out;
      if (bias != nullptr) {
#pragma omp simd
        for (int o = 0; o < s.out; ++o) values[o] += bias[o];
      }
      finish(epilogue, values, ((tile.image * s.height + h) * s.width + w) * s.out, s.out, y);
    }
  });
}

/// `s`: sizes of the convolution that runs.
void convolve(Stream& stream, const Conv2dShape& s, ConstView x, ConstView weight, Weights use, ConstView bias,
              const Finish& epilogue, View y) {
  const float* const weights = winograd_weights(stream, s, weight, use, x.dtype());
  const WinogradTiles tiles(s);
  Run run(stream, s);
  for_float_type(x.dtype(), [&]<class T>() {
    for (; run.begin < tiles.count(); run.begin += kTiles) {
      run.count = std::min(kTiles, tiles.count() - run.begin);
      transform_inputs(stream, s, tiles, run, x.as<T>());
      multiply(stream, s, weights, run);
      store(stream, s, tiles, run, bias.as<float>(), epilogue, y.as<T>());
    }
  });
}

}  // namespace

bool fits_winograd(Stream& stream, const Conv2dShape& s, DType dtype) {
  if (dtype == DType::f64 || (dtype == DType::bf16 && library_multiplies_bf16(stream))) return false;
  if (s.kernel != 3 || s.stride != 1 || s.in % kPanelColumns != 0 || s.out % kPanelColumns != 0) return false;
  constexpr int kEnough = 16;
  const int64_t tiles = WinogradTiles(s).per_image(), pixels = int64_t(s.height) * s.width;
  // Products per output: 4 where tiles are full, against 9; hanging over costs more than it saves from 6 on.
  return tiles >= kEnough && tiles * kTilePlaces <= 6 * pixels;
}

void winograd_conv2d(Stream& stream, const Conv2dShape& s, ConstView x, ConstView weight, ConstView bias,
                     const Finish& epilogue, View y) {
  // A run of adjacent pixels crosses tiles: it is measured where it is stored.
  Finish unmeasured = epilogue;
  unmeasured.runs = {};
  convolve(stream, s, x, weight, Weights::as_they_are, bias, unmeasured, y);
  if (epilogue.runs) measure_runs(stream, epilogue.sum ? epilogue.sum : y, epilogue.run_length, epilogue.runs);
}

void winograd_conv2d_dgrad(Stream& stream, const Conv2dShape& s, ConstView dy, ConstView weight, const Finish& epilogue,
                           View dx) {
  Conv2dShape turned = s;
  std::swap(turned.in, turned.out);
  convolve(stream, turned, dy, weight, Weights::turned, {}, epilogue, dx);
}

}  // namespace ascore::kernels::cpu
