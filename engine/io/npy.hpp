#pragma once

#include "engine/io/host_tensor.hpp"

#include <filesystem>
#include <string_view>
#include <vector>

namespace ascore {

/// numpy's .npy, version 1.0, C order, little-endian: f64, f32, i64, i32, u8. Throws DTypeError for bf16, DiskError.
void write_npy(const std::filesystem::path& path, const HostTensor& x);
/// Reads versions 1 to 3, C and Fortran order, little- and big-endian, into C order; f2, i1, i2, u2, u4 and b1 become
/// the next wider type that this house has (readable_as). Throws DataError with the path: not a .npy file, a header of
/// more than 10,000 bytes (numpy's limit) or not numpy's, another element type, a length that does not fit the shape.
HostTensor read_npy(const std::filesystem::path& path);

/// The same in memory; `what` names the data in errors.
std::vector<std::byte> to_npy(const HostTensor& x);
HostTensor from_npy(std::span<const std::byte> bytes, std::string_view what);

}  // namespace ascore
