#include "kernels/conv2d/conv2d_hopper.hpp"

#include "kernels/conv2d/conv2d.hpp"
#include "kernels/core/run_moments.hpp"
#include "kernels/gemm/hopper_tiles.hpp"
#include "kernels/linear/linear.hpp"
#include "tests/kernels/conv2d_reference.hpp"
#include "tests/support/catch.hpp"

#include <cmath>
#include <optional>
#include <set>

using namespace ascore;
using namespace ascore::test::conv2d;

/// conv2d and linear by Hopper's instructions: on a GPU that has them, and on the emulated device when its stream is
/// one.
namespace {

/// Rows and columns of one tile and of several, ragged and whole; depths below, at and above a slice; H != W.
const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {3, 7, 5, 40, 40, 3},
      {2, 9, 8, 72, 136, 3},
      {1, 16, 8, 64, 128, 1},
      {3, 5, 7, 64, 72, 3, 2},
      {1, 9, 11, 32, 64, 3, 4},
      {2, 7, 9, 64, 40, 3, 1, 2},
      {1, 8, 6, 32, 32, 1, 1, 2},
      {2, 6, 5, 48, 264, 3},
      {2, 20, 23, 32, 32, 3},
      {1, 6, 7, 32, 40, 5},
      {1, 17, 15, 32, 128, 1},
      {5, 1, 1, 64, 48, 1},
      {1, 3, 2, 136, 32, 3, 4},
      // strided, even and odd sizes, one row; even kernels
      {3, 1, 5, 40, 32, 3, 1, 2},
      {2, 8, 6, 40, 136, 4, 1, 2},
      {1, 9, 7, 32, 40, 4, 1, 2},
      {3, 5, 6, 32, 64, 2, 1, 2},
      {1, 6, 9, 32, 40, 4, 2},
      {1, 12, 9, 32, 264, 5, 1, 2},
      {1, 8, 7, 32, 32, 3, 2, 2},
      // enough pixels that the weight gradient is summed in parts, the last one shorter
      {1, 45, 49, 32, 40, 1},
  };
  return all;
}

Values wgrad(const Case& c, const Values& x, const Values& dy) {
  Values dw(static_cast<size_t>(c.weight().count()));
  for_taps(c, [&](int64_t p, int64_t tap, int64_t q) {
    for (int64_t o = 0; o < c.O; ++o)
      for (int64_t i = 0; i < c.I; ++i) dw[(o * c.k * c.k + tap) * c.I + i] += dy[p * c.O + o] * x[q * c.I + i];
  });
  return dw;
}

/// Makes the emulated device a Hopper.
void tell_hopper(Stream& stream, int multiprocessors) {
  stream.attached<kernels::EmulatedHopper>().device = {true, multiprocessors};
}

/// True if dx is computed by Hopper's instructions too.
bool has_gradient(const Case& c) {
  return c.s == 1 || (c.s == 2 && c.d == 1 && c.k > 1);
}

/// True on a device that has Hopper's instructions, or can be told to: there they must compute c, and elsewhere not.
bool has_hopper(Device device, const Case& c) {
  Stream stream(device);
  tell_hopper(stream, 3);
  const bool present = device == Device::simt || kernels::hopper_device(stream).present;
  using enum kernels::Conv2dPass;
  for (auto pass : {forward, dgrad, wgrad}) {
    const std::string used = kernels::conv2d_implementation(stream, pass, c.x(), c.weight(), c.options(), DType::bf16);
    CAPTURE(static_cast<int>(pass), used);
    REQUIRE((used == "hopper") == (present && (pass != dgrad || has_gradient(c))));
  }
  return present;
}

/// On simt: all launches since the stream was made had the threads of hopper_product_kernel.
void require_hopper_ran(Stream& stream) {
  if (stream.device() != Device::simt) return;
  const SimtCounters& counters = stream.simt_counters();
  REQUIRE(counters.launches > 0);
  REQUIRE(counters.threads == 384 * counters.blocks);
}

struct Results {
  Values y, dx, dw;
  bool operator==(const Results&) const = default;
};

