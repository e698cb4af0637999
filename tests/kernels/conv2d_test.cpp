#include "kernels/conv2d/conv2d.hpp"

#include "kernels/core/error.hpp"
#include "tests/kernels/conv2d_reference.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"

#include <cstring>

using namespace ascore;
using namespace ascore::test::conv2d;

namespace {

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      // one pixel, one channel, nothing
      {1, 4, 4, 1, 1, 1},
      {1, 1, 1, 8, 3, 3, 2},
      {0, 4, 4, 3, 5, 3},
      {1, 1, 1, 1, 1, 3, 1, 2},
      // channels that fill whole chunks of 16 bytes on one side, on the other, on both, on neither
      {1, 3, 5, 3, 8, 3},
      {3, 8, 8, 33, 3, 1},
      {1, 9, 7, 8, 8, 3, 4},
      {2, 5, 3, 16, 16, 3},
      {1, 5, 6, 4, 12, 3},
      {1, 4, 5, 9, 24, 1},
      {2, 3, 3, 7, 5, 3},
      {1, 6, 5, 2, 6, 3},
      // dilations, also wider than the image
      {3, 5, 7, 5, 33, 3, 2},
      {1, 3, 2, 8, 5, 3, 4},
      {1, 7, 6, 6, 10, 3, 3},
      // other kernels
      {1, 6, 5, 3, 5, 5},
      {1, 5, 8, 2, 3, 7},
      // stride 2, sizes even and odd, H != W
      {2, 6, 8, 3, 4, 3, 1, 2},
      {1, 7, 5, 8, 8, 3, 1, 2},
      {2, 5, 4, 16, 9, 1, 1, 2},
      {1, 8, 7, 5, 16, 3, 2, 2},
      {1, 9, 6, 4, 3, 3, 3, 2},
      {1, 6, 7, 3, 8, 5, 1, 2},
      {3, 2, 3, 8, 24, 3, 1, 2},
      {1, 10, 9, 2, 3, 3, 1, 3},
      // even kernels: the DCGAN's 4x4 of stride 2, on sizes even and odd, H != W; without stride, dilated, 2x2
      {2, 8, 6, 3, 8, 4, 1, 2},
      {1, 7, 10, 8, 5, 4, 1, 2},
      {1, 2, 3, 16, 24, 4, 1, 2},
      {1, 5, 6, 5, 3, 4},
      {1, 9, 8, 4, 8, 4, 2, 2},
      {2, 5, 7, 3, 4, 2, 1, 2},
      {1, 4, 3, 2, 2, 2},
      {1, 14, 11, 24, 70, 4, 1, 2},
      // every tile: few columns, few rows, more than one block each way, more than one part
      {3, 7, 5, 8, 70, 3},
      {1, 9, 8, 40, 20, 3},
      {2, 24, 25, 3, 4, 1},
      {2, 17, 23, 2, 3, 3},
      {1, 33, 35, 4, 2, 3, 1, 2},
      {1, 64, 66, 8, 136, 1},
      {1, 64, 66, 136, 8, 1},
      {1, 4, 4, 16, 130, 3},
  };
  return all;
}

template <class Acc>
Values channel_sums(const Case& c, const Values& dy) {
  std::vector<Acc> sums(static_cast<size_t>(c.O), Acc(0));
  for (size_t i = 0; i < dy.size(); ++i) sums[i % c.O] += static_cast<Acc>(dy[i]);
  return {sums.begin(), sums.end()};
}

/// Checks against reference and naive twin; integers must be exact (up to the output's own rounding). Products of f32
/// by three of tf32 have an error of their own, tested below, which sums of few terms do not hide: 4e-7.
void check(Device device, const Values& values, const Values& naive, const Values& reference, DType dtype, bool exact) {
  if (exact) {
    CHECK(values == rounded(reference, dtype));
  } else if (dtype == DType::f64) {
    CHECK_THAT(values, test::at_most_twice_the_error_of(naive, reference, 1e-14));
  } else {
    const double floor = device == Device::cpu ? 1e-7 : 4e-7;
    CHECK_THAT(values, test::at_most_twice_the_error_of(rounded(naive, dtype), reference, floor));
  }
}

