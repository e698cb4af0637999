#pragma once

#include "kernels/core/op_scope.hpp"
#include "kernels/simt/device.hpp"
#include "kernels/simt/shadow.hpp"
#include "kernels/simt/shared_arena.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace ascore::kernels::simt {

class AsyncShadow;

enum class Access : uint8_t { read, write, atomic };

/// Judges every load and store of the kernels that a stream runs. The compiler reports them (callbacks.cpp); global
/// memory is known by the views of the running operation, shared memory by its arrays. A launch outside every operation
/// has no views: its accesses to global memory are not judged.
class AccessMonitor {
 public:
  /// A launch of the stream's current operation begins. Eras go on counting: nothing has to be forgotten.
  void begin_launch(const Stream& stream, dim3 block, const SharedArena& arena);
  void begin_block();
  /// Every thread of the block has arrived at a barrier.
  void pass_barrier();
  /// The lanes of warp `warp` have passed __syncwarp.
  void pass_warp_barrier(unsigned warp) { now_.step = ++steps_[warp]; }
  /// `thread` of the block goes on; its stack ends at `stack_top`.
  void resume(unsigned thread, uintptr_t stack_top, size_t stack_bytes) {
    now_.thread = static_cast<uint16_t>(thread);
    now_.step = steps_[thread / 32];
    stack_ = stack_top - stack_bytes;
    stack_bytes_ = stack_bytes;
  }

  /// An array of shared memory, cut from the launch's arena; elements of `element` bytes are told apart.
  void add_shared(const void* start, size_t bytes, size_t element);
  void use_dynamic(size_t element);

  /// Throws KernelError if the access breaks a rule that is checked.
  void access(Access kind, const void* where, size_t bytes) {
    const auto address = reinterpret_cast<uintptr_t>(where);
    if (address - stack_ < stack_bytes_ || address - builtins_ < builtins_bytes_) return;
    for (const Region& region : std::span(regions_)) {
      const uintptr_t offset = address - region.begin;
      if (offset >= region.bytes || bytes > region.bytes - offset) continue;
      return touch(region, kind, offset, bytes);
    }
    access_parts(kind, address, bytes);
  }
  /// An access of `type` at an address that is not a multiple of `alignment`.
  void misaligned(const void* address, size_t alignment, const char* type);
  /// From now on ordinary accesses to dynamic shared memory are also judged beside asynchronous ones; null: no more.
  void watch_async(AsyncShadow* shadow) { async_ = shadow; }
  /// A bulk copy that `thread` has started reads global memory.
  void async_read(unsigned thread, const void* memory, size_t bytes);
  /// A bulk copy has written dynamic shared memory.
  void async_wrote(const void* memory, size_t bytes);
  /// The host wrote memory on behalf of the running operation.
  void host_wrote(const Stream& stream, const void* memory, size_t bytes);

 private:
  struct Region {
    uintptr_t begin;
    size_t bytes;
    unsigned shift;  ///< log2 of the bytes of a cell
    ShadowCell* cells;
    ShadowRules rules;
    bool writable, initialised, shared;
    int number;  ///< of the argument, or of the shared array
  };
  struct Release {
    void operator()(ShadowCell* cells) const { std::free(cells); }
  };
  using Cells = std::unique_ptr<ShadowCell[], Release>;

  void enter(const OpScope* op);
  void make_global_regions();
  static Cells make_cells(size_t count);
  Region* find(uintptr_t address);
  void touch(const Region& region, Access kind, uintptr_t offset, size_t bytes) {
    if (kind != Access::read && !region.writable) check_writable(region, kind, offset, bytes);
    if (async_ && region.shared && region.number < 0) judge_beside_async(kind, offset, bytes);
    const ShadowCell* const end = region.cells + ((offset + bytes - 1) >> region.shift);
    for (ShadowCell* cell = region.cells + (offset >> region.shift); cell <= end; ++cell) {
      const Finding finding = kind == Access::read ? read_cell(*cell, region.rules, now_)
                                                   : write_cell(*cell, region.rules, now_, kind == Access::atomic);
      if (finding.fault != Fault::none) fail_access(region, finding, kind, region.begin + offset, bytes);
    }
  }
  void judge_beside_async(Access kind, uintptr_t offset, size_t bytes);
  /// An access that no region holds whole: it goes on from one into the next, or lies outside.
  void access_parts(Access kind, uintptr_t address, size_t bytes);
  void check_writable(const Region& region, Access kind, uintptr_t offset, size_t bytes);
  void set_rules(Region& region) const;
  void fail_outside(Access kind, uintptr_t address, size_t bytes);
  [[noreturn]] void fail_access(const Region& region, const Finding& finding, Access kind, uintptr_t address,
                                size_t bytes);
  [[noreturn]] void fail(const std::string& what);
  std::string describe(const Region& region) const;
  std::string place(uintptr_t address) const;
  std::string who(uint32_t era, uint16_t who) const;

  bool entered_ = false;
  const OpScope* op_ = nullptr;
  uint64_t serial_ = 0;  ///< of op_
  uint64_t launches_ = 0;
  SimtChecks checks_;
  dim3 block_;
  AccessTime now_;
  uint32_t op_start_ = 0;
  uint16_t steps_[32] = {};
  std::vector<uint32_t> block_starts_;
  std::vector<dim3> block_indices_;

  uintptr_t stack_ = 0, builtins_ = 0;
  size_t stack_bytes_ = 0, builtins_bytes_ = 0;
  const SharedArena* arena_ = nullptr;
  AsyncShadow* async_ = nullptr;

  std::vector<Region> regions_;  ///< of shared memory first
  size_t shared_regions_ = 0;
  Cells global_cells_;
  size_t global_cell_count_ = 0;
  std::vector<Cells> shared_cells_;
};

/// The monitor of the kernel that runs on this host thread; null while no kernel's own code runs.
extern constinit thread_local AccessMonitor* watching;

}  // namespace ascore::kernels::simt
