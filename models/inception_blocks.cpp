#include "models/inception_blocks.hpp"

namespace ascore {

namespace {

constexpr InceptionWindow k1x3{1, 3}, k3x1{3, 1}, k3x3{3, 3}, k5x5{5, 5}, k1x7{1, 7}, k7x1{7, 1};
constexpr InceptionWindow kHalving{3, 3, 2, false};

/// One convolution after the other.
Tensor through(Ctx& ctx, Tensor x, std::initializer_list<const BasicConv2d*> convolutions) {
  for (const BasicConv2d* convolution : convolutions) x = convolution->forward(ctx, x);
  return x;
}

}  // namespace

InceptionA::InceptionA(int64_t in, int64_t pooled)
    : branch1x1_(convolution("branch1x1", in, 64)),
      branch5x5_1_(convolution("branch5x5_1", in, 48)),
      branch5x5_2_(convolution("branch5x5_2", 48, 64, k5x5)),
      branch3x3dbl_1_(convolution("branch3x3dbl_1", in, 64)),
      branch3x3dbl_2_(convolution("branch3x3dbl_2", 64, 96, k3x3)),
      branch3x3dbl_3_(convolution("branch3x3dbl_3", 96, 96, k3x3)),
      branch_pool_(convolution("branch_pool", in, pooled)) {}

Tensor InceptionA::forward(Ctx& ctx, const Tensor& x) const {
  return joined_channels(ctx, {branch1x1_->forward(ctx, x), through(ctx, x, {branch5x5_1_, branch5x5_2_}),
                               through(ctx, x, {branch3x3dbl_1_, branch3x3dbl_2_, branch3x3dbl_3_}),
                               branch_pool_->forward(ctx, mean_pool3(ctx, x))});
}

InceptionB::InceptionB(int64_t in)
    : branch3x3_(convolution("branch3x3", in, 384, kHalving)),
      branch3x3dbl_1_(convolution("branch3x3dbl_1", in, 64)),
      branch3x3dbl_2_(convolution("branch3x3dbl_2", 64, 96, k3x3)),
      branch3x3dbl_3_(convolution("branch3x3dbl_3", 96, 96, kHalving)) {}

Tensor InceptionB::forward(Ctx& ctx, const Tensor& x) const {
  return joined_channels(
      ctx, {branch3x3_->forward(ctx, x), through(ctx, x, {branch3x3dbl_1_, branch3x3dbl_2_, branch3x3dbl_3_}),
            max_pool3(ctx, x, /*halved=*/true)});
}

InceptionC::InceptionC(int64_t in, int64_t width)
    : branch1x1_(convolution("branch1x1", in, 192)),
      branch7x7_1_(convolution("branch7x7_1", in, width)),
      branch7x7_2_(convolution("branch7x7_2", width, width, k1x7)),
      branch7x7_3_(convolution("branch7x7_3", width, 192, k7x1)),
      branch7x7dbl_1_(convolution("branch7x7dbl_1", in, width)),
      branch7x7dbl_2_(convolution("branch7x7dbl_2", width, width, k7x1)),
      branch7x7dbl_3_(convolution("branch7x7dbl_3", width, width, k1x7)),
      branch7x7dbl_4_(convolution("branch7x7dbl_4", width, width, k7x1)),
      branch7x7dbl_5_(convolution("branch7x7dbl_5", width, 192, k1x7)),
      branch_pool_(convolution("branch_pool", in, 192)) {}

Tensor InceptionC::forward(Ctx& ctx, const Tensor& x) const {
  return joined_channels(
      ctx, {branch1x1_->forward(ctx, x), through(ctx, x, {branch7x7_1_, branch7x7_2_, branch7x7_3_}),
            through(ctx, x, {branch7x7dbl_1_, branch7x7dbl_2_, branch7x7dbl_3_, branch7x7dbl_4_, branch7x7dbl_5_}),
            branch_pool_->forward(ctx, mean_pool3(ctx, x))});
}

InceptionD::InceptionD(int64_t in)
    : branch3x3_1_(convolution("branch3x3_1", in, 192)),
      branch3x3_2_(convolution("branch3x3_2", 192, 320, kHalving)),
      branch7x7x3_1_(convolution("branch7x7x3_1", in, 192)),
      branch7x7x3_2_(convolution("branch7x7x3_2", 192, 192, k1x7)),
      branch7x7x3_3_(convolution("branch7x7x3_3", 192, 192, k7x1)),
      branch7x7x3_4_(convolution("branch7x7x3_4", 192, 192, kHalving)) {}

Tensor InceptionD::forward(Ctx& ctx, const Tensor& x) const {
  return joined_channels(ctx, {through(ctx, x, {branch3x3_1_, branch3x3_2_}),
                               through(ctx, x, {branch7x7x3_1_, branch7x7x3_2_, branch7x7x3_3_, branch7x7x3_4_}),
                               max_pool3(ctx, x, /*halved=*/true)});
}

InceptionE::InceptionE(int64_t in, bool pools_maxima)
    : pools_maxima_(pools_maxima),
      branch1x1_(convolution("branch1x1", in, 320)),
      branch3x3_1_(convolution("branch3x3_1", in, 384)),
      branch3x3_2a_(convolution("branch3x3_2a", 384, 384, k1x3)),
      branch3x3_2b_(convolution("branch3x3_2b", 384, 384, k3x1)),
      branch3x3dbl_1_(convolution("branch3x3dbl_1", in, 448)),
      branch3x3dbl_2_(convolution("branch3x3dbl_2", 448, 384, k3x3)),
      branch3x3dbl_3a_(convolution("branch3x3dbl_3a", 384, 384, k1x3)),
      branch3x3dbl_3b_(convolution("branch3x3dbl_3b", 384, 384, k3x1)),
      branch_pool_(convolution("branch_pool", in, 192)) {}

Tensor InceptionE::forward(Ctx& ctx, const Tensor& x) const {
  const Tensor once = branch3x3_1_->forward(ctx, x), twice = through(ctx, x, {branch3x3dbl_1_, branch3x3dbl_2_});
  return joined_channels(
      ctx, {branch1x1_->forward(ctx, x), branch3x3_2a_->forward(ctx, once), branch3x3_2b_->forward(ctx, once),
            branch3x3dbl_3a_->forward(ctx, twice), branch3x3dbl_3b_->forward(ctx, twice),
            branch_pool_->forward(ctx, pools_maxima_ ? max_pool3(ctx, x, /*halved=*/false) : mean_pool3(ctx, x))});
}

}  // namespace ascore
