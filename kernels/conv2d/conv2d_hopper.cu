#include "kernels/conv2d/conv2d_hopper.hpp"
#include "kernels/conv2d/hopper_pixels.hpp"
#include "kernels/gemm/epilogue.hpp"
#include "kernels/gemm/hopper_product.hpp"
#include "kernels/gemm/hopper_tiles.hpp"

/// The products whose rows are pixels: a convolution's outputs, and the gradients of its inputs, which are a
/// convolution of dy with the taps in reverse order and the channels of the weights exchanged.
namespace ascore::kernels::ASCORE_BACKEND {

namespace {

/// Rows: pixels of the result. Depth: taps, 64 channels at a time. Columns: channels of the result; `Turned`: those lie
/// next to each other in the weights.
template <class Tile_, bool Turned, class Epilogue>
struct PixelProblem {
  using Tile = Tile_;
  using Operands = HopperOperands<false, Turned>;

  HopperPixels pixels;
  TensorMap weights;  ///< [out][tap][in]
  int rows, columns, column_tiles, units;
  Epilogue epilogue;

  __device__ __forceinline__ int first_row(int unit) const { return unit / column_tiles * Tile::kRows; }
  __device__ __forceinline__ int first_column(int unit) const { return unit % column_tiles * Tile::kColumns; }
  __device__ __forceinline__ int steps() const {
    return pixels.kernel * pixels.kernel * ((pixels.channels + Tile::kDepth - 1) / Tile::kDepth);
  }

  struct Walk {
    HopperPixels::Base base;
    int steps, first_column, channel = 0, tap_h = 0, tap_w = 0;

    __device__ __forceinline__ Walk(const PixelProblem& p, int unit)
        : base(p.pixels.base(p.first_row(unit))), steps(p.steps()), first_column(p.first_column(unit)) {}

    __device__ __forceinline__ void load(const PixelProblem& p, unsigned char* a, unsigned char* b,
                                         uint64_t* barrier) const {
      p.pixels.load(a, barrier, base, channel, tap_h, tap_w);
      const int kernel = p.pixels.kernel, tap = tap_h * kernel + tap_w;
      if constexpr (Turned) {
        for (int column = 0; column < Tile::kColumns; column += 64) {
          bulk_load(b + column / 64 * Tile::kPieceBytes, &p.weights, barrier, first_column + column,
                    kernel * kernel - 1 - tap, channel);
        }
      } else {
        bulk_load(b, &p.weights, barrier, channel, tap, first_column);
      }
    }
    __device__ __forceinline__ void next(const PixelProblem& p) {
      channel += Tile::kDepth;
      if (channel < p.pixels.channels) return;
      channel = 0;
      if (++tap_w < p.pixels.kernel) return;
      tap_w = 0;
      ++tap_h;
    }
  };

  struct Area {
    int steps, first_row, first_column;

    __device__ __forceinline__ Area(const PixelProblem& p, int unit)
        : steps(p.steps()), first_row(p.first_row(unit)), first_column(p.first_column(unit)) {}

    __device__ __forceinline__ void store(const PixelProblem& p, int row, int column, float (&values)[8]) const {
      row += first_row;
      column += first_column;
      if (row >= p.rows || column >= p.columns) return;
      p.epilogue(RowChunk<bf16>{true, 8}, int64_t(row) * p.columns + column, column, values);
    }
  };
};

/// `s`: the convolution to compute, of `images`; `weight_in` channels are innermost in its weights.
template <bool Turned, class Epilogue>
void multiply_pixels_on_hopper(Stream& stream, const Conv2dShape& s, const void* images, const void* weight,
                               int weight_in, const Epilogue& epilogue) {
  const int rows = static_cast<int>(s.out_pixels()), multiprocessors = hopper_device(stream).multiprocessors;
  const auto start = [&]<HopperTileKind kind>() {
    using Tile = HopperTile<hopper_rows(kind), hopper_columns(kind)>;
    const int weight_out = Turned ? s.in : s.out;
    const TiledBox box{weight, {weight_in, s.taps(), weight_out}, {64, 1, Turned ? 64 : Tile::kColumns}};
    const int column_tiles = static_cast<int>(tiles_along(s.out, Tile::kColumns));
    const int units = static_cast<int>(hopper_tiles(kind, rows, s.out));
    const PixelProblem<Tile, Turned, Epilogue> problem{
        HopperPixels::make(s, images, Tile::kRows), make_tensor_map(box), rows, s.out, column_tiles, units, epilogue};
    multiply_on_hopper(stream, problem, multiprocessors);
  };
  switch (choose_hopper_tile(rows, s.out, multiprocessors)) {
    case HopperTileKind::wide:
      return start.template operator()<HopperTileKind::wide>();
    case HopperTileKind::tall:
      return start.template operator()<HopperTileKind::tall>();
    case HopperTileKind::square:
      return start.template operator()<HopperTileKind::square>();
  }
}

}  // namespace

void hopper_conv2d(Stream& stream, const Conv2dShape& s, ConstView x, ConstView weight, ConstView bias, View y,
                   const Conv2dEpilogue& e) {
  const OutputEpilogue<bf16> epilogue{bias.as<float>(), e.residual.as<bf16>(), e.sum.as<bf16>(),
                                      y.as<bf16>(),     e.activation,          static_cast<float>(e.slope)};
  multiply_pixels_on_hopper<false>(stream, s, x.raw(), weight.raw(), s.in, epilogue);
}

void hopper_conv2d_dgrad(Stream& stream, const Conv2dShape& s, ConstView dy, ConstView weight, View dx,
                         const Conv2dGradEpilogue& e) {
  Conv2dShape turned = s;
  turned.in = s.out, turned.out = s.in;
  const GradientEpilogue<bf16> epilogue{e.kept.as<bf16>(), e.residual.as<bf16>(), dx.as<bf16>(), e.activation,
                                        static_cast<float>(e.slope)};
  multiply_pixels_on_hopper<true>(stream, turned, dy.raw(), weight.raw(), s.in, epilogue);
}

}  // namespace ascore::kernels::ASCORE_BACKEND
