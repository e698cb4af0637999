#include "kernels/conv2d/conv2d_hopper.hpp"

#include "kernels/cast/cast.hpp"
#include "kernels/core/workspace.hpp"
#include "kernels/gemm/hopper_tiles.hpp"

#include <algorithm>

namespace ascore::kernels {

bool runs_on_hopper(Stream& stream, std::initializer_list<ConstView> operands,
                    std::initializer_list<ConstView> others) {
  const auto aligned = [](const ConstView& view) { return reinterpret_cast<uintptr_t>(view.raw()) % 16 == 0; };
  const auto taken = [&](const ConstView& view) { return view.dtype() == DType::bf16 && aligned(view); };
  return std::all_of(operands.begin(), operands.end(), taken) && std::all_of(others.begin(), others.end(), aligned) &&
         hopper_device(stream).present;
}

size_t hopper_weight_bytes(Stream& stream, const Conv2dShape& s, DType images, ConstView weight) {
  const bool rounds = s.images > 0 && images == DType::bf16 && weight.dtype() == DType::f32;
  if (!rounds || !fits_hopper(s) || !hopper_device(stream).present) return 0;
  return static_cast<size_t>(weight.count()) * size_of(DType::bf16);
}

ConstView hopper_weights(Stream& stream, const Conv2dShape& s, DType images, ConstView weight, View workspace) {
  const size_t bytes = hopper_weight_bytes(stream, s, images, weight);
  if (bytes == 0 || workspace.bytes() < bytes) return weight;
  const View rounded = Workspace(workspace).take(weight.shape(), DType::bf16);
  cast(stream, weight, rounded);
  return rounded;
}

int64_t hopper_gradient_workspace(const Conv2dShape& s) {
  const int64_t tiles = hopper_tiles(choose_hopper_part_tile(s.out, s.in), s.out, s.in) * s.taps();
  const HopperParts parts = hopper_parts(tiles, tiles_along(s.out_pixels(), 64));
  return parts.count > 1 ? int64_t(parts.count) * s.out * s.depth() : 0;
}

}  // namespace ascore::kernels
