#include "kernels/instance_norm_plus/instance_norm_plus.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"

#include <cmath>

using namespace ascore;

namespace {

struct Case {
  int64_t N, H, W, C;
  Shape shape() const { return {N, H, W, C}; }
};

struct Results {
  std::vector<double> y, dx, dgamma, dalpha, dbeta;
};

/// The formulas of the header, literally, in the type A.
template <class A>
Results plain(const Case& size, const std::vector<double>& x, const std::vector<double>& gamma,
              const std::vector<double>& alpha, const std::vector<double>& beta, const std::vector<double>& dy,
              DType dtype) {
  const size_t N = x.empty() ? 0 : size_t(size.N), P = size_t(size.H * size.W), C = size_t(size.C);
  const auto rounded = [&](A value) { return dtype == DType::bf16 ? test::round_bf16(double(value)) : double(value); };
  Results r{std::vector<double>(x.size()), std::vector<double>(x.size()), std::vector<double>(C),
            std::vector<double>(C), std::vector<double>(C)};
  std::vector<A> to_gamma(C), to_alpha(C), to_beta(C);
  for (size_t n = 0; n < N; ++n) {
    std::vector<A> mu(C), rstd(C), t(C), s1(C), s2(C), g(C);
    const auto at = [&](size_t p, size_t c) { return (n * P + p) * C + c; };
    A m = 0, v = 0;
    for (size_t c = 0; c < C; ++c) {
      A var = 0;
      for (size_t p = 0; p < P; ++p) mu[c] += A(x[at(p, c)]);
      mu[c] /= A(P);
      for (size_t p = 0; p < P; ++p) var += (A(x[at(p, c)]) - mu[c]) * (A(x[at(p, c)]) - mu[c]);
      rstd[c] = 1 / std::sqrt(var / A(P) + A(1e-5));
      m += mu[c];
    }
    m /= A(C);
    for (size_t c = 0; c < C; ++c) v += (mu[c] - m) * (mu[c] - m);
    const A rstd_m = 1 / std::sqrt(v / A(C - 1) + A(1e-5));
    A mean_g = 0, sum_gt = 0;
    for (size_t c = 0; c < C; ++c) {
      t[c] = (mu[c] - m) * rstd_m;
      for (size_t p = 0; p < P; ++p) {
        const A xhat = (A(x[at(p, c)]) - mu[c]) * rstd[c];
        r.y[at(p, c)] = rounded(A(gamma[c]) * (xhat + A(alpha[c]) * t[c]) + A(beta[c]));
        s1[c] += A(dy[at(p, c)]);
        s2[c] += A(dy[at(p, c)]) * xhat;
      }
      g[c] = A(gamma[c]) * A(alpha[c]) * s1[c];
      mean_g += g[c] / A(C);
      sum_gt += g[c] * t[c];
      to_gamma[c] += s2[c] + A(alpha[c]) * t[c] * s1[c];
      to_alpha[c] += A(gamma[c]) * t[c] * s1[c];
      to_beta[c] += s1[c];
    }
    for (size_t c = 0; c < C; ++c) {
      const A through_mean = rstd_m * (g[c] - mean_g - t[c] * sum_gt / A(C - 1)) / A(P);
      for (size_t p = 0; p < P; ++p) {
        const A xhat = (A(x[at(p, c)]) - mu[c]) * rstd[c];
        r.dx[at(p, c)] =
            rounded(A(gamma[c]) * rstd[c] * (A(dy[at(p, c)]) - s1[c] / A(P) - xhat * s2[c] / A(P)) + through_mean);
      }
    }
  }
  std::copy(to_gamma.begin(), to_gamma.end(), r.dgamma.begin());
  std::copy(to_alpha.begin(), to_alpha.end(), r.dalpha.begin());
  std::copy(to_beta.begin(), to_beta.end(), r.dbeta.begin());
  return r;
}

}  // namespace

