#pragma once

#include <cstddef>
#include <cstdint>

namespace ascore::kernels::simt {

/// True if [address, address + bytes) lies in a part of the program or its libraries that is mapped read-only: the
/// constants of a kernel. On a GPU they would be part of the kernel's own code or constant memory.
bool is_program_constant(uintptr_t address, size_t bytes);

}  // namespace ascore::kernels::simt
