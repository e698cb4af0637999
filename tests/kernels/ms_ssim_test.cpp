#include "kernels/ms_ssim/ms_ssim.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/types.hpp"

using namespace ascore;

namespace {

struct Results {
  double similarity = 0;
  std::vector<double> dx;
};

/// One channel of one image.
template <class A>
struct Plane {
  size_t H, W;
  std::vector<A> values;
  A& at(size_t y, size_t x) { return values[y * W + x]; }
};

/// 2x2 means of the plane with one zero in front of every side of odd length.
template <class A>
Plane<A> halved(const Plane<A>& fine) {
  Plane<A> padded{fine.H + fine.H % 2, fine.W + fine.W % 2, {}}, coarse{padded.H / 2, padded.W / 2, {}};
  padded.values.resize(padded.H * padded.W);
  for (size_t y = 0; y < fine.H; ++y) {
    for (size_t x = 0; x < fine.W; ++x) padded.at(y + fine.H % 2, x + fine.W % 2) = fine.values[y * fine.W + x];
  }
  for (size_t y = 0; y < coarse.H; ++y) {
    for (size_t x = 0; x < coarse.W; ++x) {
      coarse.values.push_back((padded.at(2 * y, 2 * x) + padded.at(2 * y, 2 * x + 1) + padded.at(2 * y + 1, 2 * x) +
                               padded.at(2 * y + 1, 2 * x + 1)) /
                              4);
    }
  }
  return coarse;
}

/// The mean of a level's term over its windows, and what it adds to the plane's gradient if its own is `slope`.
template <class A>
A term(Plane<A>& x, Plane<A>& y, bool last, A slope, Plane<A>* dx) {
  A weights[11], sum = 0, total = 0;
  for (int i = 0; i < 11; ++i) sum += weights[i] = std::exp(-A((i - 5) * (i - 5)) / A(4.5));
  for (A& weight : weights) weight /= sum;
  const A C1 = A(1e-4), C2 = A(9e-4), count = A((x.H - 10) * (x.W - 10));
  for (size_t top = 0; top + 11 <= x.H; ++top) {
    for (size_t left = 0; left + 11 <= x.W; ++left) {
      A mx = 0, my = 0, xx = 0, yy = 0, xy = 0;
      const auto window = [&](auto&& body) {
        for (size_t i = 0; i < 11; ++i) {
          for (size_t j = 0; j < 11; ++j) body(weights[i] * weights[j], top + i, left + j);
        }
      };
      window([&](A w, size_t i, size_t j) {
        const A a = x.at(i, j), b = y.at(i, j);
        mx += w * a, my += w * b, xx += w * a * a, yy += w * b * b, xy += w * a * b;
      });
      const A variances = xx - mx * mx + yy - my * my + C2, covariance = 2 * (xy - mx * my) + C2;
      const A squares = mx * mx + my * my + C1, product = 2 * mx * my + C1;
      const A contrast = covariance / variances, luminance = last ? product / squares : A(1);
      total += contrast * luminance;
      if (!dx) continue;
      // The derivative by one pixel, written out from the quotients.
      window([&](A w, size_t i, size_t j) {
        const A a = x.at(i, j), b = y.at(i, j);
        const A d_covariance = 2 * w * (b - my), d_variances = 2 * w * (a - mx);
        A d = luminance * (d_covariance * variances - covariance * d_variances) / (variances * variances);
        if (last) d += contrast * (2 * w * my * squares - product * 2 * w * mx) / (squares * squares);
        dx->at(i, j) += slope * d / count;
      });
    }
  }
  return total / count;
}

/// The definition in the header, literally, in the type A.
template <class A>
Results plain(const Shape& shape, const std::vector<double>& x, const std::vector<double>& y) {
  const size_t N = size_t(shape[0]), H = size_t(shape[1]), W = size_t(shape[2]), C = size_t(shape[3]);
  const A exponents[5] = {A(0.0448), A(0.2856), A(0.3001), A(0.2363), A(0.1333)};
  Results results{0, std::vector<double>(x.size())};
  A similarity = 0;
  for (size_t n = 0; n < N; ++n) {
    for (size_t c = 0; c < C; ++c) {
      std::vector<Plane<A>> xs{{H, W, {}}}, ys{{H, W, {}}};
      for (size_t p = 0; p < H * W; ++p) {
        xs[0].values.push_back(A(x[(n * H * W + p) * C + c]));
        ys[0].values.push_back(A(y[(n * H * W + p) * C + c]));
      }
      A values[5], product = 1;
      for (size_t l = 0; l < 5; ++l) {
        if (l > 0) xs.push_back(halved(xs[l - 1])), ys.push_back(halved(ys[l - 1]));
        values[l] = term<A>(xs[l], ys[l], l == 4, 0, nullptr);
        product *= std::pow(std::max(values[l], A(0)), exponents[l]);
      }
      similarity += product / A(N * C);
      Plane<A> gradient{0, 0, {}};
      for (size_t l = 5; l-- > 0;) {
        Plane<A> own{xs[l].H, xs[l].W, std::vector<A>(xs[l].values.size())};
        if (values[l] > 0) term<A>(xs[l], ys[l], l == 4, exponents[l] * product / values[l] / A(N * C), &own);
        for (size_t i = 0; l < 4 && i < own.H; ++i) {
          for (size_t j = 0; j < own.W; ++j) {
            own.at(i, j) += gradient.at((i + own.H % 2) / 2, (j + own.W % 2) / 2) / 4;
          }
        }
        gradient = own;
      }
      for (size_t p = 0; p < H * W; ++p) results.dx[(n * H * W + p) * C + c] = double(gradient.values[p]);
    }
  }
  results.similarity = double(similarity);
  return results;
}

Results run(Stream& stream, const Shape& shape, const test::Buffer& x, const test::Buffer& y) {
  const Device device = stream.device();
  const DType dtype = x.dtype();
  auto similarity = test::poisoned(device, {}, dtype), slopes = test::poisoned(device, {5, shape[0], shape[3]}, dtype);
  auto pyramid = test::poisoned(device, {kernels::ms_ssim_pyramid_elements(shape)}, dtype);
  auto dx = test::poisoned(device, shape, dtype), grad = test::buffer(device, {}, dtype, std::vector{1.0});
  const auto bytes = [&](size_t count) { return test::poisoned(device, {int64_t(count)}, DType::u8); };
  auto workspace = bytes(kernels::ms_ssim_workspace_bytes(shape, dtype));
  auto scratch = bytes(kernels::ms_ssim_backward_workspace_bytes(shape, dtype));
  kernels::ms_ssim(stream, x, y, similarity, slopes, pyramid, workspace);
  kernels::ms_ssim_backward(stream, x, y, slopes, pyramid, grad, dx, scratch);
  stream.synchronize();
  return {similarity.values()[0], dx.values()};
}

/// y around 0.5, and x with noise of `spread` on it.
std::pair<std::vector<double>, std::vector<double>> images(const Shape& shape, double spread) {
  const auto count = static_cast<size_t>(shape.count());
  auto y = test::normals(count, 1), x = test::normals(count, 2);
  for (size_t i = 0; i < count; ++i) {
    y[i] = test::round_f32(0.5 + 0.2 * y[i]);
    x[i] = test::round_f32(y[i] + spread * x[i]);
  }
  return {x, y};
}

}  // namespace