TEST_CASE("instance_norm_plus and its gradients agree with plain f64 loops on every device") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE(DType::f32, DType::bf16);
  const auto fill = GENERATE(test::Fill::normal, test::Fill::far_from_zero);
  const Case size = GENERATE(Case{1, 1, 1, 4}, Case{2, 7, 5, 3}, Case{3, 3, 11, 33}, Case{1, 17, 16, 70},
                             Case{0, 4, 4, 8}, Case{2, 0, 3, 4});
  const Shape shape = size.shape();
  const int64_t C = size.C;
  CAPTURE(name(device), name(dtype), int(fill), to_string(shape));
  const auto x = test::data(device, shape, dtype, fill, 1);
  const auto dy = test::data(device, shape, dtype, test::Fill::normal, 2);
  const auto gamma = test::data(device, {C}, DType::f32, test::Fill::normal, 3);
  const auto alpha = test::data(device, {C}, DType::f32, test::Fill::normal, 4);
  const auto beta = test::data(device, {C}, DType::f32, test::Fill::normal, 5);
  const auto reference =
      plain<double>(size, x.values(), gamma.values(), alpha.values(), beta.values(), dy.values(), DType::f64);
  const auto naive = plain<float>(size, x.values(), gamma.values(), alpha.values(), beta.values(), dy.values(), dtype);
  constexpr double kFewNumbers = 5e-7;  // a few sums: the twin may be lucky in all of them
  std::optional<std::vector<double>> first_y, first_dx, first_dgamma;
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    auto y = test::poisoned(device, shape, dtype), dx = test::poisoned(device, shape, dtype);
    auto mean = test::poisoned(device, {size.N, C}), rstd = test::poisoned(device, {size.N, C});
    auto channels = test::poisoned(device, {size.N, 2});
    auto dgamma = test::poisoned(device, {C}), dalpha = test::poisoned(device, {C}),
         dbeta = test::poisoned(device, {C});
    auto workspace = test::poisoned(
        device, {int64_t(kernels::instance_norm_plus_backward_workspace_bytes(shape, dtype))}, DType::u8);
    kernels::instance_norm_plus(stream, x, gamma, alpha, beta, y, mean, rstd, channels);
    kernels::instance_norm_plus_backward(stream, x, gamma, alpha, mean, rstd, channels, dy, dx, dgamma, dalpha, dbeta,
                                         workspace);
    stream.synchronize();
    test::require_kernels_ran(stream);
    if (!first_y) first_y = y.values(), first_dx = dx.values(), first_dgamma = dgamma.values();
    CHECK(y.values() == *first_y);
    CHECK(dx.values() == *first_dx);
    CHECK(dgamma.values() == *first_dgamma);
    CHECK_THAT(y.values(), test::at_most_twice_the_error_of(naive.y, reference.y));
    CHECK_THAT(dx.values(), test::at_most_twice_the_error_of(naive.dx, reference.dx));
    CHECK_THAT(dgamma.values(), test::at_most_twice_the_error_of(naive.dgamma, reference.dgamma, kFewNumbers));
    CHECK_THAT(dalpha.values(), test::at_most_twice_the_error_of(naive.dalpha, reference.dalpha, kFewNumbers));
    CHECK_THAT(dbeta.values(), test::at_most_twice_the_error_of(naive.dbeta, reference.dbeta, kFewNumbers));
  }
}

TEST_CASE("instance_norm_plus applies an activation and adds what else x's gradient is made of, in its own passes") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE(DType::f32, DType::bf16);
  const auto kind = GENERATE(Activation::elu, Activation::leaky_relu, Activation::silu);
  const Case size = GENERATE(Case{2, 7, 5, 33}, Case{1, 17, 16, 70});
  const Shape shape = size.shape();
  CAPTURE(name(device), name(dtype), static_cast<int>(kind), to_string(shape));
  constexpr double kSlope = 0.2;
  const auto f = [&](double z) {
    if (kind == Activation::silu) return z / (1 + std::exp(-z));
    return z > 0 ? z : kind == Activation::elu ? std::expm1(z) : kSlope * z;
  };
  const auto x = test::data(device, shape, dtype, test::Fill::normal, 1);
  const auto dy = test::data(device, shape, dtype, test::Fill::normal, 2);
  const auto more = test::data(device, shape, dtype, test::Fill::normal, 6);
  const auto gamma = test::data(device, {size.C}, DType::f32, test::Fill::normal, 3);
  const auto alpha = test::data(device, {size.C}, DType::f32, test::Fill::normal, 4);
  const auto beta = test::data(device, {size.C}, DType::f32, test::Fill::normal, 5);
  // Not rounded to bf16 on the way: by the twin in f32, rounded at the end.
  const auto finished = [&](Results results, DType stored) {
    const std::vector<double> extra = more.values();
    for (size_t i = 0; i < extra.size(); ++i) {
      const double y = f(results.y[i]), dx = results.dx[i] + extra[i];
      results.y[i] = stored == DType::bf16 ? test::round_bf16(y) : y;
      results.dx[i] = stored == DType::bf16 ? test::round_bf16(dx) : dx;
    }
    return results;
  };
  const auto loops = [&]<class A>(DType stored) {
    return finished(plain<A>(size, x.values(), gamma.values(), alpha.values(), beta.values(), dy.values(), DType::f64),
                    stored);
  };
  const Results reference = loops.template operator()<double>(DType::f64),
                naive = loops.template operator()<float>(dtype);
  Stream stream(device);
  auto y = test::poisoned(device, shape, dtype), dx = test::poisoned(device, shape, dtype);
  auto mean = test::poisoned(device, {size.N, size.C}), rstd = test::poisoned(device, {size.N, size.C});
  auto channels = test::poisoned(device, {size.N, 2});
  auto workspace =
      test::poisoned(device, {int64_t(kernels::instance_norm_plus_backward_workspace_bytes(shape, dtype))}, DType::u8);
  kernels::instance_norm_plus(stream, x, gamma, alpha, beta, y, mean, rstd, channels, kind, kSlope);
  kernels::instance_norm_plus_backward(stream, x, gamma, alpha, mean, rstd, channels, dy, dx, {}, {}, {}, workspace,
                                       more);
  stream.synchronize();
  CHECK_THAT(y.values(), test::at_most_twice_the_error_of(naive.y, reference.y));
  CHECK_THAT(dx.values(), test::at_most_twice_the_error_of(naive.dx, reference.dx));

  auto again = test::poisoned(device, shape, dtype);
  kernels::instance_norm_plus_again(stream, x, gamma, alpha, beta, mean, rstd, channels, again, kind, kSlope);
  stream.synchronize();
  CHECK(again.values() == y.values());
}