Results all_passes(Stream& stream, const Case& c, ConstView x, ConstView dy, ConstView weight, ConstView bias) {
  const Device device = stream.device();
  auto y = test::poisoned(device, c.y(), DType::bf16), dx = test::poisoned(device, c.x(), DType::bf16);
  auto dw = test::poisoned(device, c.weight());
  auto workspace = test::poisoned(
      device, {static_cast<int64_t>(kernels::conv2d_wgrad_workspace_bytes(device, c.x(), c.weight(), c.options()))},
      DType::u8);
  kernels::conv2d(stream, x, weight, bias, c.options(), y);
  if (has_gradient(c)) kernels::conv2d_dgrad(stream, dy, weight, c.options(), dx);
  require_hopper_ran(stream);
  kernels::conv2d_wgrad(stream, x, dy, c.options(), dw, {}, workspace);
  stream.synchronize();
  return {y.values(), has_gradient(c) ? dx.values() : Values{}, dw.values()};
}

/// Against the f64 reference: each element within its own rounding and that of its sum, 2^-24 per product of 16 terms
/// and more for a tensor core's own.
void check(const Values& values, const Values& reference, const Values& sizes, double output_rounding) {
  REQUIRE(values.size() == reference.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const double allowed = output_rounding * std::abs(reference[i]) + 16 * std::exp2(-23) * sizes[i];
    if (std::abs(values[i] - reference[i]) <= allowed) continue;
    CAPTURE(i, values[i], reference[i], allowed);
    FAIL("an element is off");
  }
}

Values sizes_of(Values values) {
  for (double& v : values) v = std::abs(v);
  return values;
}

}  // namespace

TEST_CASE("conv2d by Hopper's instructions agrees with plain f64 loops, whatever the tile and the order of threads") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto c = GENERATE(from_range(cases()));
  if (!has_hopper(device, c)) return;
  CAPTURE(name(device), c);
  const auto x = test::data(device, c.x(), DType::bf16),
             dy = test::data(device, c.y(), DType::bf16, test::Fill::normal, 2);
  const auto weight = test::data(device, c.weight(), DType::bf16, test::Fill::normal, 3);
  const auto bias = test::data(device, {c.O}, DType::f32, test::Fill::normal, 4);
  const Values xs = x.values(), dys = dy.values(), ws = weight.values(), bs = bias.values();
  std::optional<Results> first;
  for (int multiprocessors : {1, 3, 132}) {
    Stream stream(device, {.schedule = static_cast<uint64_t>(multiprocessors)});
    tell_hopper(stream, multiprocessors);
    const Results results = all_passes(stream, c, x, dy, weight, bias);
    if (!first) first = results;
    CHECK(results == *first);
  }
  const double bf16_rounding = std::exp2(-8);
  check(first->y, forward<double>(c, xs, ws, bs), forward<double>(c, sizes_of(xs), sizes_of(ws), sizes_of(bs)),
        bf16_rounding);
  if (has_gradient(c)) {
    check(first->dx, dgrad<double>(c, dys, ws), dgrad<double>(c, sizes_of(dys), sizes_of(ws)), bf16_rounding);
  }
  check(first->dw, wgrad(c, xs, dys), wgrad(c, sizes_of(xs), sizes_of(dys)), 0);
}

TEST_CASE("Hopper's convolution is exact for integers") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto c = GENERATE(Case{2, 6, 7, 40, 72, 3}, Case{1, 9, 5, 72, 32, 3, 1, 2}, Case{3, 7, 6, 32, 40, 4, 1, 2});
  if (!has_hopper(device, c)) return;
  CAPTURE(name(device), c);
  constexpr auto kFill = test::Fill::integers;
  const auto x = test::data(device, c.x(), DType::bf16, kFill, 1),
             dy = test::data(device, c.y(), DType::bf16, kFill, 2);
  const auto weight = test::data(device, c.weight(), DType::bf16, kFill, 3);
  Stream stream(device);
  tell_hopper(stream, 3);
  const Results results = all_passes(stream, c, x, dy, weight, {});
  CHECK(results.y == rounded(forward<double>(c, x.values(), weight.values(), {}), DType::bf16));
  if (has_gradient(c)) CHECK(results.dx == rounded(dgrad<double>(c, dy.values(), weight.values()), DType::bf16));
  CHECK(results.dw == wgrad(c, x.values(), dy.values()));
}

