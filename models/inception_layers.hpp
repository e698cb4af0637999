#pragma once

#include "engine/nn/module.hpp"
#include "engine/nn/pytorch_layout.hpp"

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace ascore {

/// How a convolution of Inception-V3 walks over its image.
struct InceptionWindow {
  int height = 1, width = 1, stride = 1;
  bool padded = true;  ///< zeros around the image, (height-1)/2 rows and (width-1)/2 columns; else none
};

/// Convolution, batch norm by the averages of training (eps 0.001), relu: [N,H,W,in] -> [N,H',W',out]. Named as
/// PyTorch's: conv.weight, bn.weight, bn.bias, bn.running_mean, bn.running_var. Inference only: the norm is folded into
/// weights and bias when they are loaded.
class BasicConv2d final : public Module {
 public:
  BasicConv2d(int64_t in, int64_t out, const InceptionWindow& window);
  Tensor forward(Ctx& ctx, const Tensor& x) const override;
  /// Takes the five tensors from a state that was checked. Throws DataError for a variance below zero.
  void load(Ctx& ctx, const StateDict& state);

 private:
  InceptionWindow window_;
  Parameter *weight_, *gamma_, *beta_, *mean_, *variance_;
  Tensor folded_weight_, folded_bias_;
};

/// A module whose convolutions are to be loaded.
class InceptionModule : public Module {
 public:
  /// Every convolution below, in order of declaration.
  const std::vector<BasicConv2d*>& convolutions() const { return convolutions_; }

 protected:
  BasicConv2d* convolution(const std::string& name, int64_t in, int64_t out, const InceptionWindow& window = {});
  /// Adds a module and its convolutions.
  template <class M, class... A>
  M* block(const std::string& name, A... args) {
    M* const made = add<M>(name, args...);
    convolutions_.insert(convolutions_.end(), made->convolutions().begin(), made->convolutions().end());
    return made;
  }

 private:
  std::vector<BasicConv2d*> convolutions_;
};

/// The entry of a state that `parameter` is named for, in our layout. Throws DataError, naming it, if it is absent, of
/// another shape or not finite.
HostTensor inception_entry(const StateDict& state, const Parameter& parameter);

/// Channels of several images, one after the other.
Tensor joined_channels(Ctx& ctx, std::initializer_list<Tensor> images);
/// 3x3 maxima: of stride 2 without padding, where `halved`; else of stride 1 with padding.
Tensor max_pool3(Ctx& ctx, const Tensor& x, bool halved);
/// 3x3 means of those pixels that lie in the image, of stride 1.
Tensor mean_pool3(Ctx& ctx, const Tensor& x);

}  // namespace ascore
