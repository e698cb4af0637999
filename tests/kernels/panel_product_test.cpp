#include "kernels/gemm/panel_product.hpp"

#include "tests/support/catch.hpp"

#include <cmath>
#include <random>
#include <string>
#include <vector>

using namespace ascore::kernels::cpu;

namespace {

std::vector<float> normals(size_t count, unsigned seed) {
  std::mt19937 bits(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(bits);
  return values;
}

}  // namespace

TEST_CASE("a panel's product has the bits of fused multiply-adds in order, whatever this processor's instructions") {
  INFO(panel_product_name());
  const int64_t depth = GENERATE(int64_t{0}, int64_t{1}, int64_t{7}, int64_t{192});
  const bool transposed = GENERATE(false, true);
  const bool add = GENERATE(false, true);
  CAPTURE(depth, transposed, add);
  constexpr int64_t kBeside = 3, kPitch = kPanelColumns + 5;  // what lies between the rows is not touched
  const int64_t pitch = (transposed ? kPanelRows : depth) + kBeside;
  const int64_t lines = transposed ? depth : kPanelRows;
  const auto a = normals(static_cast<size_t>(pitch * lines), 1);
  const auto b = normals(static_cast<size_t>(depth * kPanelColumns), 2);
  const auto before = normals(static_cast<size_t>(kPitch * kPanelRows), 3);

  auto wanted = before;
  for (int64_t r = 0; r < kPanelRows; ++r) {
    for (int64_t j = 0; j < kPanelColumns; ++j) {
      float sum = add ? before[r * kPitch + j] : 0.0F;
      for (int64_t d = 0; d < depth; ++d) {
        sum = std::fma(transposed ? a[d * pitch + r] : a[r * pitch + d], b[d * kPanelColumns + j], sum);
      }
      wanted[r * kPitch + j] = sum;
    }
  }
  auto c = before;
  (transposed ? panel_product_transposed : panel_product)(a.data(), pitch, b.data(), depth, add, c.data(), kPitch);
  CHECK(c == wanted);
}
