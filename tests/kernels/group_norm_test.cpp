#include "kernels/group_norm/group_norm.hpp"

#include "kernels/core/error.hpp"
#include "kernels/group_norm/norm_slab.hpp"
#include "tests/kernels/group_norm_reference.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/types.hpp"

using namespace ascore;

namespace {

using Case = test::GroupNormCase;
using Results = test::GroupNormResults;
constexpr double kEpsilon = test::kGroupNormEps;

/// What the kernels give, all gradients wanted.
Results run(Stream& stream, const Case& size, const test::Buffer& x, const test::Buffer& gamma,
            const test::Buffer& beta, const test::Buffer& dy, Activation activation) {
  const Device device = stream.device();
  const DType dtype = x.dtype(), wide = accumulator(dtype);
  auto y = test::poisoned(device, size.shape(), dtype), dx = test::poisoned(device, size.shape(), dtype);
  auto mean = test::poisoned(device, {size.N, size.G}, wide), rstd = test::poisoned(device, {size.N, size.G}, wide);
  auto dgamma = test::poisoned(device, {size.C}, wide), dbeta = test::poisoned(device, {size.C}, wide);
  const auto bytes = [&](size_t count) { return test::poisoned(device, {int64_t(count)}, DType::u8); };
  auto workspace = bytes(kernels::group_norm_workspace_bytes(size.shape(), dtype));
  auto scratch = bytes(kernels::group_norm_backward_workspace_bytes(size.shape(), size.G, dtype));
  kernels::group_norm(stream, x, gamma, beta, kEpsilon, activation, y, mean, rstd, workspace);
  kernels::group_norm_backward(stream, x, gamma, beta, mean, rstd, activation, dy, dx, dgamma, dbeta, scratch);
  stream.synchronize();
  return {y.values(), dx.values(), dgamma.values(), dbeta.values()};
}

}  // namespace

TEST_CASE("group_norm and its gradients agree with plain f64 loops on every device") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE(DType::f32, DType::bf16);
  const auto activation = GENERATE(Activation::identity, Activation::silu);
  const auto fill = GENERATE(test::Fill::normal, test::Fill::far_from_zero);
  const Case size =
      GENERATE(Case{1, 1, 1, 12, 2}, Case{2, 7, 5, 3, 1}, Case{3, 3, 11, 66, 11}, Case{1, 17, 16, 70, 70},
               Case{0, 4, 4, 8, 4}, Case{2, 0, 3, 4, 2}, Case{2, 5, 2, 80, 2},
               // slabs: groups within a chunk, across chunks, ragged warps, several blocks per image
               Case{2, 5, 7, 32, 8}, Case{3, 2, 3, 48, 4}, Case{1, 9, 11, 24, 2}, Case{1, 17, 16, 16, 16});
  CAPTURE(name(device), name(dtype), int(activation), int(fill), to_string(size.shape()), size.G);
  const auto x = test::data(device, size.shape(), dtype, fill, 1);
  const auto dy = test::data(device, size.shape(), dtype, test::Fill::normal, 2);
  const auto gamma = test::data(device, {size.C}, DType::f32, test::Fill::normal, 3);
  const auto beta = test::data(device, {size.C}, DType::f32, test::Fill::normal, 4);
  const bool silu = activation == Activation::silu;
  const auto reference =
      test::plain_group_norm<double>(size, x.values(), gamma.values(), beta.values(), dy.values(), silu, DType::f64);
  const auto naive =
      test::plain_group_norm<float>(size, x.values(), gamma.values(), beta.values(), dy.values(), silu, dtype);
  // A few sums: the twin may be lucky in all of them. And a mean of 100 in f32 is off by up to 4e-6, 4e-5 of the
  // spread: the twin may be lucky in that, too.
  const double floor = fill == test::Fill::far_from_zero ? 1e-4 : 4e-7;
  std::optional<Results> first;
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    const Results result = run(stream, size, x, gamma, beta, dy, activation);
    test::require_kernels_ran(stream);
    if (!first) first = result;
    CHECK(result.y == first->y);
    CHECK(result.dx == first->dx);
    CHECK(result.dgamma == first->dgamma);
    CHECK_THAT(result.y, test::at_most_twice_the_error_of(naive.y, reference.y, floor));
    CHECK_THAT(result.dx, test::at_most_twice_the_error_of(naive.dx, reference.dx, floor));
    CHECK_THAT(result.dgamma, test::at_most_twice_the_error_of(naive.dgamma, reference.dgamma, floor));
    CHECK_THAT(result.dbeta, test::at_most_twice_the_error_of(naive.dbeta, reference.dbeta, floor));
  }
}