test::Buffer workspace_for(const Case& c, Device device) {
  const size_t bytes = kernels::conv2d_wgrad_workspace_bytes(device, c.x(), c.weight(), c.options());
  return test::poisoned(device, {static_cast<int64_t>(bytes)}, DType::u8);
}

}  // namespace

TEST_CASE("conv2d and its gradients agree with plain f64 loops on every device") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE_COPY(from_range(dtypes(device)));
  const auto c = GENERATE(from_range(cases()));
  const auto fill = GENERATE(test::Fill::normal, test::Fill::integers);
  const DType sums = accumulator(dtype);
  CAPTURE(name(device), name(dtype), c, static_cast<int>(fill));
  const bool exact = fill == test::Fill::integers;
  const bool with_bias = c.O % 2 == 1;
  const auto x = test::data(device, c.x(), dtype, fill, 1), dy = test::data(device, c.y(), dtype, fill, 2);
  // Parameters are f32 beside bf16 activations; one case has bf16 weights as well.
  const DType weight_dtype = c.O == 8 ? dtype : sums;
  const auto weight = test::data(device, c.weight(), weight_dtype, fill, 3);
  const auto bias = test::data(device, {c.O}, sums, fill, 4);
  const Values xs = x.values(), dys = dy.values(), ws = weight_values(weight, dtype);
  const Values bs = with_bias ? bias.values() : Values{};

  std::optional<Values> first[4];
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    auto y = test::poisoned(device, c.y(), dtype), dx = test::poisoned(device, c.x(), dtype);
    auto dw = test::poisoned(device, c.weight(), sums), db = test::poisoned(device, {c.O}, sums);
    auto workspace = workspace_for(c, device);
    kernels::conv2d(stream, x, weight, with_bias ? ConstView(bias) : ConstView{}, c.options(), y);
    kernels::conv2d_dgrad(stream, dy, weight, c.options(), dx);
    kernels::conv2d_wgrad(stream, x, dy, c.options(), dw, db, workspace);
    stream.synchronize();
    test::require_kernels_ran(stream);
    const Values results[4] = {y.values(), dx.values(), dw.values(), db.values()};
    for (int i = 0; i < 4; ++i) {
      if (!first[i]) first[i] = results[i];
      CHECK(results[i] == *first[i]);
    }
  }
  const auto twin = [&](auto f) {
    return dtype == DType::f64 ? f.template operator()<double>() : f.template operator()<float>();
  };
  check(device, *first[0], twin([&]<class A>() { return forward<A>(c, xs, ws, bs); }), forward<double>(c, xs, ws, bs),
        dtype, exact);
  check(device, *first[1], twin([&]<class A>() { return dgrad<A>(c, dys, ws); }), dgrad<double>(c, dys, ws), dtype,
        exact);
  check(device, *first[2], twin([&]<class A>() { return wgrad<A>(c, xs, dys); }), wgrad<double>(c, xs, dys), sums,
        exact);
  check(device, *first[3], twin([&]<class A>() { return channel_sums<A>(c, dys); }), channel_sums<double>(c, dys), sums,
        exact);
}

