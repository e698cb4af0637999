#pragma once

#include "engine/io/host_tensor.hpp"

#include <filesystem>
#include <string_view>
#include <vector>

namespace ascore {

/// numpy's .npy, version 1.0, C order, little-endian: f64, f32, i64, i32, u8. Throws DTypeError for bf16, DiskError.
void write_npy(const std::filesystem::path& path, const HostTensor& x);
/// Throws DataError with the path: not a .npy file, version 2 or later, Fortran order, an element type not listed
/// above, a length that does not fit the shape.
HostTensor read_npy(const std::filesystem::path& path);

/// The same in memory; `what` names the data in errors.
std::vector<std::byte> to_npy(const HostTensor& x);
HostTensor from_npy(std::span<const std::byte> bytes, std::string_view what);

}  // namespace ascore
