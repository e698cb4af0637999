#include "kernels/core/run_moments.hpp"

#include "kernels/channel_norm/channel_norm.hpp"
#include "kernels/core/error.hpp"
#include "kernels/group_norm/group_norm.hpp"
#include "kernels/instance_norm_plus/instance_norm_plus.hpp"
#include "tests/kernels/conv2d_reference.hpp"
#include "tests/support/catch.hpp"

#include <cmath>
#include <optional>

using namespace ascore;
using namespace ascore::test::conv2d;

namespace {

/// Images of one run and of many, of runs of 8 and of 16, several of them in a tile and none of a tile's length;
/// channels in chunks and ragged, tiles of every kind, Winograd's on the cpu; H != W.
const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {5, 2, 4, 8, 24, 3},        {3, 4, 6, 16, 16, 3},       {2, 8, 3, 5, 7, 3},     {2, 8, 6, 8, 70, 3, 2},
      {1, 9, 15, 8, 40, 3, 1, 2}, {2, 12, 8, 3, 130, 1},      {1, 2, 8, 24, 33, 3},   {0, 4, 6, 8, 8, 3},
      {3, 5, 8, 40, 72, 3},       {1, 8, 12, 8, 24, 4, 1, 2}, {1, 64, 66, 8, 136, 1}, {2, 8, 14, 32, 64, 3},
  };
  return all;
}

struct Moments {
  Values mean, squares;
};

/// Of `runs` runs per image of y [N,H,W,C], each [N,runs,C], by two passes in A.
template <class A>
Moments plain(const Values& y, const Shape& shape, int64_t runs) {
  const int64_t C = shape[3], length = runs ? shape[1] * shape[2] / runs : 0;
  Moments result;
  for (int64_t run = 0; run < shape[0] * runs; ++run) {
    for (int64_t c = 0; c < C; ++c) {
      const auto value = [&](int64_t r) { return static_cast<A>(y[static_cast<size_t>((run * length + r) * C + c)]); };
      A mean = 0, squares = 0;
      for (int64_t r = 0; r < length; ++r) mean += value(r);
      mean /= static_cast<A>(length);
      for (int64_t r = 0; r < length; ++r) squares += (value(r) - mean) * (value(r) - mean);
      result.mean.push_back(mean);
      result.squares.push_back(squares);
    }
  }
  return result;
}

/// Run moments [N,S,2,C] apart.
Moments apart(const Values& runs, int64_t C) {
  Moments result;
  for (size_t i = 0; i < runs.size(); ++i) {
    (i / static_cast<size_t>(C) % 2 ? result.squares : result.mean).push_back(runs[i]);
  }
  return result;
}

Values together(const Moments& moments, int64_t C) {
  Values runs;
  for (size_t first = 0; first < moments.mean.size(); first += static_cast<size_t>(C)) {
    for (const Values* part : {&moments.mean, &moments.squares}) {
      runs.insert(runs.end(), part->begin() + long(first), part->begin() + long(first) + long(C));
    }
  }
  return runs;
}

Shape run_shape(const Case& c) {
  return kernels::run_moments_shape(c.y());
}

}  // namespace

TEST_CASE("runs are powers of two that divide an image's pixels") {
  CHECK(kernels::run_length(32 * 32) == 16);
  CHECK(kernels::run_length(28 * 28) == 16);
  CHECK(kernels::run_length(4 * 6) == 8);
  CHECK(kernels::run_length(14 * 14) == 0);
  CHECK(kernels::run_length(0) == 0);
  CHECK(kernels::run_moments_shape({3, 8, 6, 5}) == Shape{3, 3, 2, 5});
  CHECK(kernels::run_moments_shape({3, 7, 5, 5}) == Shape{3, 0, 2, 5});
}