TEST_CASE("group_norm without parameters is group_norm with gamma 1 and beta 0") {
  const auto device = GENERATE(from_range(test::devices()));
  const Case size{2, 3, 5, 6, 6};
  const auto x = test::data(device, size.shape()), ones = test::buffer(device, {6}, DType::f32, std::vector(6, 1.0));
  const auto zeros = test::buffer(device, {6}, DType::f32, std::vector(6, 0.0));
  auto with = test::poisoned(device, size.shape()), without = test::poisoned(device, size.shape());
  auto dx_with = test::poisoned(device, size.shape()), dx_without = test::poisoned(device, size.shape());
  auto mean = test::poisoned(device, {2, 6}), rstd = test::poisoned(device, {2, 6});
  const auto bytes = int64_t(kernels::group_norm_backward_workspace_bytes(size.shape(), 6, DType::f32));
  auto workspace = test::poisoned(device, {bytes}, DType::u8);
  const auto dy = test::data(device, size.shape(), DType::f32, test::Fill::normal, 2);
  Stream stream(device);
  const auto f = Activation::silu;
  kernels::group_norm(stream, x, ones, zeros, 1e-5, f, with, mean, rstd, workspace);
  kernels::group_norm_backward(stream, x, ones, zeros, mean, rstd, f, dy, dx_with, {}, {}, workspace);
  kernels::group_norm(stream, x, {}, {}, 1e-5, f, without, mean, rstd, workspace);
  kernels::group_norm_backward(stream, x, {}, {}, mean, rstd, f, dy, dx_without, {}, {}, workspace);
  stream.synchronize();
  CHECK(without.values() == with.values());
  CHECK(dx_without.values() == dx_with.values());
}

TEST_CASE("group_norm_backward adds what else x's gradient is made of, before it rounds") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE(DType::f32, DType::bf16);
  const auto activation = GENERATE(Activation::identity, Activation::silu);
  const Shape shape{2, 7, 5, 66};
  CAPTURE(name(device), name(dtype), static_cast<int>(activation));
  const auto x = test::data(device, shape, dtype), dy = test::data(device, shape, dtype, test::Fill::normal, 2);
  const auto more = test::data(device, shape, dtype, test::Fill::normal, 3);
  const auto wide_x = test::buffer(device, shape, DType::f32, x.values());
  const auto wide_dy = test::buffer(device, shape, DType::f32, dy.values());
  const auto gradient = [&](const test::Buffer& of, const test::Buffer& by, ConstView residual) {
    auto y = test::poisoned(device, shape, of.dtype()), dx = test::poisoned(device, shape, of.dtype());
    auto mean = test::poisoned(device, {2, 6}), rstd = test::poisoned(device, {2, 6});
    const auto bytes = int64_t(kernels::group_norm_backward_workspace_bytes(shape, 6, of.dtype()));
    auto workspace = test::poisoned(device, {bytes}, DType::u8);
    Stream stream(device);
    kernels::group_norm(stream, of, {}, {}, 1e-5, activation, y, mean, rstd, workspace);
    kernels::group_norm_backward(stream, of, {}, {}, mean, rstd, activation, by, dx, {}, {}, workspace, residual);
    stream.synchronize();
    return dx.values();
  };
  // The kernel itself in f32, without a residual, is held to plain loops above.
  std::vector<double> expected = gradient(wide_x, wide_dy, {});
  const std::vector<double> others = more.values();
  for (size_t i = 0; i < expected.size(); ++i) {
    const double sum = test::round_f32(expected[i] + others[i]);
    expected[i] = dtype == DType::bf16 ? test::round_bf16(sum) : sum;
  }
  const std::vector<double> dx = gradient(x, dy, more);
  if (device == Device::cuda) {  // nvcc may merge the sum into an fma
    CHECK(test::relative_error(dx, expected) < (dtype == DType::bf16 ? 1e-4 : 1e-7));
  } else {
    CHECK(dx == expected);
  }
}

TEST_CASE("a slab adds what else x's gradient is made of, and works on memory that chunks cannot move") {
  const auto device = GENERATE(from_range(test::devices()));
  const Shape shape{2, 6, 5, 16};
  const auto bytes = int64_t(kernels::group_norm_backward_workspace_bytes(shape, 4, DType::f32));
  const auto mean = test::data(device, {2, 4}), rstd = test::data(device, {2, 4}, DType::f32, test::Fill::constant);
  const auto more = test::data(device, shape, DType::f32, test::Fill::normal, 3);
  // x, dy and dx begin `offset` elements behind the start of their memory.
  const auto gradient = [&](int64_t offset, ConstView residual) {
    const Shape room{shape.count() + offset};
    const auto behind = [&](uint64_t seed) {
      std::vector<double> values(static_cast<size_t>(offset), 0.0),
          all = test::data(device, shape, DType::f32, test::Fill::normal, seed).values();
      values.insert(values.end(), all.begin(), all.end());
      return test::buffer(device, room, DType::f32, values);
    };
    const auto x = behind(1), dy = behind(2);
    auto dx = test::poisoned(device, room), workspace = test::poisoned(device, {bytes}, DType::u8);
    const auto part = [&](const View& of) { return View(of.as<float>() + offset, shape, DType::f32, device); };
    const auto read = [&](const ConstView& of) {
      return ConstView(of.as<float>() + offset, shape, DType::f32, device);
    };
    Stream stream(device);
    kernels::group_norm_backward(stream, read(x), {}, {}, mean, rstd, Activation::silu, read(dy), part(dx), {}, {},
                                 workspace, residual);
    stream.synchronize();
    const std::vector<double> values = dx.values();
    return std::vector<double>(values.begin() + offset, values.end());
  };
  const std::vector<double> aligned = gradient(0, {});
  CHECK(gradient(1, {}) == aligned);
  std::vector<double> expected = aligned;
  const std::vector<double> others = more.values();
  for (size_t i = 0; i < expected.size(); ++i) expected[i] = test::round_f32(expected[i] + others[i]);
  if (device == Device::cuda) {  // nvcc may merge the sum into an fma
    CHECK(test::relative_error(gradient(0, more), expected) < 1e-7);
  } else {
    CHECK(gradient(0, more) == expected);
  }
}

