#pragma once

#include "tools/drawing.hpp"

#include <filesystem>

namespace ascore::tools {

/// Reads what inpainting takes. References: .png; .npy or .npz (`arr_0`) with one sample [...] or several [R,...] (grey
/// images also without their channel), u8, or f32 in [0,1] for images, any f32 for points. Mask: .png or .npy of one
/// sample's shape, or [H,W] for all channels; 0 unknown, 1 or 255 known. Both as the recipe's samples are before the
/// data's transform. Throws DataError with the path: another kind of file, shape or value.
KnownRegion read_known_region(const std::filesystem::path& references, const std::filesystem::path& mask,
                              const Recipe& recipe);

}  // namespace ascore::tools
