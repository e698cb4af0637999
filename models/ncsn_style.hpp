#pragma once

#include "engine/nn/layers.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ascore {

/// What all blocks of an NCSNv2 are made with.
struct NcsnStyle {
  Nonlinearity act;
  std::string norm = "instance_norm_plus";
  bool spectral_norm = false;  ///< of every convolution, as torch.nn.utils.spectral_norm
};

/// Names that NcsnStyle::norm may have.
const std::vector<std::string>& ncsn_norm_names();

/// Adds a convolution, spectrally normalised if the style says so: [N,H,W,in] -> [N,H,W,out].
Convolution* add_conv(Module& module, const NcsnStyle& style, std::string name, int64_t in, int64_t out, int kernel,
                      int dilation = 1, bool bias = true);
constexpr double kNormEps = 1e-5;
/// Adds the style's normalisation of `channels` channels to `module`: [N,H,W,C] -> the same. Only instance_norm and
/// batch_norm take another eps than kNormEps.
Normalization* add_norm(Module& module, const NcsnStyle& style, std::string name, int64_t channels,
                        double eps = kNormEps);

}  // namespace ascore
