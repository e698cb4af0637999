#pragma once

#include "engine/io/host_tensor.hpp"

#include <filesystem>
#include <span>
#include <string_view>

namespace ascore {

/// An array in the idx format of MNIST: 0, 0, a type code, the number of dimensions, the dimensions and the elements,
/// big-endian (http://yann.lecun.com/exdb/mnist/). A file that gzip packed is unpacked first. i8 and i16 become i32.
/// Throws DataError with the path: another format, another type code, a length that does not fit the dimensions.
HostTensor read_idx(const std::filesystem::path& path);
/// The same in memory; `what` names the data in errors.
HostTensor from_idx(std::span<const std::byte> bytes, std::string_view what);

/// True for bytes that begin as an idx array does (not packed).
bool is_idx(std::span<const std::byte> bytes);

}  // namespace ascore
