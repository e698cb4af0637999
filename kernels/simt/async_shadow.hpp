#pragma once

#include "kernels/simt/mbarriers.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ascore::kernels::simt {

/// What the emulator remembers of every 16 bytes of dynamic shared memory for the asynchronous proxy: bulk copies and
/// wgmma on one side, ordinary loads and stores on the other. Addresses are offsets into that memory.
///
///   ordinary access               finds a copy under way; a read also one whose mbarrier the thread has not waited
///   for,
///                                 a write also a product under way
///   a copy that starts            finds a copy or product under way, ordinary stores without fence_proxy_async
///   an operand of a product       finds a copy under way or not waited for, ordinary stores without
///                                 fence_proxy_async, and what nobody has written
class AsyncShadow {
 public:
  /// `races`, `initialised`: which faults are told.
  AsyncShadow(size_t bytes, unsigned threads, bool races, bool initialised)
      : granules_(bytes / kGranule + 1), fences_(threads), races_(races), initialised_(initialised) {}

  void read(unsigned thread, size_t offset, size_t bytes) const;
  void write(unsigned thread, size_t offset, size_t bytes);
  void fence(unsigned thread) { ++fences_[thread]; }
  void copy_starts(unsigned thread, size_t offset, size_t bytes);
  void copy_lands(size_t offset, size_t bytes, const Mbarrier& barrier);
  /// One granule of an operand of a product of threads `first` .. `first` + 127.
  void product_starts(unsigned first, size_t offset);
  void product_ends(size_t offset) { --granules_[offset / kGranule].products; }

  static constexpr size_t kGranule = 16;

 private:
  struct Granule {
    const Mbarrier* barrier = nullptr;  ///< of the copy that brought it
    uint64_t phase = 0;                 ///< in which it came
    unsigned writer = kNobody;          ///< of ordinary stores,
    uint32_t fences = 0;                ///< after so many fences of its
    uint16_t products = 0;              ///< that read it now
    bool under_way = false;
  };
  static constexpr unsigned kNobody = ~0u;

  void race(unsigned thread, const char* what) const {
    if (races_) throw BrokenRule{thread, what};
  }
  bool unfenced(const Granule& granule) const {
    return granule.writer != kNobody && fences_[granule.writer] == granule.fences;
  }
  template <class Granules, class Body>
  static void each(Granules& granules, size_t offset, size_t bytes, Body body) {
    for (size_t i = offset / kGranule; i <= (offset + bytes - 1) / kGranule; ++i) body(granules[i]);
  }

  std::vector<Granule> granules_;
  std::vector<uint32_t> fences_;
  bool races_, initialised_;
};

}  // namespace ascore::kernels::simt
