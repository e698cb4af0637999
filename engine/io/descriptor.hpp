#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

/// What all writers of files share below the C++ library: descriptors, and errors with the path and the system's
/// reason.
namespace ascore {

/// Throws DiskError: "cannot WHAT PATH: " and the reason that errno holds.
[[noreturn]] void disk_failure(const char* what, const std::filesystem::path& path);

/// Writes all bytes, in as many pieces as the system takes. `path` names the file in errors. Throws DiskError.
void write_fully(int descriptor, std::span<const std::byte> bytes, const std::filesystem::path& path);

}  // namespace ascore
