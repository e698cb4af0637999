#include "kernels/simt/access_monitor.hpp"
#include "kernels/simt/kernel_error.hpp"
#include "kernels/simt/program_image.hpp"

#include <algorithm>

#include <fmt/core.h>

/// What AccessMonitor says when a rule is broken.
namespace ascore::kernels::simt {

namespace {

std::string at(const dim3& i) {
  return fmt::format("({},{},{})", i.x, i.y, i.z);
}

dim3 index_in(const dim3& block, unsigned thread) {
  return {thread % block.x, thread / block.x % block.y, thread / (block.x * block.y)};
}

const char* verb(Access kind) {
  switch (kind) {
    case Access::read:
      return "reads";
    case Access::write:
      return "writes";
    case Access::atomic:
      return "atomically updates";
  }
  return "";
}

}  // namespace

void AccessMonitor::fail(const std::string& what) {
  throw KernelError(fmt::format("{}: launch {}, block {} thread {} {}", op_ ? op_->describe() : "kernel", launches_,
                                at(blockIdx), at(index_in(block_, now_.thread)), what));
}

std::string AccessMonitor::describe(const Region& region) const {
  if (region.shared) {
    return region.number < 0 ? fmt::format("dynamic shared memory ({} bytes)", region.bytes)
                             : fmt::format("shared array {} ({} bytes)", region.number, region.bytes);
  }
  const ConstView& view = op_->arguments()[static_cast<size_t>(region.number)].view;
  return fmt::format("argument {} of the operation, {}{}", region.number + 1, name(view.dtype()),
                     to_string(view.shape()));
}

/// An address, and where it lies in or beside the nearest memory that the kernel may touch.
std::string AccessMonitor::place(uintptr_t address) const {
  const Region* nearest = nullptr;
  uintptr_t nearest_distance = UINTPTR_MAX;
  for (const Region& region : regions_) {
    const uintptr_t end = region.begin + region.bytes;
    const uintptr_t distance = address < region.begin ? region.begin - address : address < end ? 0 : address - end + 1;
    if (distance < nearest_distance) {
      nearest = &region;
      nearest_distance = distance;
    }
  }
  if (!nearest) return fmt::format("{:#x}", address);
  const std::string where = describe(*nearest);
  if (address < nearest->begin) return fmt::format("{:#x}, {} bytes before {}", address, nearest_distance, where);
  if (nearest_distance > 0)
    return fmt::format("{:#x}, {} bytes past the end of {}", address, nearest_distance - 1, where);
  return fmt::format("{:#x}, byte {} of {}", address, address - nearest->begin, where);
}

/// The threads of the other side of a race.
std::string AccessMonitor::who(uint32_t era, uint16_t who) const {
  const auto next = std::upper_bound(block_starts_.begin(), block_starts_.end(), era);
  const dim3 block =
      next == block_starts_.begin() ? blockIdx : block_indices_[size_t(next - block_starts_.begin()) - 1];
  if (who == kReadersOfBlock || who == kAtomicWriters) return fmt::format("threads of block {}", at(block));
  if (who & kReadersOfWarp) return fmt::format("block {} warp {}", at(block), who & 0x1f);
  return fmt::format("block {} thread {}", at(block), at(index_in(block_, who & 0x3ff)));
}

void AccessMonitor::fail_outside(Access kind, uintptr_t address, size_t bytes) {
  if (!checks_.bounds) return;
  if (!op_ && !arena_->holds(address)) return;
  if (kind == Access::read && is_program_constant(address, bytes)) return;
  fail(fmt::format("{} {} bytes out of bounds at {}", verb(kind), bytes, place(address)));
}

void AccessMonitor::fail_access(const Region& region, const Finding& finding, Access kind, uintptr_t address,
                                size_t bytes) {
  const std::string access = fmt::format("{} {} bytes at {}", verb(kind), bytes, place(address));
  if (finding.fault == Fault::none) fail(access + ", which the operation takes as read-only");
  if (finding.fault == Fault::uninitialised) {
    fail(fmt::format("{}, which {} has not written: uninitialised", access,
                     region.shared ? "the block" : "the operation"));
  }
  const bool same_block = finding.other_era >= now_.block_start;
  fail(fmt::format("{} that {} {} in {}: a race", access, who(finding.other_era, finding.other),
                   finding.fault == Fault::write_races_read ? "reads" : "writes",
                   same_block ? "the same stretch between barriers" : "the same launch"));
}

void AccessMonitor::misaligned(const void* address, size_t alignment, const char* type) {
  const uintptr_t value = reinterpret_cast<uintptr_t>(address);
  if (!checks_.alignment) return;
  fail(fmt::format("accesses {} at {}: misaligned, not a multiple of {}", type, place(value), alignment));
}

}  // namespace ascore::kernels::simt