TEST_CASE("ms_ssim and its gradient agree with plain loops on every device") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE_COPY(from_range(test::wide_types(device)));
  const Shape shape = device == Device::simt ? Shape{1, 161, 166, 1} : Shape{2, 161, 182, 2};
  CAPTURE(name(device), name(dtype));
  const auto [xs, ys] = images(shape, 0.15);
  const auto x = test::buffer(device, shape, dtype, xs), y = test::buffer(device, shape, dtype, ys);
  const auto reference = plain<double>(shape, xs, ys);
  CHECK(reference.similarity > 0.3);
  const auto naive = dtype == DType::f32 ? plain<float>(shape, xs, ys) : Results{};
  std::optional<Results> first;
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    const Results result = run(stream, shape, x, y);
    test::require_kernels_ran(stream);
    if (!first) first = result;
    CHECK(result.similarity == first->similarity);
    CHECK(result.dx == first->dx);
    if (dtype == DType::f32) {
      CHECK(std::abs(result.similarity / reference.similarity - 1) < 2e-6);
      CHECK_THAT(result.dx, test::at_most_twice_the_error_of(naive.dx, reference.dx));
    } else {  // long sums of both orders differ by some roundings only
      CHECK(std::abs(result.similarity / reference.similarity - 1) < 1e-13);
      CHECK(test::relative_error(result.dx, reference.dx) < 1e-12);
    }
  }
}

