#include "kernels/simt/shared_arena.hpp"

#include "kernels/simt/kernel_error.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace ascore::kernels::simt {

namespace {
constexpr unsigned char kPoison = 0xff, kGuard = 0xfb;

bool intact(const std::vector<unsigned char>& memory, size_t begin, size_t end) {
  return std::all_of(memory.begin() + static_cast<std::ptrdiff_t>(begin),
                     memory.begin() + static_cast<std::ptrdiff_t>(end),
                     [](unsigned char byte) { return byte == kGuard; });
}
}  // namespace

SharedArena::SharedArena(size_t dynamic_bytes)
    // Slices are rounded up to 16 bytes and at least one byte long: 4096 red zones always suffice for 48 KiB of them.
    : static_(kStaticLimit + 1024 * kRedZone, kGuard),
      dynamic_(dynamic_bytes + 2 * kRedZone + kWindow, kGuard),
      dynamic_bytes_(dynamic_bytes),
      dynamic_start_(kRedZone + (kDynamicPlace - kRedZone - reinterpret_cast<uintptr_t>(dynamic_.data())) % kWindow) {}

void SharedArena::reset() {
  for (const Slice& slice : slices_) {
    std::fill_n(static_.begin() + static_cast<std::ptrdiff_t>(slice.offset), slice.bytes, kPoison);
  }
  std::fill_n(dynamic_.begin() + static_cast<std::ptrdiff_t>(dynamic_start_), dynamic_bytes_, kPoison);
}

void* SharedArena::find(const void* key) {
  for (const Slice& slice : slices_) {
    if (slice.key == key) return static_.data() + slice.offset;
  }
  return nullptr;
}

bool SharedArena::holds(uintptr_t address) const {
  const auto inside = [address](const std::vector<unsigned char>& memory) {
    return address - reinterpret_cast<uintptr_t>(memory.data()) < memory.size();
  };
  return inside(static_) || inside(dynamic_);
}

void* SharedArena::make(const void* key, size_t bytes) {
  const size_t padded = (bytes + 15) / 16 * 16;
  if (used_ + padded > kStaticLimit || next_ + padded + kRedZone > static_.size()) {
    throw KernelError(
        fmt::format("static shared memory: {} bytes asked for, {} in use, 49152 is the limit", bytes, used_));
  }
  slices_.push_back({key, next_, bytes});
  std::fill_n(static_.begin() + static_cast<std::ptrdiff_t>(next_), bytes, kPoison);
  unsigned char* const start = static_.data() + next_;
  used_ += padded;
  next_ += padded + kRedZone;
  return start;
}

std::string SharedArena::damage() const {
  size_t previous_end = 0;
  for (size_t i = 0; i < slices_.size(); ++i) {
    if (!intact(static_, previous_end, slices_[i].offset)) {
      return fmt::format("shared memory before array {} ({} bytes) was written", i, slices_[i].bytes);
    }
    previous_end = slices_[i].offset + slices_[i].bytes;
  }
  if (!intact(static_, previous_end, std::min(static_.size(), previous_end + kRedZone))) {
    return fmt::format("shared memory after array {} was written", slices_.empty() ? 0 : slices_.size() - 1);
  }
  if (!intact(dynamic_, 0, dynamic_start_) || !intact(dynamic_, dynamic_start_ + dynamic_bytes_, dynamic_.size())) {
    return fmt::format("memory around the {} bytes of dynamic shared memory was written", dynamic_bytes_);
  }
  return {};
}

}  // namespace ascore::kernels::simt
