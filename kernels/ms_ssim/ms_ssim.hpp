#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

#include <cstddef>

namespace ascore::kernels {

/// Both sides of images for ms_ssim must be above this: the window still has to fit after four halvings.
inline constexpr int64_t kMsSsimSide = 160;

/// Multi-scale structural similarity (Wang, Simoncelli & Bovik 2003) of images of range 1, as pytorch_msssim computes
/// it. At each of 5 levels, over every 11x11 window (Gaussian weights of sd 1.5) that lies inside the images, with
/// weighted means mu, variances and covariance,
///
///   contrast = (2 cov_xy + C2) / (var_x + var_y + C2),   C1 = 0.01^2, C2 = 0.03^2
///   ssim = contrast (2 mu_x mu_y + C1) / (mu_x^2 + mu_y^2 + C1)
///
/// v_l is the mean of contrast over an image's channel, at the last level that of ssim; between levels both images are
/// halved by 2x2 means, a side of odd length with a zero in front. Of max(v_l, 0)^w_l, w = .0448 .2856 .3001 .2363
/// .1333, the product over levels and then the mean over images and channels is the result.
///
///   x, y           [N,H,W,C]  NHWC, H and W above 160, N and C at least 1; f32, f64 (cpu only)
///   similarity     one element of their dtype; written
///   slopes         [5,N,C]    of their dtype; written: derivative of the result by v_l, 0 where v_l is not positive
///   pyramid        ms_ssim_pyramid_elements of their dtype; written: the halved images
///   workspace      u8, at least ms_ssim_workspace_bytes
/// Sums in an order fixed by device and shape. Errors: ShapeError, DTypeError, before anything runs. Cost: about 1,600
/// operations per element.
void ms_ssim(Stream& stream, ConstView x, ConstView y, View similarity, View slopes, View pyramid, View workspace);
int64_t ms_ssim_pyramid_elements(const Shape& x);
size_t ms_ssim_workspace_bytes(const Shape& x, DType dtype);

/// Gradient of the above with respect to x, times grad_similarity.
///
///   x, y, slopes, pyramid   as given to and written by the forward pass
///   grad_similarity         one element of their dtype
///   dx                      of x's shape and dtype; not x or y
///   workspace               u8, at least ms_ssim_backward_workspace_bytes
/// Cost: about 2,600 operations per element.
void ms_ssim_backward(Stream& stream, ConstView x, ConstView y, ConstView slopes, ConstView pyramid,
                      ConstView grad_similarity, View dx, View workspace);
size_t ms_ssim_backward_workspace_bytes(const Shape& x, DType dtype);

}  // namespace ascore::kernels