TEST_CASE("ms_ssim gives the numbers of pytorch_msssim") {
  const Shape shape{2, 163, 171, 2};
  std::vector<double> xs, ys;
  for (int n = 0; n < 2; ++n) {
    for (int h = 0; h < 163; ++h) {
      for (int w = 0; w < 171; ++w) {
        for (int c = 0; c < 2; ++c) {
          const double rise = 0.11 * h * (c + 1) + n;
          xs.push_back(0.5 + 0.4 * std::sin(rise + 0.07 * w));
          ys.push_back(0.5 + 0.3 * std::sin(rise + 0.08 * w + 0.3) + 0.1 * std::cos(0.5 * h + 0.9 * w));
        }
      }
    }
  }
  Stream stream(Device::cpu);
  const Results ours = run(stream, shape, test::buffer(Device::cpu, shape, DType::f64, xs),
                           test::buffer(Device::cpu, shape, DType::f64, ys));
  // ms_ssim of pytorch_msssim 1.0.0 in f64 on these images, with a window made in f64, and its gradient by autograd.
  CHECK(ours.similarity == Approx(0.3478277806803988).epsilon(1e-12));
  double sum = 0;
  for (const double slope : ours.dx) sum += std::abs(slope);
  CHECK(sum == Approx(3.2063659311146524).epsilon(1e-10));
  const auto at = [&](size_t n, size_t h, size_t w, size_t c) { return ours.dx[((n * 163 + h) * 171 + w) * 2 + c]; };
  CHECK(at(0, 0, 0, 0) == Approx(-7.676319981747248e-10).epsilon(1e-7));
  CHECK(at(1, 80, 90, 1) == Approx(5.264416684024064e-05).epsilon(1e-9));
  CHECK(at(0, 162, 170, 1) == Approx(-8.060517554498078e-10).epsilon(1e-7));
  CHECK(at(1, 5, 100, 0) == Approx(-4.323856780079044e-06).epsilon(1e-9));
}

TEST_CASE("ms_ssim is 1 for equal images, and 0 without a slope for opposite ones") {
  const Shape shape{1, 163, 161, 1};
  const auto [xs, ys] = images(shape, 0.15);
  std::vector<double> opposite;
  for (const double value : xs) opposite.push_back(1 - value);
  const auto x = test::buffer(Device::cpu, shape, DType::f64, xs);
  const auto negative = test::buffer(Device::cpu, shape, DType::f64, opposite);
  Stream stream(Device::cpu);
  const Results equal = run(stream, shape, x, x), different = run(stream, shape, x, negative);
  CHECK(equal.similarity == Approx(1).epsilon(1e-12));
  for (size_t i = 0; i < equal.dx.size(); i += 97) CHECK(std::abs(equal.dx[i]) < 1e-12);
  CHECK(different.similarity == 0);
  CHECK(different.dx == std::vector<double>(xs.size(), 0.0));
}

TEST_CASE("ms_ssim refuses images of sides up to 160 and arguments that do not fit") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  const auto call = [&](const Shape& shape, const Shape& slopes, DType dtype) {
    auto x = test::data(device, shape), s = test::poisoned(device, slopes), one = test::poisoned(device, {}, dtype);
    auto pyramid = test::poisoned(device, {kernels::ms_ssim_pyramid_elements(shape)});
    auto workspace = test::poisoned(device, {int64_t(kernels::ms_ssim_workspace_bytes(shape, DType::f32))}, DType::u8);
    kernels::ms_ssim(stream, x, x, one, s, pyramid, workspace);
  };
  CHECK_THROWS_AS(call({1, 160, 170, 1}, {5, 1, 1}, DType::f32), ShapeError);
  CHECK_THROWS_AS(call({1, 170, 160, 1}, {5, 1, 1}, DType::f32), ShapeError);
  CHECK_THROWS_AS(call({1, 161, 161, 1}, {4, 1, 1}, DType::f32), ShapeError);
  CHECK_THROWS_AS(call({1, 161, 161, 1}, {5, 1, 1}, DType::bf16), DTypeError);
}