TEST_CASE("products of f32 and of tf32 stay within their documented errors") {
  const auto device = GENERATE(from_range(test::devices()));
  if (device == Device::cpu) return;  // multiplies f32 as such
  const auto c = GENERATE(Case{1, 5, 4, 8, 6, 3}, Case{1, 6, 7, 3, 16, 1}, Case{2, 4, 3, 5, 4, 3, 1, 2});
  CAPTURE(name(device), c);
  const auto x = test::data(device, c.x()), dy = test::data(device, c.y(), DType::f32, test::Fill::normal, 2);
  const auto weight = test::data(device, c.weight(), DType::f32, test::Fill::normal, 3);
  const Values xs = x.values(), dys = dy.values(), ws = weight.values();
  const auto sizes_of = [](Values values) {
    for (double& v : values) v = std::abs(v);
    return values;
  };
  const Values reference[3] = {forward<double>(c, xs, ws, {}), dgrad<double>(c, dys, ws), wgrad<double>(c, xs, dys)};
  const Values sizes[3] = {forward<double>(c, sizes_of(xs), sizes_of(ws), {}),
                           dgrad<double>(c, sizes_of(dys), sizes_of(ws)),
                           wgrad<double>(c, sizes_of(xs), sizes_of(dys))};
  for (MathMode math : {MathMode::f32, MathMode::tf32}) {
    Stream stream(device);
    auto y = test::poisoned(device, c.y()), dx = test::poisoned(device, c.x()), dw = test::poisoned(device, c.weight());
    auto workspace = workspace_for(c, device);
    kernels::conv2d(stream, x, weight, {}, c.options(math), y);
    kernels::conv2d_dgrad(stream, dy, weight, c.options(math), dx);
    kernels::conv2d_wgrad(stream, x, dy, c.options(math), dw, {}, workspace);
    stream.synchronize();
    const Values results[3] = {y.values(), dx.values(), dw.values()};
    for (int pass = 0; pass < 3; ++pass) {
      double worst = 0;  // in units of the sum of |a b|
      for (size_t i = 0; i < results[pass].size(); ++i) {
        const double error = std::abs(results[pass][i] - reference[pass][i]);
        if (error > 0) worst = std::max(worst, error / sizes[pass][i]);
      }
      CAPTURE(pass, static_cast<int>(math), worst);
      if (math == MathMode::f32) {
        CHECK(worst <= std::exp2(-20));
      } else {
        CHECK(worst <= 1.01 * std::exp2(-10));
        CHECK(worst >= std::exp2(-14));  // the cheap products were computed
      }
    }
  }
}

TEST_CASE("conv2d_wgrad computes only the gradients that are wanted") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto c = GENERATE(Case{2, 5, 4, 3, 5, 3}, Case{2, 7, 6, 3, 5, 4, 1, 2});
  Stream stream(device);
  const auto x = test::data(device, c.x()), dy = test::data(device, c.y(), DType::f32, test::Fill::normal, 2);
  auto workspace = workspace_for(c, device);
  auto dw = test::poisoned(device, c.weight()), db = test::poisoned(device, {c.O});
  kernels::conv2d_wgrad(stream, x, dy, c.options(), dw, db, workspace);
  auto only_dw = test::poisoned(device, c.weight()), only_db = test::poisoned(device, {c.O});
  kernels::conv2d_wgrad(stream, x, dy, c.options(), only_dw, {}, workspace);
  kernels::conv2d_wgrad(stream, x, dy, c.options(), {}, only_db, workspace);
  stream.synchronize();
  CHECK(only_dw.values() == dw.values());
  CHECK(only_db.values() == db.values());
}

