#pragma once

#include "models/inception_layers.hpp"

namespace ascore {

/// The blocks of Inception-V3 (Szegedy et al. 2015, arXiv:1512.00567), each a concatenation of branches, with the
/// widths and names of torchvision's InceptionA to InceptionE and the pooling of the graph that FID is defined by.

/// 35x35: [N,H,W,in] -> [N,H,W,224 + pooled].
class InceptionA final : public InceptionModule {
 public:
  InceptionA(int64_t in, int64_t pooled);
  Tensor forward(Ctx& ctx, const Tensor& x) const override;

 private:
  BasicConv2d *branch1x1_, *branch5x5_1_, *branch5x5_2_, *branch3x3dbl_1_, *branch3x3dbl_2_, *branch3x3dbl_3_,
      *branch_pool_;
};

/// 35x35 to 17x17: [N,H,W,in] -> [N,(H-1)/2,(W-1)/2,480 + in].
class InceptionB final : public InceptionModule {
 public:
  explicit InceptionB(int64_t in);
  Tensor forward(Ctx& ctx, const Tensor& x) const override;

 private:
  BasicConv2d *branch3x3_, *branch3x3dbl_1_, *branch3x3dbl_2_, *branch3x3dbl_3_;
};

/// 17x17: [N,H,W,in] -> [N,H,W,768]; `width` channels between its 1x7 and 7x1 windows.
class InceptionC final : public InceptionModule {
 public:
  InceptionC(int64_t in, int64_t width);
  Tensor forward(Ctx& ctx, const Tensor& x) const override;

 private:
  BasicConv2d *branch1x1_, *branch7x7_1_, *branch7x7_2_, *branch7x7_3_, *branch7x7dbl_1_, *branch7x7dbl_2_,
      *branch7x7dbl_3_, *branch7x7dbl_4_, *branch7x7dbl_5_, *branch_pool_;
};

/// 17x17 to 8x8: [N,H,W,in] -> [N,(H-1)/2,(W-1)/2,512 + in].
class InceptionD final : public InceptionModule {
 public:
  explicit InceptionD(int64_t in);
  Tensor forward(Ctx& ctx, const Tensor& x) const override;

 private:
  BasicConv2d *branch3x3_1_, *branch3x3_2_, *branch7x7x3_1_, *branch7x7x3_2_, *branch7x7x3_3_, *branch7x7x3_4_;
};

/// 8x8: [N,H,W,in] -> [N,H,W,2048]. The pooled branch is of means in the first of the two, of maxima in the second.
class InceptionE final : public InceptionModule {
 public:
  InceptionE(int64_t in, bool pools_maxima);
  Tensor forward(Ctx& ctx, const Tensor& x) const override;

 private:
  bool pools_maxima_;
  BasicConv2d *branch1x1_, *branch3x3_1_, *branch3x3_2a_, *branch3x3_2b_, *branch3x3dbl_1_, *branch3x3dbl_2_,
      *branch3x3dbl_3a_, *branch3x3dbl_3b_, *branch_pool_;
};

}  // namespace ascore
