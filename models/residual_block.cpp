#include "models/residual_block.hpp"

namespace ascore {

ResidualBlock::ResidualBlock(int64_t in, int64_t out, Resample resample, int dilation, const NcsnStyle& style)
    : act_(style.act) {
  const bool down = resample == Resample::down, pool = down && dilation == 1;  // a dilated block keeps its resolution
  const int64_t mid = down ? in : out;
  normalize1_ = add_norm(*this, style, "normalize1", in);
  conv1_ = add<Conv2d>("conv1", in, mid, 3, dilation);
  normalize2_ = add_norm(*this, style, "normalize2", mid);
  if (pool) {
    conv2_ = add<ConvMeanPool>("conv2", mid, out, 3);
    shortcut_ = add<ConvMeanPool>("shortcut", in, out, 1);
    return;
  }
  conv2_ = add<Conv2d>("conv2", mid, out, 3, dilation);
  if (in != out || down) shortcut_ = add<Conv2d>("shortcut", in, out, dilation == 1 ? 1 : 3, dilation);
}

Tensor ResidualBlock::forward(Ctx& ctx, const Tensor& x) const {  // [N,H,W,in]
  const ModuleScope scope(ctx, *this);
  Tensor h = conv1_->forward(ctx, act_(ctx, normalize1_->forward(ctx, x)));  // [N,H,W,mid]
  h = conv2_->forward(ctx, act_(ctx, normalize2_->forward(ctx, h)));         // [N,H',W',out]
  return ascore::add(ctx, shortcut_ ? shortcut_->forward(ctx, x) : x, h);    // [N,H',W',out]
}

}  // namespace ascore
