#include "kernels/conv2d/conv2d_hopper.hpp"
#include "kernels/conv2d/hopper_pixels.hpp"
#include "kernels/gemm/epilogue.hpp"
#include "kernels/gemm/hopper_product.hpp"
#include "kernels/gemm/hopper_tiles.hpp"

#include <initializer_list>

/// The products whose rows are pixels: a convolution's outputs, and the gradients of its inputs, which are convolutions
/// of dy with the taps in reverse order and the channels of the weights exchanged, for a stride of 2 one for each
/// parity of the rows and columns of pixels.
namespace ascore::kernels::ASCORE_BACKEND {

namespace {

/// Rows: pixels of the result. Depth: taps, 64 channels at a time. Columns: channels of the result; `Gradient`: those
/// lie next to each other in the weights, and the rows may be those of several parts.
template <class Tile_, bool Gradient, class Epilogue>
struct PixelProblem {
  using Tile = Tile_;
  using Operands = HopperOperands<false, Gradient>;
  static constexpr int kParts = Gradient ? 4 : 1;

  PixelPart parts[kParts];  ///< the units of each behind those of the one before; last, those without any
  TensorMap weights;        ///< [out][tap][in]
  int columns, column_tiles, units;
  Epilogue epilogue;

  /// What a unit computes.
  struct Place {
    int part = 0, first_row, first_column;
    __device__ __forceinline__ Place(const PixelProblem& p, int unit) {
#pragma unroll
      for (int next = 1; next < kParts; ++next) part += unit >= p.parts[next].first_unit;
      unit -= p.parts[part].first_unit;
      first_row = unit / p.column_tiles * Tile::kRows;
      first_column = unit % p.column_tiles * Tile::kColumns;
    }
    __device__ __forceinline__ int steps(const PixelProblem& p) const {
      const HopperPixels& pixels = p.parts[part].pixels;
      return pixels.taps_h * pixels.taps_w * ((pixels.channels + Tile::kDepth - 1) / Tile::kDepth);
    }
  };

  struct Walk {
    Place place;
    HopperPixels::Place base;
    int steps, channel = 0, tap_h = 0, tap_w = 0;

    __device__ __forceinline__ Walk(const PixelProblem& p, int unit)
        : place(p, unit), base(p.parts[place.part].pixels.base(place.first_row)), steps(place.steps(p)) {}

    __device__ __forceinline__ void load(const PixelProblem& p, unsigned char* a, unsigned char* b,
                                         uint64_t* barrier) const {
      const PixelPart& part = p.parts[place.part];
      part.pixels.load(a, barrier, base, channel, tap_h, tap_w);
      const int tap = part.first_tap + tap_h * part.tap_step_h + tap_w * part.tap_step_w;
      if constexpr (Gradient) {
        for (int column = 0; column < Tile::kColumns; column += 64) {
          bulk_load(b + column / 64 * Tile::kPieceBytes, &p.weights, barrier, place.first_column + column, tap,
                    channel);
        }
      } else {
        bulk_load(b, &p.weights, barrier, channel, tap, place.first_column);
      }
    }
    __device__ __forceinline__ void next(const PixelProblem& p) {
      const HopperPixels& pixels = p.parts[place.part].pixels;
      channel += Tile::kDepth;
      if (channel < pixels.channels) return;
      channel = 0;
      if (++tap_w < pixels.taps_w) return;
      tap_w = 0;
      ++tap_h;
    }
  };

  struct Area {
    static constexpr bool kMeasures = Epilogue::kMeasures;
    Place place;
    int steps;

    __device__ __forceinline__ Area(const PixelProblem& p, int unit) : place(p, unit), steps(place.steps(p)) {}