TEST_CASE("instance_norm_plus gives an image the same bits in any batch and on any number of threads") {
  const auto device = GENERATE(from_range(test::devices()));
  const Shape one{1, 9, 15, 67}, all{3, 9, 15, 67};
  const auto x = test::data(device, all);
  const auto gamma = test::data(device, {67}), alpha = gamma, beta = gamma;
  const auto xs = x.values();
  const size_t count = xs.size() / 3;
  const auto normalize = [&](const std::vector<double>& values, const Shape& shape, int threads) {
    Stream stream(device, {.threads = threads});
    const auto in = test::buffer(device, shape, DType::f32, values);
    auto y = test::poisoned(device, shape), mean = test::poisoned(device, {shape[0], 67});
    auto rstd = test::poisoned(device, {shape[0], 67}), channels = test::poisoned(device, {shape[0], 2});
    kernels::instance_norm_plus(stream, in, gamma, alpha, beta, y, mean, rstd, channels);
    stream.synchronize();
    return y.values();
  };
  const auto together = normalize(xs, all, 1);
  CHECK(normalize(xs, all, 2) == together);
  const std::vector<double> second(xs.begin() + long(count), xs.begin() + long(2 * count));
  for (int threads : {1, 2}) {
    CHECK(normalize(second, one, threads) ==
          std::vector<double>(together.begin() + long(count), together.begin() + long(2 * count)));
  }
}

TEST_CASE("instance_norm_plus refuses a single channel and arguments that do not fit") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  auto x = test::data(device, {2, 3, 3, 1}), y = test::poisoned(device, {2, 3, 3, 1});
  auto c = test::data(device, {1}), statistics = test::poisoned(device, {2, 1}), pair = test::poisoned(device, {2, 2});
  CHECK_THROWS_AS(kernels::instance_norm_plus(stream, x, c, c, c, y, statistics, statistics, pair), ShapeError);
  auto x4 = test::data(device, {2, 3, 3, 4}), y4 = test::poisoned(device, {2, 3, 3, 4});
  auto c4 = test::data(device, {4}), c5 = test::data(device, {5}), wide = test::poisoned(device, {2, 4});
  auto half = test::data(device, {4}, DType::bf16);
  CHECK_THROWS_AS(kernels::instance_norm_plus(stream, x4, c5, c4, c4, y4, wide, wide, pair), ShapeError);
  CHECK_THROWS_AS(kernels::instance_norm_plus(stream, x4, half, c4, c4, y4, wide, wide, pair), DTypeError);
  CHECK_THROWS_AS(kernels::instance_norm_plus(stream, x4, c4, c4, c4, y4, wide, wide, pair, Activation::leaky_relu, -1),
                  ConfigError);
  CHECK_THROWS_AS(kernels::instance_norm_plus_again(stream, x4, c4, c4, c4, wide, statistics, pair, y4), ShapeError);
}