TEST_CASE("an image's convolution is the same in any batch and with any number of threads") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE_COPY(from_range(dtypes(device)));
  const auto channels = GENERATE(3, 8, 32, 128);
  if (device == Device::simt && channels > 32) return;
  const auto kernel = GENERATE(1, 3, 4), stride = GENERATE(1, 2);
  if (device == Device::simt && kernel == 4) return;
  CAPTURE(name(device), name(dtype), channels, kernel, stride);
  const int64_t size = device == Device::simt ? 4 : 8, O = channels == 3 ? 8 : channels == 8 ? 3 : channels;
  const Case all{8, size, size, channels, O, kernel, kernel == 3 && channels == 32 ? 2 : 1, stride};
  const auto x = test::data(device, all.x(), dtype), dy = test::data(device, all.y(), dtype, test::Fill::normal, 3);
  const auto weight = test::data(device, all.weight(), accumulator(dtype), test::Fill::normal, 2);
  const auto bias = test::data(device, {O}, accumulator(dtype));
  std::optional<Values> first, first_gradient;
  for (int threads : {1, 2, 3}) {
    Stream stream(device, {.threads = threads});
    for (int64_t batch : {1, 3, 8}) {
      if (device != Device::cpu && batch == 3 && threads > 1) continue;
      Case c = all;
      c.N = batch;
      const Values xs = x.values(), dys = dy.values();
      const auto part = test::buffer(device, c.x(), dtype, std::span(xs).first(static_cast<size_t>(c.x().count())));
      const auto dpart = test::buffer(device, c.y(), dtype, std::span(dys).first(static_cast<size_t>(c.y().count())));
      auto y = test::poisoned(device, c.y(), dtype), dx = test::poisoned(device, c.x(), dtype);
      kernels::conv2d(stream, part, weight, bias, c.options(), y);
      kernels::conv2d_dgrad(stream, dpart, weight, c.options(), dx);
      stream.synchronize();
      const auto image = [&](const Values& v) {
        return Values(v.begin(), v.begin() + static_cast<int64_t>(v.size()) / batch);
      };
      if (!first) first = image(y.values());
      if (!first_gradient) first_gradient = image(dx.values());
      CAPTURE(threads, batch);
      CHECK(image(y.values()) == *first);
      CHECK(image(dx.values()) == *first_gradient);
    }
  }
}

TEST_CASE("weights with a content stamp are repacked when the stamp changes, and only then") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  const Case c{2, 6, 6, 16, 16, 3, 1};
  const auto x = test::data(device, c.x());
  auto weight = test::data(device, c.weight(), DType::f32, test::Fill::normal, 5);
  const auto with_stamp = [&](uint64_t stamp) {
    const View view = weight;
    const ConstView stamped(view.raw(), view.shape(), view.dtype(), device, stamp);
    auto y = test::poisoned(device, c.y());
    kernels::conv2d(stream, x, stamped, {}, {}, y);
    stream.synchronize();
    return y.values();
  };
  const Values before = with_stamp(1);
  CHECK(with_stamp(1) == before);
  CHECK(with_stamp(0) == before);
  Values doubled = weight.values();
  for (double& v : doubled) v *= 2;
  weight.set(doubled);
  const Values after = with_stamp(2);
  CHECK(with_stamp(0) == after);
  Values twice = before;
  for (double& v : twice) v *= 2;
  CHECK(after == twice);
}

TEST_CASE("stamped weights serve f32 and bf16 images, and both passes, side by side") {
  const auto device = GENERATE(from_range(test::devices()));
  const Case c{1, 5, 5, 16, 16, 3, 1};
  const auto weight = test::data(device, c.weight(), DType::f32, test::Fill::normal, 5);
  const ConstView plain = weight;
  const ConstView stamped(plain.raw(), plain.shape(), plain.dtype(), device, 7);
  Stream once(device);
  for (int round = 0; round < 2; ++round) {
    for (DType dtype : {DType::f32, DType::bf16}) {
      const auto x = test::data(device, c.x(), dtype);
      Stream fresh(device);
      auto y = test::poisoned(device, c.y(), dtype), expected = test::poisoned(device, c.y(), dtype);
      kernels::conv2d(once, x, stamped, {}, {}, y);
      kernels::conv2d(fresh, x, weight, {}, {}, expected);
      once.synchronize();
      fresh.synchronize();
      CHECK(y.values() == expected.values());
      kernels::conv2d_dgrad(once, x, stamped, {}, y);
      kernels::conv2d_dgrad(fresh, x, weight, {}, expected);
      once.synchronize();
      fresh.synchronize();
      CHECK(y.values() == expected.values());
    }
  }
}