TEST_CASE("conv2d leaves the moments of what it stores, as it is rounded, on every device") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE_COPY(from_range(dtypes(device)));
  const auto at = GENERATE(range(size_t{0}, size_t{12}));
  const Case& c = cases().at(at);
  const auto kind = at % 2 ? Activation::elu : Activation::identity;
  const bool with_residual = at % 3 != 0;
  CAPTURE(name(device), name(dtype), c, static_cast<int>(kind), with_residual);
  const DType wide = accumulator(dtype);
  // Far from zero and of little spread: what one pass, or values that are not rounded yet, would get wrong.
  const auto x = test::data(device, c.x(), dtype),
             residual = test::data(device, c.y(), dtype, test::Fill::far_from_zero, 2);
  const auto weight = test::data(device, c.weight(), wide, test::Fill::normal, 3);
  const auto bias = test::data(device, {c.O}, wide, test::Fill::normal, 4);
  const auto convolve = [&](Stream& stream, View y, View sum, View runs) {
    kernels::conv2d(
        stream, x, weight, bias, c.options(), y,
        {.residual = with_residual ? ConstView(residual) : ConstView{}, .activation = kind, .sum = sum, .runs = runs});
    stream.synchronize();
  };
  std::optional<Values> first;
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    auto y = test::poisoned(device, c.y(), dtype), sum = test::poisoned(device, c.y(), dtype);
    auto runs = test::poisoned(device, run_shape(c), wide), alone = test::poisoned(device, run_shape(c), wide);
    convolve(stream, y, sum, runs);
    if (kind == Activation::identity) convolve(stream, y, {}, alone);
    if (c.N > 0) test::require_kernels_ran(stream);
    if (!first) first = runs.values();
    CHECK(runs.values() == *first);
    if (kind == Activation::identity) CHECK(alone.values() == *first);
    auto unmeasured = test::poisoned(device, c.y(), dtype);
    convolve(stream, unmeasured, {}, {});
    CHECK(unmeasured.values() == y.values());

    const Moments found = apart(runs.values(), c.O);
    const Values stored = sum.values();
    const Moments reference = plain<double>(stored, c.y(), run_shape(c)[1]);
    const Moments naive = dtype == DType::f64 ? reference : plain<float>(stored, c.y(), run_shape(c)[1]);
    const double floor = dtype == DType::f64 ? 1e-14 : 1e-7;
    CHECK_THAT(found.mean, test::at_most_twice_the_error_of(naive.mean, reference.mean, floor));
    CHECK_THAT(found.squares, test::at_most_twice_the_error_of(naive.squares, reference.squares, floor));
  }
}

namespace {
/// The moments of channels, [N,C], from those of their runs of `length` pixels, in A.
template <class A>
Moments merged(const Moments& runs, int64_t length, const Shape& shape, int64_t S) {
  const int64_t C = shape[3];
  Moments result;
  for (int64_t n = 0; n < shape[0]; ++n) {
    for (int64_t c = 0; c < C; ++c) {
      const auto at = [&](int64_t s) { return static_cast<size_t>((n * S + s) * C + c); };
      A mean = 0, squares = 0;
      for (int64_t s = 0; s < S; ++s) mean += static_cast<A>(runs.mean[at(s)]);
      mean /= static_cast<A>(S);
      for (int64_t s = 0; s < S; ++s) {
        const A d = static_cast<A>(runs.mean[at(s)]) - mean;
        squares += static_cast<A>(runs.squares[at(s)]) + static_cast<A>(length) * d * d;
      }
      result.mean.push_back(mean);
      result.squares.push_back(squares);
    }
  }
  return result;
}
}  // namespace

TEST_CASE("the moments of channels are put together from those of their runs") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto fill = GENERATE(test::Fill::normal, test::Fill::far_from_zero);
  const Shape shape = GENERATE(Shape{3, 4, 6, 70}, Shape{2, 4, 4, 5}, Shape{1, 24, 32, 33}, Shape{0, 4, 4, 8});
  CAPTURE(name(device), int(fill), to_string(shape));
  const auto x = test::data(device, shape, DType::f32, fill);
  const Values xs = x.values();
  const Shape runs = kernels::run_moments_shape(shape);
  const auto parts = test::buffer(device, runs, DType::f32, together(plain<float>(xs, shape, runs[1]), shape[3]));
  const Moments given = apart(parts.values(), shape[3]);
  const int64_t length = kernels::run_length(shape[1] * shape[2]);
  const Moments reference = merged<double>(given, length, shape, runs[1]);
  const Moments naive = merged<float>(given, length, shape, runs[1]), all = plain<double>(xs, shape, 1);
  const Moments exact = merged<double>(plain<double>(xs, shape, runs[1]), length, shape, runs[1]);
  CHECK(test::relative_error(exact.mean, all.mean) < 1e-12);  // the formula itself
  CHECK(test::relative_error(exact.squares, all.squares) < 1e-9);
  constexpr double kFewRoundings = 4e-7;
  std::optional<Values> first;
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    auto mean = test::poisoned(device, {shape[0], shape[3]}), squares = test::poisoned(device, {shape[0], shape[3]});
    kernels::channel_moments(stream, x, mean, squares, parts);
    stream.synchronize();
    if (!first) first = squares.values();
    CHECK(squares.values() == *first);
    // A few roundings of the distance from the first run's mean, which is several times the mean of all.
    CHECK_THAT(mean.values(), test::at_most_twice_the_error_of(naive.mean, reference.mean, kFewRoundings));
    CHECK_THAT(squares.values(), test::at_most_twice_the_error_of(naive.squares, reference.squares, kFewRoundings));
  }
}

