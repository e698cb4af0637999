#pragma once

#include "kernels/channel_norm/statistics_layout.hpp"
#include "kernels/core/kernel.hpp"

#include <cmath>

/// What the kernels of normalisations read besides the images.
namespace ascore::kernels::ASCORE_BACKEND {

/// The Math of fused_activation.hpp in kernels.
struct NormMath {
  static __device__ float exp(float x) { return expf(x); }
};

/// Null where an argument is absent.
struct NormalizerPointers {
  const float *mean, *rstd, *gamma, *beta;
  StatisticsLayout layout;

  NormalizerPointers(ConstView mu, ConstView rs, ConstView g, ConstView b, int64_t C)
      : mean(mu.as<float>()), rstd(rs.as<float>()), gamma(g.as<float>()), beta(b.as<float>()), layout(rs, C) {}
};

/// The same of one channel of one image: xhat = (x - mean) rstd, z = gamma xhat + beta.
struct Normalizer {
  float mean, rstd, gamma, beta;

  __device__ Normalizer(const NormalizerPointers& from, int64_t n, int64_t c)
      : mean(from.mean ? from.mean[from.layout(n, c)] : 0.0f),
        rstd(from.rstd[from.layout(n, c)]),
        gamma(from.gamma ? from.gamma[c] : 1.0f),
        beta(from.beta ? from.beta[c] : 0.0f) {}
};

}  // namespace ascore::kernels::ASCORE_BACKEND