TEST_CASE("Hopper's convolution does what the epilogues say") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto c = GENERATE(Case{2, 9, 8, 32, 72, 3}, Case{2, 9, 8, 32, 72, 4, 1, 2});
  CAPTURE(name(device), c);
  if (!has_hopper(device, c)) return;
  constexpr auto kBf16 = DType::bf16;
  const auto x = test::data(device, c.x(), kBf16), dy = test::data(device, c.y(), kBf16, test::Fill::normal, 2);
  const auto weight = test::data(device, c.weight(), kBf16, test::Fill::normal, 3);
  const auto beside_y = test::data(device, c.y(), kBf16, test::Fill::normal, 5);
  const auto beside_x = test::data(device, c.x(), kBf16, test::Fill::normal, 6);
  const auto kept = test::data(device, c.x(), kBf16, test::Fill::normal, 7);
  const auto bias = test::data(device, {c.I}, DType::f32, test::Fill::normal, 8);
  Stream stream(device);
  tell_hopper(stream, 3);
  auto y = test::poisoned(device, c.y(), kBf16), sum = test::poisoned(device, c.y(), kBf16);
  auto dx = test::poisoned(device, c.x(), kBf16);
  kernels::conv2d(stream, x, weight, {}, c.options(), y,
                  {.residual = beside_y, .activation = Activation::relu, .sum = sum});
  kernels::conv2d_dgrad(stream, dy, weight, c.options(), dx,
                        {.bias = bias, .kept = kept, .activation = Activation::relu, .residual = beside_x});
  stream.synchronize();
  require_hopper_ran(stream);

  const Values xs = x.values(), dys = dy.values(), ws = weight.values();
  Values expected = forward<double>(c, xs, ws, {}), sizes = forward<double>(c, sizes_of(xs), sizes_of(ws), {});
  const Values more_y = beside_y.values(), more_x = beside_x.values(), mask = kept.values();
  const Values shifts = bias.values();
  for (size_t i = 0; i < expected.size(); ++i) expected[i] += more_y[i], sizes[i] += std::abs(more_y[i]);
  check(sum.values(), expected, sizes, std::exp2(-8));
  const Values ys = y.values(), sums = sum.values();
  for (size_t i = 0; i < ys.size(); ++i) REQUIRE(ys[i] == std::max(sums[i], 0.0));
  Values gradient = dgrad<double>(c, dys, ws);
  sizes = dgrad<double>(c, sizes_of(dys), sizes_of(ws));
  for (size_t i = 0; i < gradient.size(); ++i) {
    const double shift = shifts[i % shifts.size()];
    gradient[i] = (mask[i] > 0 ? gradient[i] + shift : 0) + more_x[i];
    sizes[i] += std::abs(shift) + std::abs(more_x[i]);
  }
  check(dx.values(), gradient, sizes, std::exp2(-8));
}