    __device__ __forceinline__ void store(const PixelProblem& p, int row, int column, float (&values)[8],
                                          float* measured) const {
      const PixelPart& part = p.parts[place.part];
      row += place.first_row;
      column += place.first_column;
      if (row >= part.rows || column >= p.columns) return;
      const int pixel = Gradient ? part.result(row) : row;
      p.epilogue(RowChunk<bf16>{true, 8}, int64_t(pixel) * p.columns + column, column, values, measured);
    }
    __device__ __forceinline__ const RunMomentsSink& runs(const PixelProblem& p) const { return p.epilogue.runs; }
    template <class Value>
    __device__ __forceinline__ void measure(const PixelProblem& p, int row, int column, const Value& value) const {
      row += place.first_row;
      column += place.first_column;
      if (row >= p.parts[place.part].rows || column >= p.columns) return;
      p.epilogue.runs.store(row, p.columns, column, value);
    }
  };
};

/// Multiplies the gathers of `images`, of `rows` rows in all, by `weights`.
template <bool Gradient, class Epilogue>
void multiply_pixels_on_hopper(Stream& stream, std::initializer_list<PixelGather> gathers, const void* images,
                               int64_t rows, TiledBox weights, int columns, const Epilogue& epilogue) {
  const int multiprocessors = hopper_device(stream).multiprocessors;
  for_hopper_tile(choose_hopper_tile(rows, columns, multiprocessors), [&]<HopperTileKind kind>() {
    using Tile = HopperTile<hopper_rows(kind), hopper_columns(kind)>;
    using Problem = PixelProblem<Tile, Gradient, Epilogue>;
    weights.box[2] = Gradient ? 64 : Tile::kColumns;
    Problem problem{.parts = {},
                    .weights = make_tensor_map(weights),
                    .columns = columns,
                    .column_tiles = static_cast<int>(tiles_along(columns, Tile::kColumns)),
                    .units = 0,
                    .epilogue = epilogue};
    int used = 0;
    for (const PixelGather& gather : gathers) {
      if (gather.rows() == 0) continue;
      PixelPart& part = problem.parts[used++] = PixelPart::make(gather, images, Tile::kRows);
      part.first_unit = problem.units;
      problem.units += static_cast<int>(tiles_along(part.rows, Tile::kRows)) * problem.column_tiles;
    }
    for (; used < Problem::kParts; ++used) problem.parts[used].first_unit = problem.units;
    multiply_on_hopper(stream, problem, multiprocessors);
  });
}

/// One tap's weights of 64 input channels; of how many output channels is left to be filled in.
TiledBox weight_box(const Conv2dShape& s, const ConstView& weight) {
  return {weight.raw(), {s.in, s.taps(), s.out}, {64, 1, 0}};
}

}  // namespace

void hopper_conv2d(Stream& stream, const Conv2dShape& s, ConstView x, ConstView weight, ConstView bias, View y,
                   const Conv2dEpilogue& e) {
  const OutputEpilogue<bf16> plain{bias.as<float>(), e.residual.as<bf16>(), e.sum.as<bf16>(),
                                   y.as<bf16>(),     e.activation,          static_cast<float>(e.slope)};
  // One kernel, whether it measures or not: the registers of a warpgroup that multiplies are as many anyway.
  const MeasuringEpilogue<bf16> epilogue{plain, runs_sink(e.runs, s.out_image())};
  multiply_pixels_on_hopper<false>(stream, {output_gather(s)}, x.raw(), s.out_pixels(), weight_box(s, weight), s.out,
                                   epilogue);
}

void hopper_conv2d_dgrad(Stream& stream, const Conv2dShape& s, ConstView dy, ConstView weight, View dx,
                         const Conv2dGradEpilogue& e) {
  const GradientEpilogue<bf16> epilogue{e.bias.as<float>(), e.kept.as<bf16>(), e.residual.as<bf16>(),
                                        dx.as<bf16>(),      e.activation,      static_cast<float>(e.slope)};
  const auto multiply = [&](std::initializer_list<PixelGather> gathers) {
    multiply_pixels_on_hopper<true>(stream, gathers, dy.raw(), s.in_pixels(), weight_box(s, weight), s.in, epilogue);
  };
  if (s.stride == 1) return multiply({input_gather(s, 0, 0)});
  multiply({input_gather(s, 0, 0), input_gather(s, 0, 1), input_gather(s, 1, 0), input_gather(s, 1, 1)});
}

}  // namespace ascore::kernels::ASCORE_BACKEND
