#pragma once

#include "kernels/core/device.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace ascore::tools {

/// How much memory tensors may take, and who says so.
struct MemoryLimit {
  size_t bytes = 0;
  bool host = false;  ///< what is no tensor lies there too: the copy that a checkpoint is written from
  std::string what;   ///< "7/8 of the free memory of the GPU", "--memory 24GiB"
};

/// What this machine has left for tensors on `device` now: 7/8 of the GPU's free memory; on cpu and simt, of the least
/// of free memory, of the control group's limit and of the address space that the process may still take. Nothing for a
/// GPU that is not there.
std::optional<MemoryLimit> free_memory(Device device);

}  // namespace ascore::tools
