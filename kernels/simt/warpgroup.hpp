#pragma once

#include "kernels/simt/async_shadow.hpp"
#include "kernels/simt/shared_window.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace ascore::kernels::simt {

inline constexpr unsigned kWarpgroup = 128;

/// What one thread hands in to a wgmma.
struct WgmmaOperands {
  float* sums;
  uint64_t a, b;
  int columns;
  bool turned_a, turned_b;
};

/// An operand in shared memory as its descriptor has it: [rows][16] of bf16.
class SharedOperand {
 public:
  /// Throws BrokenRule for what the emulator does not know or the hardware does not take.
  SharedOperand(uint64_t descriptor, int rows, bool turned, unsigned thread);

  static constexpr int kDepth = 16;
  int rows() const { return rows_; }
  /// Calls body(address, row, depth) for every 16 bytes: eight elements from (row, depth) on, along the depth, or,
  /// turned, along the rows.
  template <class Body>
  void for_granules(Body body) const {
    for (int line = 0; line < (turned_ ? kDepth : rows_); ++line) {
      for (int first = 0; first < (turned_ ? rows_ : kDepth); first += 8) {
        turned_ ? body(address(first, line), first, line) : body(address(line, first), line, first);
      }
    }
  }
  bool turned() const { return turned_; }

 private:
  uint32_t address(int row, int depth) const;

  uint32_t start_, leading_, group_;
  int rows_;
  bool turned_;
};

/// The products of one warpgroup: they run when they are waited for, and not before. Until then the sums are NaN.
class Warpgroup {
 public:
  Warpgroup(unsigned first_thread, const SharedWindow& window, AsyncShadow& shadow)
      : first_(first_thread), window_(window), shadow_(shadow) {}

  /// wgmma_fence by one thread.
  void fence(unsigned thread) { fenced_[thread - first_] = true; }
  /// wgmma by all: lane i hands in `lanes[i]`.
  void multiply(const std::array<const WgmmaOperands*, kWarpgroup>& lanes);
  void commit() { ++group_; }
  void wait(uint64_t groups_left);
  /// True if no product is under way.
  bool idle() const { return products_.empty(); }

 private:
  /// Sums that products under way add to: the threads' registers are poisoned.
  struct Sums {
    std::array<float*, kWarpgroup> registers;
    int columns;
    std::vector<float> values;  ///< [64][columns]
    int products = 0;           ///< that have not run
  };
  struct Product {
    SharedOperand a, b;
    Sums* sums;
    uint64_t group;
  };

  Sums& take_registers(const std::array<const WgmmaOperands*, kWarpgroup>& lanes);
  void run(const Product& product);
  /// [kDepth][rows]
  std::vector<float> load(const SharedOperand& operand) const;

  unsigned first_;
  const SharedWindow& window_;
  AsyncShadow& shadow_;
  std::array<bool, kWarpgroup> fenced_{};
  std::vector<std::unique_ptr<Sums>> sums_;
  std::vector<Product> products_;
  uint64_t group_ = 0;  ///< the one that is open
};

}  // namespace ascore::kernels::simt
