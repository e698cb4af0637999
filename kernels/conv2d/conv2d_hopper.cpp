#include "kernels/conv2d/conv2d_hopper.hpp"

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

int64_t hopper_gradient_workspace(const Conv2dShape& s) {
  const int64_t tiles = hopper_tiles(choose_hopper_part_tile(s.out, s.in), s.out, s.in) * s.taps();
  const HopperParts parts = hopper_parts(tiles, tiles_along(s.out_pixels(), 64));
  return parts.count > 1 ? int64_t(parts.count) * s.out * s.depth() : 0;
}

}  // namespace ascore::kernels
