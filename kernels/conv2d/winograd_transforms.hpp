#pragma once

#include "kernels/conv2d/winograd_tiles.hpp"
#include "kernels/core/dtype.hpp"
#include "kernels/gemm/panel_product.hpp"

#include <array>
#include <cstdint>

/// The transforms of winograd.hpp, each of a panel of channels at once. Each multiplies a square of values by one
/// matrix from both sides: its lines down, then its lines across.
namespace ascore::kernels::cpu {

/// One element, of all channels of a panel.
using Lanes = std::array<float, kPanelColumns>;
/// side x side elements.
template <int side>
using Square = std::array<Lanes, side * side>;

/// Lines of elements `step` apart, before and after.
struct From {
  const Lanes* first;
  int step;
  const Lanes& operator[](int i) const { return first[i * step]; }
};
struct To {
  Lanes* first;
  int step;
  Lanes& operator[](int i) const { return first[i * step]; }
};

/// `line(From, To)` multiplies `before` elements by a matrix, which gives `after`.
template <int before, int after, class Line>
Square<after> both_ways(const Square<before>& x, const Line& line) {
  std::array<Lanes, after * before> down;
  for (int j = 0; j < before; ++j) line(From{&x[j], before}, To{&down[j], before});
  Square<after> y;
  for (int i = 0; i < after; ++i) line(From{&down[i * before], 1}, To{&y[i * after], 1});
  return y;
}

/// B^T x B
inline Square<4> transformed_input(const Square<4>& x) {
  return both_ways<4, 4>(x, [](From from, To to) {
#pragma omp simd
    for (int c = 0; c < kPanelColumns; ++c) {
      const float x0 = from[0][c], x1 = from[1][c], x2 = from[2][c], x3 = from[3][c];
      to[0][c] = x0 - x2;
      to[1][c] = x1 + x2;
      to[2][c] = x2 - x1;
      to[3][c] = x1 - x3;
    }
  });
}

/// A dy A^T
inline Square<4> transformed_gradient(const Square<2>& dy) {
  return both_ways<2, 4>(dy, [](From from, To to) {
#pragma omp simd
    for (int c = 0; c < kPanelColumns; ++c) {
      const float d0 = from[0][c], d1 = from[1][c];
      to[0][c] = d0;
      to[1][c] = d0 + d1;
      to[2][c] = d0 - d1;
      to[3][c] = -d1;
    }
  });
}

/// A^T m A
inline Square<2> outputs_of(const Square<4>& sums) {
  return both_ways<4, 2>(sums, [](From from, To to) {
#pragma omp simd
    for (int c = 0; c < kPanelColumns; ++c) {
      const float m1 = from[1][c], m2 = from[2][c];
      to[0][c] = from[0][c] + m1 + m2;
      to[1][c] = m1 - m2 - from[3][c];
    }
  });
}

/// G w G^T
inline Square<4> transformed_weights(const Square<3>& w) {
  return both_ways<3, 4>(w, [](From from, To to) {
#pragma omp simd
    for (int c = 0; c < kPanelColumns; ++c) {
      const float w0 = from[0][c], w1 = from[1][c], w2 = from[2][c];
      to[0][c] = w0;
      to[1][c] = 0.5F * (w0 + w1 + w2);
      to[2][c] = 0.5F * (w0 - w1 + w2);
      to[3][c] = w2;
    }
  });
}

/// G^T u G
inline Square<3> weight_gradients_of(const Square<4>& u) {
  return both_ways<4, 3>(u, [](From from, To to) {
#pragma omp simd
    for (int c = 0; c < kPanelColumns; ++c) {
      const float u1 = from[1][c], u2 = from[2][c];
      to[0][c] = from[0][c] + 0.5F * (u1 + u2);
      to[1][c] = 0.5F * (u1 - u2);
      to[2][c] = 0.5F * (u1 + u2) + from[3][c];
    }
  });
}

/// The pixels (h + i dilation, w + j dilation) of an image of `channels` channels, i, j < side, from channel `first`
/// on; zeros beside it.
template <int side, class T>
Square<side> gathered(const T* image, const Conv2dShape& s, int channels, int64_t h, int64_t w, int first) {
  Square<side> x;
  for (int i = 0; i < side; ++i) {
    const int64_t row = h + int64_t(i) * s.dilation;
    for (int j = 0; j < side; ++j) {
      const int64_t column = w + int64_t(j) * s.dilation;
      Lanes& to = x[i * side + j];
      if (row < 0 || row >= s.height || column < 0 || column >= s.width) {
        to.fill(0);
        continue;
      }
      const T* const from = image + (row * s.width + column) * channels + first;
#pragma omp simd
      for (int c = 0; c < kPanelColumns; ++c) to[c] = widen(from[c]);
    }
  }
  return x;
}

/// The tile's transformed inputs, channels [first, first + kPanelColumns).
template <class T>
Square<4> input_of(const T* images, const Conv2dShape& s, const WinogradTile& tile, int first) {
  const T* const image = images + tile.image * s.height * s.width * s.in;
  return transformed_input(gathered<4>(image, s, s.in, tile.h - s.dilation, tile.w - s.dilation, first));
}

/// The tile's transformed gradients of the outputs, channels [first, first + kPanelColumns).
template <class T>
Square<4> gradient_of(const T* gradients, const Conv2dShape& s, const WinogradTile& tile, int first) {
  const T* const image = gradients + tile.image * s.height * s.width * s.out;
  return transformed_gradient(gathered<2>(image, s, s.out, tile.h, tile.w, first));
}

}  // namespace ascore::kernels::cpu