TEST_CASE("slabs are whole groups, move whole chunks and fit into a block's shared memory") {
  CHECK(kernels::choose_norm_slab(32 * 32, 128, 4, 2).channels == 16);
  CHECK(kernels::choose_norm_slab(32 * 32, 384, 12, 2).channels == 24);
  CHECK(kernels::choose_norm_slab(16 * 16, 384, 12, 2).channels == 48);
  CHECK(kernels::choose_norm_slab(32 * 32, 256, 8, 4).channels == 8);
  CHECK(kernels::choose_norm_slab(64 * 64, 128, 4, 2).channels == 0);
  CHECK(kernels::choose_norm_slab(16, 66, 11, 4).channels == 0);
  for (const int64_t pixels : {1, 16, 49, 64, 256, 1024, 4096}) {
    for (const int64_t width : {1, 2, 4, 11, 12, 16, 48}) {
      for (const int64_t bytes : {2, 4}) {
        const kernels::NormSlab slab = kernels::choose_norm_slab(pixels, 32 * width, width, bytes);
        CAPTURE(pixels, width, bytes, slab.channels);
        if (slab.channels == 0) continue;
        CHECK(slab.channels % width == 0);
        CHECK(32 * width % slab.channels == 0);
        CHECK(slab.chunks() * 16 == slab.channels * bytes);
        CHECK(slab.threads() <= 512);
        CHECK(slab.shared_bytes(pixels, bytes) <= kernels::kSharedBytesSm80);
      }
    }
  }
}

TEST_CASE("group_norm gives an image the same bits in any batch and on any number of threads") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto [C, G] = GENERATE(table<int64_t, int64_t>({{66, 3}, {32, 4}}));  // by passes, by slabs
  const auto gamma = test::data(device, {C}), beta = gamma;
  const auto all = test::data(device, {3, 9, 15, C}).values();
  const auto normalize = [&](const std::vector<double>& values, int64_t N, int threads) {
    Stream stream(device, {.threads = threads});
    const Case size{N, 9, 15, C, G};
    const auto x = test::buffer(device, size.shape(), DType::f32, values);
    return run(stream, size, x, gamma, beta, x, Activation::silu);
  };
  const auto together = normalize(all, 3, 1);
  CHECK(normalize(all, 3, 2).y == together.y);
  CHECK(normalize(all, 3, 2).dgamma == together.dgamma);
  const auto part = [&](const std::vector<double>& v) {
    return std::vector(v.begin() + long(v.size() / 3), v.begin() + long(2 * v.size() / 3));
  };
  CHECK(normalize(part(all), 1, 2).y == part(together.y));
  CHECK(normalize(part(all), 1, 2).dx == part(together.dx));
}

TEST_CASE("group_norm refuses groups, activations and arguments that do not fit") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  auto x = test::data(device, {2, 3, 3, 6}), y = test::poisoned(device, {2, 3, 3, 6});
  auto c = test::data(device, {6}), wrong = test::data(device, {5}), half = test::data(device, {6}, DType::bf16);
  auto four = test::poisoned(device, {2, 4}), three = test::poisoned(device, {2, 3});
  auto workspace = test::poisoned(device, {96}, DType::u8), small = test::poisoned(device, {95}, DType::u8);
  const auto call = [&](ConstView gamma, Activation f, View statistics, View bytes) {
    kernels::group_norm(stream, x, gamma, c, 1e-6, f, y, statistics, statistics, bytes);
  };
  CHECK_THROWS_AS(call(c, Activation::identity, four, workspace), ShapeError);
  CHECK_THROWS_AS(call(wrong, Activation::identity, three, workspace), ShapeError);
  CHECK_THROWS_AS(call(c, Activation::identity, three, small), ShapeError);
  CHECK_THROWS_AS(call(half, Activation::identity, three, workspace), DTypeError);
  CHECK_THROWS_AS(call(c, Activation::relu, three, workspace), ConfigError);
}
