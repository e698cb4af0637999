// Batches whose bf16 operands the cpu widens in parts: linear and attention are those of rows and images alone.
#include "kernels/gemm/host_parts.hpp"

#include "kernels/attention/attention.hpp"
#include "kernels/core/library_memory.hpp"
#include "kernels/linear/linear.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"

#include <algorithm>
#include <utility>
#include <vector>

using namespace ascore;
using kernels::cpu::entries;

namespace {

constexpr Device kCpu = Device::cpu;
constexpr int64_t kRows = 2500, kIn = 600, kOut = 500;           // 953 rows are a part
constexpr int64_t kImages = 8, kPixels = 250, kWidth = 3 * 256;  // 5 images are a part, or 4 beside dy

struct Linear {
  explicit Linear(int64_t rows)
      : x(test::data(kCpu, {rows, kIn}, DType::bf16, test::Fill::integers, 1)),
        weight(test::data(kCpu, {kOut, kIn}, DType::f32, test::Fill::integers, 2)),
        dy(test::data(kCpu, {rows, kOut}, DType::bf16, test::Fill::integers, 3)),
        y(test::poisoned(kCpu, {rows, kOut}, DType::bf16)),
        dx(test::poisoned(kCpu, {rows, kIn}, DType::bf16)),
        dweight(test::poisoned(kCpu, {kOut, kIn})) {}

  void run(Stream& stream, int64_t begin, int64_t end) {
    const ConstView some = entries<ConstView>(x, begin, end), gradients = entries<ConstView>(dy, begin, end);
    kernels::linear(stream, some, weight, {}, entries<View>(y, begin, end));
    kernels::linear_dgrad(stream, gradients, weight, entries<View>(dx, begin, end));
    kernels::linear_wgrad(stream, some, gradients, dweight, {}, {});
  }

  test::Buffer x, weight, dy, y, dx, dweight;
};

struct Attention {
  explicit Attention(int64_t images)
      : qkv(test::data(kCpu, {images, kPixels, kWidth}, DType::bf16, test::Fill::normal, 1)),
        dy(test::data(kCpu, {images, kPixels, kWidth / 3}, DType::bf16, test::Fill::normal, 2)),
        y(test::poisoned(kCpu, dy.shape(), DType::bf16)),
        lse(test::poisoned(kCpu, {images, kPixels})),
        dqkv(test::poisoned(kCpu, qkv.shape(), DType::bf16)),
        workspace(test::poisoned(kCpu, {images * kPixels * 4}, DType::u8)) {}

  void run(Stream& stream, int64_t begin, int64_t end) {
    const auto in = [&](test::Buffer& of) { return entries<ConstView>(of, begin, end); };
    const auto out = [&](test::Buffer& of) { return entries<View>(of, begin, end); };
    kernels::attention_qkv(stream, in(qkv), 0.1, out(y), out(lse));
    kernels::attention_qkv_backward(stream, in(qkv), 0.1, in(y), in(lse), in(dy), out(dqkv), workspace);
  }

  test::Buffer qkv, dy, y, lse, dqkv, workspace;
};

template <class Case>
size_t kept(int64_t count) {
  Stream stream(kCpu, {.threads = 1});
  Case(count).run(stream, 0, count);
  return stream.attached<LibraryMemory>().peak;
}

}  // namespace

TEST_CASE("parts of a batch follow each other, and come to about 4 MiB of copies") {
  using Parts = std::vector<std::pair<int64_t, int64_t>>;
  const auto parts = [](int64_t count, size_t copied) {
    Parts result;
    kernels::cpu::for_parts(count, copied, [&](int64_t begin, int64_t end) { result.emplace_back(begin, end); });
    return result;
  };
  CHECK(parts(7, 0) == Parts{{0, 7}});
  CHECK(parts(7, size_t{1} << 20) == Parts{{0, 4}, {4, 7}});
  CHECK(parts(2, size_t{1} << 30) == Parts{{0, 1}, {1, 2}});
  CHECK(parts(0, 8).empty());
}

TEST_CASE("linear of rows in parts is linear of fewer rows") {
  Stream stream(kCpu);
  Linear whole(kRows), alone(kRows);
  whole.run(stream, 0, kRows);
  std::vector<double> sum(static_cast<size_t>(kOut * kIn));
  for (int64_t begin = 0; begin < kRows; begin += 700) {
    alone.run(stream, begin, std::min(begin + 700, kRows));
    const std::vector<double> more = alone.dweight.values();
    for (size_t i = 0; i < sum.size(); ++i) sum[i] += more[i];
  }
  CHECK(whole.y.values() == alone.y.values());
  CHECK(whole.dx.values() == alone.dx.values());
  CHECK(whole.dweight.values() == sum);  // sums of integers: exact in any order
}

TEST_CASE("attention of images in parts is attention of each") {
  Stream stream(kCpu);
  Attention whole(kImages), alone(kImages);
  whole.run(stream, 0, kImages);
  for (int64_t i = 0; i < kImages; ++i) alone.run(stream, i, i + 1);
  CHECK(whole.y.values() == alone.y.values());
  CHECK(whole.lse.values() == alone.lse.values());
  CHECK(whole.dqkv.values() == alone.dqkv.values());
}

TEST_CASE("what linear and attention copy on the cpu does not grow with the batch") {
  CHECK(kept<Linear>(2 * kRows) <= kept<Linear>(kRows) + kept<Linear>(kRows) / 20);
  CHECK(kept<Attention>(2 * kImages) <= kept<Attention>(kImages) + kept<Attention>(kImages) / 20);
}