TEST_CASE("two streams with different numbers of threads do not disturb each other") {
  for (Device device : test::devices()) {
    if (device != Device::cpu) continue;
    const Case c{3, 8, 8, 32, 32, 3, 1};
    const auto x = test::data(device, c.x()), weight = test::data(device, c.weight());
    auto y = test::poisoned(device, c.y()), again = test::poisoned(device, c.y());
    Stream one(device, {.threads = 1}), two(device, {.threads = 2});
    kernels::conv2d(one, x, weight, {}, {}, y);
    kernels::conv2d(two, x, weight, {}, {}, again);
    kernels::conv2d(one, x, weight, {}, {}, y);
    CHECK(y.values() == again.values());
  }
}

TEST_CASE("conv2d never runs a reference loop of the library") {
  for (Device device : test::devices()) {
    if (device != Device::cpu) continue;
    Stream stream(device);
    for (auto pass : {kernels::Conv2dPass::forward, kernels::Conv2dPass::dgrad, kernels::Conv2dPass::wgrad}) {
      for (auto dtype : {DType::f32, DType::bf16}) {
        for (const Case& c : std::initializer_list<Case>{{4, 32, 32, 3, 128, 3, 1},
                                                         {4, 32, 32, 128, 128, 3, 1},
                                                         {4, 32, 32, 128, 256, 1, 1},
                                                         {4, 16, 16, 256, 256, 3, 2},
                                                         {4, 16, 16, 256, 256, 3, 4},
                                                         {4, 32, 32, 128, 3, 3, 1},
                                                         {4, 32, 32, 128, 128, 3, 1, 2},
                                                         {4, 32, 32, 64, 64, 4, 1, 2}}) {
          const std::string used = kernels::conv2d_implementation(stream, pass, c.x(), c.weight(), c.options(), dtype);
          CAPTURE(c, name(dtype), used);
          CHECK(used.find("ref") == std::string::npos);
          CHECK_FALSE(used.empty());
        }
      }
    }
  }
}

TEST_CASE("conv2d refuses arguments that do not fit") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  auto x = test::data(device, {1, 4, 4, 3}), y = test::poisoned(device, {1, 4, 4, 5});
  const auto weight = test::data(device, {5, 3, 3, 3});
  CHECK_THROWS_AS(kernels::conv2d(stream, x, test::data(device, {5, 3, 3, 2}), {}, {}, y), ShapeError);
  CHECK_THROWS_AS(kernels::conv2d(stream, test::data(device, {1, 1, 4, 3}), test::data(device, {5, 4, 4, 3}), {},
                                  {.stride = 2}, test::poisoned(device, {1, 1, 2, 5})),
                  ShapeError);
  CHECK_THROWS_AS(kernels::conv2d(stream, x, test::data(device, {5, 2, 2, 3}), {}, {}, y), ShapeError);
  CHECK_THROWS_AS(kernels::conv2d(stream, x, weight, test::data(device, {4}), {}, y), ShapeError);
  CHECK_THROWS_AS(kernels::conv2d(stream, x, weight, {}, {.dilation = 0}, y), ShapeError);
  CHECK_THROWS_AS(kernels::conv2d(stream, x, weight, {}, {.stride = 0}, y), ShapeError);
  CHECK_THROWS_AS(kernels::conv2d(stream, x, weight, {}, {.stride = 2}, y), ShapeError);
  auto half = test::poisoned(device, {1, 4, 4, 5}, DType::bf16);
  CHECK_THROWS_AS(kernels::conv2d(stream, x, weight, {}, {}, half), DTypeError);
  auto dw = test::poisoned(device, {5, 3, 3, 3}, DType::bf16);
  auto workspace = test::poisoned(device, {1 << 16}, DType::u8);
  CHECK_THROWS_AS(kernels::conv2d_wgrad(stream, x, y, {}, dw, {}, workspace), DTypeError);
}
