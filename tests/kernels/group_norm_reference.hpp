#pragma once

#include "kernels/core/dtype.hpp"
#include "kernels/core/shape.hpp"
#include "tests/support/compare.hpp"

#include <cmath>
#include <cstdint>
#include <vector>

/// Group normalisation by plain loops.
namespace ascore::test {

/// The sizes of a group normalisation.
struct GroupNormCase {
  int64_t N, H, W, C, G;
  Shape shape() const { return {N, H, W, C}; }
};

/// What it and its backward pass give.
struct GroupNormResults {
  std::vector<double> y, dx, dgamma, dbeta;
};

inline constexpr double kGroupNormEps = 1e-3;  // large enough to matter beside a variance of 1

/// The formulas of the header, literally, in the type A.
template <class A>
GroupNormResults plain_group_norm(const GroupNormCase& size, const std::vector<double>& x,
                                  const std::vector<double>& gamma, const std::vector<double>& beta,
                                  const std::vector<double>& dy, bool silu, DType dtype) {
  const size_t N = x.empty() ? 0 : size_t(size.N), P = size_t(size.H * size.W), C = size_t(size.C), G = size_t(size.G);
  const size_t width = C / G;
  const auto rounded = [&](A value) { return dtype == DType::bf16 ? test::round_bf16(double(value)) : double(value); };
  GroupNormResults r{std::vector<double>(x.size()), std::vector<double>(x.size()), {}, {}};
  std::vector<A> dgamma(C), dbeta(C);
  for (size_t n = 0; n < N; ++n) {
    for (size_t group = 0; group < G; ++group) {
      const auto each = [&](auto&& body) {
        for (size_t p = 0; p < P; ++p) {
          for (size_t c = group * width; c < (group + 1) * width; ++c) body((n * P + p) * C + c, c);
        }
      };
      const A M = A(P * width);
      A mean = 0, var = 0, mean_g = 0, mean_gx = 0;
      each([&](size_t i, size_t) { mean += A(x[i]); });
      mean /= M;
      each([&](size_t i, size_t) { var += (A(x[i]) - mean) * (A(x[i]) - mean); });
      const A rstd = 1 / std::sqrt(var / M + A(kGroupNormEps));
      const auto xhat = [&](size_t i) { return (A(x[i]) - mean) * rstd; };
      const auto gradient = [&](size_t i, size_t c) {
        const A z = A(gamma[c]) * xhat(i) + A(beta[c]), s = 1 / (1 + std::exp(-z));
        return A(dy[i]) * (silu ? s * (1 + z * (1 - s)) : A(1));
      };
      each([&](size_t i, size_t c) {
        const A z = A(gamma[c]) * xhat(i) + A(beta[c]), g = gradient(i, c);
        r.y[i] = rounded(silu ? z / (1 + std::exp(-z)) : z);
        dgamma[c] += g * xhat(i);
        dbeta[c] += g;
        mean_g += A(gamma[c]) * g;
        mean_gx += A(gamma[c]) * g * xhat(i);
      });
      mean_g /= M, mean_gx /= M;
      each([&](size_t i, size_t c) {
        r.dx[i] = rounded(rstd * (A(gamma[c]) * gradient(i, c) - mean_g - xhat(i) * mean_gx));
      });
    }
  }
  r.dgamma.assign(dgamma.begin(), dgamma.end());
  r.dbeta.assign(dbeta.begin(), dbeta.end());
  return r;
}

}  // namespace ascore::test
