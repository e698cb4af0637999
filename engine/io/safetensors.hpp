#pragma once

#include "engine/io/host_tensor.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace ascore {

/// A .safetensors file: named arrays and text. The format is 8 bytes of header length (little-endian), a JSON header of
/// dtypes, shapes and offsets, and the arrays' bytes.
struct SafetensorsFile {
  std::map<std::string, std::string> metadata;
  std::map<std::string, HostTensor> tensors;
};

/// Reads a file and believes nothing: the header must be well-formed JSON in UTF-8, begin with '{' and have at most
/// 100 MB, keys must be unique, shapes within bounds, metadata text, and the arrays must cover the buffer exactly,
/// without gap or overlap. Throws DataError with one line. Types that this house does not compute in become the next
/// wider one (F16 becomes f32, see readable_as); U64 and 8-bit floats are errors.
SafetensorsFile read_safetensors(const std::filesystem::path& path);
/// The same in memory; `what` names the data in errors.
SafetensorsFile from_safetensors(std::span<const std::byte> bytes, std::string_view what);

/// Only the metadata, without reading the arrays; the header is checked as read_safetensors does.
std::map<std::string, std::string> read_safetensors_metadata(const std::filesystem::path& path);

/// Writes atomically. Equal contents give equal bytes. Throws DiskError; DataError for a name or text that the format
/// cannot hold.
void write_safetensors(const std::filesystem::path& path, const SafetensorsFile& file);

/// What write_safetensors puts before the arrays: the header's length and the header. A file of ours that begins
/// otherwise was damaged. `what` names the file in errors. Throws DataError as write_safetensors.
std::string safetensors_preamble(const SafetensorsFile& file, std::string_view what);

}  // namespace ascore
