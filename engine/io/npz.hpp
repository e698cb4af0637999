#pragma once

#include "engine/io/host_tensor.hpp"

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ascore {

/// Arrays by name, in the order of the file: {"arr_0", x}.
using NpzArrays = std::vector<std::pair<std::string, HostTensor>>;

enum class NpzPacking : uint8_t { stored, deflated };

/// numpy's .npz: a zip of npy files, without timestamps, so that equal arrays give equal bytes. Written atomically.
/// Throws DiskError; DataError where an entry or the file passes zip's 4 GiB.
void write_npz(const std::filesystem::path& path, const NpzArrays& arrays, NpzPacking packing = NpzPacking::deflated);

/// Reads what numpy.savez, numpy.savez_compressed and write_npz write, stored or deflated, zip64 or not. Checks every
/// length and CRC-32; throws DataError.
std::map<std::string, HostTensor> read_npz(const std::filesystem::path& path);
/// The same in memory; `what` names the data in errors.
std::map<std::string, HostTensor> from_npz(std::span<const std::byte> bytes, std::string_view what);

}  // namespace ascore