TEST_CASE("Hopper's convolution leaves the moments of the runs that it stores, whatever the tile") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto c = GENERATE(Case{5, 4, 6, 32, 72, 3}, Case{3, 8, 6, 40, 264, 1}, Case{2, 20, 16, 32, 40, 3});
  CAPTURE(name(device), c);
  if (!has_hopper(device, c)) return;
  constexpr auto kBf16 = DType::bf16;
  const auto x = test::data(device, c.x(), kBf16), weight = test::data(device, c.weight(), kBf16);
  const auto residual = test::data(device, c.y(), kBf16, test::Fill::far_from_zero, 2);
  const Shape shape = kernels::run_moments_shape(c.y());
  std::optional<Values> first;
  for (int multiprocessors : {1, 3, 132}) {
    Stream stream(device, {.schedule = static_cast<uint64_t>(multiprocessors)});
    tell_hopper(stream, multiprocessors);
    auto y = test::poisoned(device, c.y(), kBf16), sum = test::poisoned(device, c.y(), kBf16);
    auto runs = test::poisoned(device, shape);
    kernels::conv2d(stream, x, weight, {}, c.options(), y,
                    {.residual = residual, .activation = Activation::elu, .sum = sum, .runs = runs});
    stream.synchronize();
    require_hopper_ran(stream);
    const Values found = runs.values(), stored = sum.values();
    if (!first) first = found;
    CHECK(found == *first);
    const int64_t length = kernels::run_length(c.out_h() * c.out_w());
    for (int64_t run = 0; run < c.N * shape[1]; ++run) {
      for (int64_t o = 0; o < c.O; ++o) {
        const auto value = [&](int64_t r) { return stored[static_cast<size_t>((run * length + r) * c.O + o)]; };
        double mean = 0, squares = 0;
        for (int64_t r = 0; r < length; ++r) mean += value(r) / static_cast<double>(length);
        for (int64_t r = 0; r < length; ++r) squares += (value(r) - mean) * (value(r) - mean);
        REQUIRE(found[static_cast<size_t>(2 * run * c.O + o)] == Approx(mean).epsilon(1e-6));
        REQUIRE(found[static_cast<size_t>((2 * run + 1) * c.O + o)] == Approx(squares).epsilon(1e-5));
      }
    }
  }
}

TEST_CASE(
    "weights of f32 are rounded into the workspace; without it, or where shapes do not fit, another kernel runs") {
  const auto device = GENERATE(from_range(test::devices()));
  const Case c{1, 5, 6, 32, 40, 3};
  if (!has_hopper(device, c)) return;
  const auto x = test::data(device, c.x(), DType::bf16);
  const auto dy = test::data(device, c.y(), DType::bf16, test::Fill::normal, 2);
  const auto weight = test::data(device, c.weight(), DType::f32, test::Fill::normal, 3);
  const auto rounded_weight = test::buffer(device, c.weight(), DType::bf16, weight.values());
  Stream stream(device);
  tell_hopper(stream, 3);
  const size_t bytes = kernels::conv2d_workspace_bytes(stream, x, weight, c.options());
  CHECK(bytes == 2 * static_cast<size_t>(c.weight().count()));
  CHECK(kernels::conv2d_workspace_bytes(stream, x, rounded_weight, c.options()) == 0);
  auto workspace = test::poisoned(device, {static_cast<int64_t>(bytes)}, DType::u8);
  auto y = test::poisoned(device, c.y(), DType::bf16), dx = test::poisoned(device, c.x(), DType::bf16);
  auto expected_y = test::poisoned(device, c.y(), DType::bf16),
       expected_dx = test::poisoned(device, c.x(), DType::bf16);
  kernels::conv2d(stream, x, weight, {}, c.options(), y, {}, workspace);
  kernels::conv2d_dgrad(stream, dy, weight, c.options(), dx, {}, workspace);
  kernels::conv2d(stream, x, rounded_weight, {}, c.options(), expected_y);
  kernels::conv2d_dgrad(stream, dy, rounded_weight, c.options(), expected_dx);
  stream.synchronize();
  CHECK(y.values() == expected_y.values());
  CHECK(dx.values() == expected_dx.values());
  if (device != Device::simt) return;

  const auto hopper_threads = [&](ConstView input, ConstView w, View output) {
    Stream other(device);
    tell_hopper(other, 3);
    kernels::conv2d(other, input, w, {}, {}, output);
    return other.simt_counters().threads == 384 * other.simt_counters().blocks;
  };
  CHECK(hopper_threads(x, rounded_weight, y));
  CHECK_FALSE(hopper_threads(x, weight, y));
  const auto few = test::data(device, {8, 3, 3, 32}, DType::bf16);
  auto narrow = test::poisoned(device, {1, 5, 6, 8}, DType::bf16);
  CHECK_FALSE(hopper_threads(x, few, narrow));
}

