#include "kernels/simt/warpgroup.hpp"

#include "kernels/simt/bulk_copies.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

namespace ascore::kernels::simt {

namespace {

constexpr int kRows = 64, kLineBytes = 128, kMaxColumns = 256;

/// Row and column of register `r` of thread `lane` of the warpgroup.
constexpr int row_of(int lane, int r) {
  return lane / 32 * 16 + lane % 32 / 4 + r / 2 % 2 * 8;
}
constexpr int column_of(int lane, int r) {
  return r / 4 * 8 + lane % 4 * 2 + r % 2;
}

}  // namespace

SharedOperand::SharedOperand(uint64_t descriptor, int rows, bool turned, unsigned thread)
    : start_(static_cast<uint32_t>(descriptor & 0x3fff) << 4),
      leading_(static_cast<uint32_t>(descriptor >> 16 & 0x3fff) << 4),
      group_(static_cast<uint32_t>(descriptor >> 32 & 0x3fff) << 4),
      rows_(rows),
      turned_(turned) {
  if (descriptor >> 62 != 1) throw BrokenRule{thread, "gives wgmma an operand that is not swizzled by 128 bytes"};
  if (descriptor >> 49 & 7) throw BrokenRule{thread, "gives wgmma an operand whose swizzle begins off 1024 bytes"};
}

/// Lines of 128 bytes, in groups of eight that lie `group_` apart. Not turned: a line is a row. Turned: a line is a
/// depth, of 64 rows; the next 64 rows lie `leading_` behind.
uint32_t SharedOperand::address(int row, int depth) const {
  const int line = turned_ ? depth : row, element = turned_ ? row % 64 : depth;
  const uint32_t piece = turned_ ? static_cast<uint32_t>(row / 64) * leading_ : 0;
  return swizzle_128(start_ + piece + static_cast<uint32_t>(line / 8) * group_ +
                     static_cast<uint32_t>(line % 8 * kLineBytes + element * 2));
}

void Warpgroup::multiply(const std::array<const WgmmaOperands*, kWarpgroup>& lanes) {
  const WgmmaOperands& mine = *lanes[0];
  for (unsigned i = 0; i < kWarpgroup; ++i) {
    const WgmmaOperands& other = *lanes[i];
    if (!fenced_[i]) throw BrokenRule{first_ + i, "starts a wgmma without a wgmma_fence since it had the sums"};
    if (other.a != mine.a || other.b != mine.b || other.columns != mine.columns) {
      throw BrokenRule{first_ + i, "gives wgmma other operands than the rest of its warpgroup"};
    }
  }
  const Product product{{mine.a, kRows, mine.turned_a, first_},
                        {mine.b, mine.columns, mine.turned_b, first_},
                        &take_registers(lanes),
                        group_};
  for (const SharedOperand& operand : {product.a, product.b}) {
    operand.for_granules([&](uint32_t address, int, int) {
      shadow_.product_starts(first_, window_.offset(address, AsyncShadow::kGranule, first_));
    });
  }
  ++product.sums->products;
  products_.push_back(product);
}

Warpgroup::Sums& Warpgroup::take_registers(const std::array<const WgmmaOperands*, kWarpgroup>& lanes) {
  for (const auto& known : sums_) {
    if (known->registers[0] == lanes[0]->sums) return *known;
  }
  auto sums = std::make_unique<Sums>();
  const int columns = lanes[0]->columns;
  sums->columns = columns;
  sums->values.resize(static_cast<size_t>(kRows * columns));
  for (int lane = 0; lane < int(kWarpgroup); ++lane) {
    float* const registers = sums->registers[lane] = lanes[lane]->sums;
    for (int r = 0; r < columns / 2; ++r) {
      sums->values[row_of(lane, r) * columns + column_of(lane, r)] = registers[r];
      registers[r] = std::numeric_limits<float>::quiet_NaN();
    }
  }
  sums_.push_back(std::move(sums));
  return *sums_.back();
}

void Warpgroup::wait(uint64_t groups_left) {
  size_t done = 0;
  for (; done < products_.size() && products_[done].group + groups_left < group_; ++done) run(products_[done]);
  products_.erase(products_.begin(), products_.begin() + static_cast<std::ptrdiff_t>(done));
  std::erase_if(sums_, [](const std::unique_ptr<Sums>& sums) {
    if (sums->products > 0) return false;
    for (int lane = 0; lane < int(kWarpgroup); ++lane) {
      for (int r = 0; r < sums->columns / 2; ++r) {
        sums->registers[lane][r] = sums->values[row_of(lane, r) * sums->columns + column_of(lane, r)];
      }
    }
    return true;
  });
  fenced_.fill(false);
}

/// sums += a b. Products of bf16 are exact; their sum with sums is rounded once. (PTX leaves the order and the
/// precision of that sum open.)
void Warpgroup::run(const Product& product) {
  const std::vector<float> a = load(product.a), b = load(product.b);
  const int columns = product.b.rows();
  for (int m = 0; m < kRows; ++m) {
    float* const row = product.sums->values.data() + m * columns;
    double sums[kMaxColumns];
    std::copy_n(row, columns, sums);
    for (int k = 0; k < SharedOperand::kDepth; ++k) {
      const double factor = static_cast<double>(a[k * kRows + m]);
      for (int n = 0; n < columns; ++n) sums[n] += factor * static_cast<double>(b[k * columns + n]);
    }
    for (int n = 0; n < columns; ++n) row[n] = static_cast<float>(sums[n]);
  }
  --product.sums->products;
  for (const SharedOperand& operand : {product.a, product.b}) {
    operand.for_granules([&](uint32_t address, int, int) {
      shadow_.product_ends(window_.offset(address, AsyncShadow::kGranule, first_));
    });
  }
}

std::vector<float> Warpgroup::load(const SharedOperand& operand) const {
  std::vector<float> values(static_cast<size_t>(SharedOperand::kDepth * operand.rows()));
  operand.for_granules([&](uint32_t address, int row, int depth) {
    uint16_t elements[8];
    std::memcpy(elements, window_.memory + window_.offset(address, sizeof elements, first_), sizeof elements);
    for (int e = 0; e < 8; ++e) {
      const int r = row + (operand.turned() ? e : 0), k = depth + (operand.turned() ? 0 : e);
      values[k * operand.rows() + r] = std::bit_cast<float>(static_cast<uint32_t>(elements[e]) << 16);
    }
  });
  return values;
}

}  // namespace ascore::kernels::simt
