#pragma once

#include "models/ncsn_style.hpp"

#include <cstdint>

namespace ascore {

/// Whether a residual block halves the resolution (or, dilated, widens the view instead).
enum class Resample : uint8_t { none, down };

/// The residual block of NCSNv2 (Song & Ermon 2020, arXiv:2006.09011): norm, act, conv, norm, act, conv, plus shortcut,
/// and what the caller asks for last (the residual of which is the shortcut). [N,H,W,in] -> [N,H',W',out], halved where
/// it is `down` and not dilated; `pad_odd`: images of odd sides, which a row and a column of zeros make even before
/// they are halved.
class ResidualBlock final : public Module {
 public:
  ResidualBlock(int64_t in, int64_t out, Resample resample, int dilation, const NcsnStyle& style, bool pad_odd = false);
  /// x is not measured: where blocks are done again, its run moments would have to be kept.
  Activated forward(Ctx& ctx, const Tensor& x, const Epilogue& last) const;

 private:
  Activated block(Ctx& ctx, const Tensor& x, const Epilogue& last) const;

  Nonlinearity act_;
  Normalization *normalize1_, *normalize2_;
  Module* shortcut_ = nullptr;  // null: the identity
  Convolution *conv1_, *conv2_;
};

}  // namespace ascore