TEST_CASE("a linear layer is a convolution by one tap for Hopper's instructions too") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto rounds = GENERATE(false, true);
  const Case c{2063, 1, 1, 72, 40, 1};  // rows enough that the weights' gradient is summed in two parts
  CAPTURE(name(device), rounds);
  if (!has_hopper(device, c)) return;
  const Shape in{c.N, c.I}, out{c.N, c.O}, weights{c.O, c.I};
  const auto x = test::data(device, in, DType::bf16), dy = test::data(device, out, DType::bf16, test::Fill::normal, 2);
  const auto given = test::data(device, weights, rounds ? DType::f32 : DType::bf16, test::Fill::normal, 3);
  const auto bias = test::data(device, {c.O}, DType::f32, test::Fill::normal, 4);
  Stream stream(device);
  tell_hopper(stream, 3);
  const size_t bytes = kernels::linear_workspace_bytes(stream, x, given);
  CHECK(kernels::linear_workspace_bytes(stream, dy, given) == bytes);
  CHECK(bytes == (rounds ? 2 * static_cast<size_t>(weights.count()) : 0));
  auto workspace = test::poisoned(device, {static_cast<int64_t>(bytes)}, DType::u8);
  auto scratch = test::poisoned(
      device, {static_cast<int64_t>(kernels::linear_wgrad_workspace_bytes(device, in, weights))}, DType::u8);
  auto y = test::poisoned(device, out, DType::bf16), dx = test::poisoned(device, in, DType::bf16);
  auto dw = test::poisoned(device, weights);
  kernels::linear(stream, x, given, bias, y, MathMode::f32, workspace);
  kernels::linear_dgrad(stream, dy, given, dx, MathMode::f32, workspace);
  if (!rounds) require_hopper_ran(stream);
  kernels::linear_wgrad(stream, x, dy, dw, {}, scratch);
  stream.synchronize();
  const Values xs = x.values(), dys = dy.values(), bs = bias.values(),
               ws = test::conv2d::weight_values(given, DType::bf16);
  check(y.values(), forward<double>(c, xs, ws, bs), forward<double>(c, sizes_of(xs), sizes_of(ws), sizes_of(bs)),
        std::exp2(-8));
  check(dx.values(), dgrad<double>(c, dys, ws), dgrad<double>(c, sizes_of(dys), sizes_of(ws)), std::exp2(-8));
  check(dw.values(), wgrad(c, xs, dys), wgrad(c, sizes_of(xs), sizes_of(dys)), 0);
}

TEST_CASE("the cases of these tests meet every one of Hopper's tiles in every pass") {
  std::set<kernels::HopperTileKind> forward, dgrad, wgrad;
  for (const Case& c : cases()) {
    for (int multiprocessors : {1, 3, 132}) {
      forward.insert(kernels::choose_hopper_tile(c.N * c.out_h() * c.out_w(), c.O, multiprocessors));
      if (has_gradient(c)) dgrad.insert(kernels::choose_hopper_tile(c.N * c.H * c.W, c.I, multiprocessors));
    }
    wgrad.insert(kernels::choose_hopper_part_tile(c.O, c.I));
  }
  const size_t kinds = kernels::kHopperTileKinds.size();
  CHECK(forward.size() == kinds);
  CHECK(dgrad.size() == kinds);
  CHECK(wgrad.size() == kinds);
}

TEST_CASE("Hopper's tiles fill the device where they can") {
  using kernels::HopperTileKind;
  CHECK(kernels::choose_hopper_tile(128 * 16 * 16, 256, 132) == HopperTileKind::wide);
  CHECK(kernels::choose_hopper_tile(128 * 32 * 32, 128, 132) == HopperTileKind::tall);
  CHECK(kernels::choose_hopper_tile(128 * 8 * 8, 256, 132) == HopperTileKind::square);  // 128 tiles, not 64
  CHECK(kernels::choose_hopper_tile(128 * 32 * 32, 64, 132) == HopperTileKind::narrow);
  CHECK(kernels::choose_hopper_part_tile(256, 64) == HopperTileKind::narrow);
  for (int64_t tiles : {1, 9, 18, 72, 500}) {
    for (int64_t steps : {1, 15, 16, 33, 512, 2048}) {
      const auto parts = kernels::hopper_parts(tiles, steps);
      CAPTURE(tiles, steps, parts.count, parts.steps_each);
      CHECK(int64_t(parts.count) * parts.steps_each >= steps);
      CHECK(int64_t(parts.count - 1) * parts.steps_each < steps);
    }
  }
}
