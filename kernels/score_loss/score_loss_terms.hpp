#pragma once

#include "kernels/core/host_device.hpp"
#include "kernels/core/view.hpp"
#include "kernels/score_loss/score_loss.hpp"

namespace ascore::kernels {

/// Elements that one block sums in the first stage.
inline constexpr int64_t kScoreLossChunk = 4096;

inline int64_t score_loss_sample_size(const Shape& shape) {
  return shape.dim(0) > 0 ? shape.count() / shape.dim(0) : 0;
}
inline int64_t score_loss_chunks(const Shape& shape) {
  return (score_loss_sample_size(shape) + kScoreLossChunk - 1) / kScoreLossChunk;
}

/// One element's loss, and its derivative, at the difference s - target.
template <class T>
ASCORE_HOST_DEVICE inline T score_loss_term(DsmLoss kind, T difference) {
  if (kind == DsmLoss::l2) return T(0.5) * difference * difference;
  return difference < 0 ? -difference : difference;
}
template <class T>
ASCORE_HOST_DEVICE inline T score_loss_slope(DsmLoss kind, T difference) {
  if (kind == DsmLoss::l2 || difference != difference) return difference;
  return T(difference > 0) - T(difference < 0);
}

}  // namespace ascore::kernels