TEST_CASE("normalisations of measured images differ by rounding alone, and read the moments they are given") {
  const auto device = GENERATE(from_range(test::devices()));
  const Shape shape = GENERATE(Shape{3, 4, 6, 66}, Shape{2, 12, 8, 6});
  CAPTURE(name(device), to_string(shape));
  const int64_t N = shape[0], C = shape[3], G = 3;
  const auto x = test::data(device, shape), gamma = test::data(device, {C}), beta = gamma, alpha = gamma;
  const Values xs = x.values();
  const Shape runs = kernels::run_moments_shape(shape);
  const Moments parts = plain<float>(xs, shape, runs[1]);
  Stream stream(device);
  struct Result {
    Values y, mean, rstd;
  };
  const auto plus = [&](ConstView measured) {
    auto y = test::poisoned(device, shape), mean = test::poisoned(device, {N, C}),
         rstd = test::poisoned(device, {N, C});
    auto channels = test::poisoned(device, {N, 2});
    kernels::instance_norm_plus(stream, x, gamma, alpha, beta, y, mean, rstd, channels, Activation::elu, 0, measured);
    stream.synchronize();
    return Result{y.values(), mean.values(), rstd.values()};
  };
  const auto group = [&](ConstView measured) {
    auto y = test::poisoned(device, shape), mean = test::poisoned(device, {N, G}),
         rstd = test::poisoned(device, {N, G});
    auto workspace = test::poisoned(
        device, {static_cast<int64_t>(kernels::group_norm_workspace_bytes(shape, DType::f32))}, DType::u8);
    kernels::group_norm(stream, x, gamma, beta, 1e-6, Activation::silu, y, mean, rstd, workspace, measured);
    stream.synchronize();
    return Result{y.values(), mean.values(), rstd.values()};
  };
  const auto agree = [](const Result& measured, const Result& read) {
    CHECK(test::relative_error(measured.y, read.y) < 1e-6);
    CHECK(test::relative_error(measured.mean, read.mean) < 1e-6);
    CHECK(test::relative_error(measured.rstd, read.rstd) < 1e-6);
  };
  const auto good = test::buffer(device, runs, DType::f32, together(parts, C));
  agree(plus(good), plus({}));
  agree(group(good), group({}));
  // Twice the deviation of every value, as far as the moments know.
  Moments wide = parts;
  const Moments all = plain<double>(xs, shape, 1);
  for (size_t i = 0; i < wide.mean.size(); ++i) {
    const size_t channel = i / size_t(runs[1] * C) * size_t(C) + i % size_t(C);
    wide.mean[i] = all.mean[channel] + 2 * (wide.mean[i] - all.mean[channel]);
    wide.squares[i] *= 4;
  }
  const auto other = test::buffer(device, runs, DType::f32, together(wide, C));
  const Values narrow = plus({}).rstd, halved = plus(other).rstd;
  for (size_t i = 0; i < narrow.size(); ++i) REQUIRE(halved[i] == Approx(narrow[i] / 2).epsilon(1e-4));
}

TEST_CASE("run moments that do not fit are refused") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  const auto x = test::data(device, {2, 4, 6, 3}), weight = test::data(device, {5, 3, 3, 3});
  auto y = test::poisoned(device, {2, 4, 6, 5}), few = test::poisoned(device, {2, 2, 2, 5});
  auto half = test::poisoned(device, {2, 3, 2, 5}, DType::bf16);
  CHECK_THROWS_AS(kernels::conv2d(stream, x, weight, {}, {}, y, {.runs = few}), ShapeError);
  CHECK_THROWS_AS(kernels::conv2d(stream, x, weight, {}, {}, y, {.runs = half}), DTypeError);
  auto moments = test::poisoned(device, {2, 3, 2, 5});
  CHECK_THROWS_AS(kernels::conv2d(stream, x, weight, {}, {}, y, {.activation = Activation::elu, .runs = moments}),
                  ShapeError);  // of a sum that is stored nowhere
  const auto odd = test::data(device, {2, 5, 3, 3});
  auto odd_y = test::poisoned(device, {2, 5, 3, 5}), none = test::poisoned(device, {2, 0, 2, 5});
  CHECK_THROWS_AS(kernels::conv2d(stream, odd, weight, {}, {}, odd_y, {.runs = none}), ShapeError);
  const auto parts = test::data(device, {2, 5, 2, 3});
  auto mean = test::poisoned(device, {2, 3}), squares = test::poisoned(device, {2, 3});
  CHECK_THROWS_AS(kernels::channel_moments(stream, x, mean, squares, parts), ShapeError);
}
