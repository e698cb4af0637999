#include "kernels/conv2d/conv2d_hopper.hpp"
#include "kernels/conv2d/hopper_pixels.hpp"
#include "kernels/gemm/hopper_product.hpp"
#include "kernels/gemm/hopper_tiles.hpp"
#include "kernels/gemm/part_sums.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

/// Rows: output channels. Columns: input channels, under one tap per unit. Depth: pixels, 64 at a time, cut into parts
/// whose sums are added in order afterwards.
template <class Tile_>
struct WeightProblem {
  using Tile = Tile_;
  using Operands = HopperOperands<true, true>;

  TensorMap dy;  ///< [pixel][out]
  HopperPixels pixels;
  int out, row_tiles, column_tiles, steps, steps_each, units;
  float* sums;  ///< [part][out][tap][in]

  /// What a unit computes. Units of one part follow each other: they read the same pixels.
  struct Place {
    int first_row, first_channel, tap, part;
    __device__ __forceinline__ Place(const WeightProblem& p, int unit) {
      first_row = unit % p.row_tiles * Tile::kRows;
      unit /= p.row_tiles;
      first_channel = unit % p.column_tiles * Tile::kColumns;
      unit /= p.column_tiles;
      const int taps = p.pixels.taps_h * p.pixels.taps_w;
      tap = unit % taps;
      part = unit / taps;
    }
    __device__ __forceinline__ int steps(const WeightProblem& p) const {
      const int left = p.steps - part * p.steps_each;
      return left < p.steps_each ? left : p.steps_each;
    }
  };

  struct Walk {
    Place place;
    int steps, pixel;

    __device__ __forceinline__ Walk(const WeightProblem& p, int unit)
        : place(p, unit), steps(place.steps(p)), pixel(place.part * p.steps_each * Tile::kDepth) {}

    __device__ __forceinline__ void load(const WeightProblem& p, unsigned char* a, unsigned char* b,
                                         uint64_t* barrier) const {
      for (int row = 0; row < Tile::kRows; row += 64) {
        bulk_load(a + row / 64 * Tile::kPieceBytes, &p.dy, barrier, place.first_row + row, 0, pixel);
      }
      const HopperPixels::Place base = p.pixels.base(pixel);
      const int tap_h = place.tap / p.pixels.taps_w, tap_w = place.tap % p.pixels.taps_w;
      for (int column = 0; column < Tile::kColumns; column += 64) {
        p.pixels.load(b + column / 64 * Tile::kPieceBytes, barrier, base, place.first_channel + column, tap_h, tap_w);
      }
    }
    __device__ __forceinline__ void next(const WeightProblem&) { pixel += Tile::kDepth; }
  };

  struct Area {
    static constexpr bool kMeasures = false;
    Place place;
    int steps;

    __device__ __forceinline__ Area(const WeightProblem& p, int unit) : place(p, unit), steps(place.steps(p)) {}

    __device__ __forceinline__ void store(const WeightProblem& p, int row, int column, float (&values)[8],
                                          float*) const {
      row += place.first_row;
      column += place.first_channel;
      const int in = p.pixels.channels, taps = p.pixels.taps_h * p.pixels.taps_w;
      if (row >= p.out || column >= in) return;
      float* const to = p.sums + ((int64_t(place.part) * p.out + row) * taps + place.tap) * in + column;
      reinterpret_cast<float4*>(to)[0] = make_float4(values[0], values[1], values[2], values[3]);
      reinterpret_cast<float4*>(to)[1] = make_float4(values[4], values[5], values[6], values[7]);
    }
  };
};

}  // namespace

void hopper_conv2d_wgrad(Stream& stream, const Conv2dShape& s, ConstView x, ConstView dy, View dweight,
                         float* workspace) {
  const HopperTileKind chosen = choose_hopper_part_tile(s.out, s.in);
  const int steps = static_cast<int>(tiles_along(s.out_pixels(), 64));
  const HopperParts parts = hopper_parts(hopper_tiles(chosen, s.out, s.in) * s.taps(), steps);
  float* const sums = parts.count > 1 ? workspace : dweight.as<float>();
  for_hopper_tile(chosen, [&]<HopperTileKind kind>() {
    using Tile = HopperTile<hopper_rows(kind), hopper_columns(kind)>;
    const TiledBox box{dy.raw(), {s.out, 1, s.out_pixels()}, {64, 1, Tile::kDepth}};
    const int row_tiles = static_cast<int>(tiles_along(s.out, Tile::kRows));
    const int column_tiles = static_cast<int>(tiles_along(s.in, Tile::kColumns));
    const int units = row_tiles * column_tiles * s.taps() * parts.count;
    const WeightProblem<Tile> problem{make_tensor_map(box),
                                      HopperPixels::make(output_gather(s), x.raw(), Tile::kDepth),
                                      s.out,
                                      row_tiles,
                                      column_tiles,
                                      steps,
                                      parts.steps_each,
                                      units,
                                      sums};
    multiply_on_hopper(stream, problem, hopper_device(stream).multiprocessors);
  });
  if (parts.count > 1) add_parts<float>(stream, sums, parts.count, dweight.count(), dweight.as<float>());
}

}  // namespace ascore::kernels::ASCORE_BACKEND
