#include "models/ncsn_style.hpp"

#include "engine/nn/normalization_layers.hpp"
#include "engine/nn/torch_spectral_layers.hpp"
#include "kernels/core/error.hpp"

#include <type_traits>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace ascore {

namespace {
class NoNorm final : public Normalization {
 public:
  using Normalization::normalized;
  Tensor normalized(Ctx&, const Measured& x) const override { return x.images; }
  bool measures(const Ctx&) const override { return false; }
};

struct NormEntry {
  std::string name;
  Normalization* (*add)(Module& module, std::string name, int64_t channels, double eps);
};

template <class Norm>
Normalization* add_norm_of(Module& module, std::string name, int64_t channels, double eps) {
  if constexpr (std::is_same_v<Norm, BatchNorm>) {
    return module.add<Norm>(std::move(name), channels, Init::constant(1), eps);
  } else if constexpr (std::is_same_v<Norm, InstanceNorm>) {
    return module.add<Norm>(std::move(name), eps);
  } else if constexpr (std::is_constructible_v<Norm, int64_t>) {
    return module.add<Norm>(std::move(name), channels);
  } else {
    return module.add<Norm>(std::move(name));
  }
}

const std::vector<NormEntry>& norms() {
  static const std::vector<NormEntry> entries = {{"instance_norm_plus", add_norm_of<InstanceNormPlus>},
                                                 {"instance_norm", add_norm_of<InstanceNorm>},
                                                 {"batch_norm", add_norm_of<BatchNorm>},
                                                 {"variance_norm", add_norm_of<VarianceNorm>},
                                                 {"none", add_norm_of<NoNorm>}};
  return entries;
}
}  // namespace

const std::vector<std::string>& ncsn_norm_names() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> names;
    for (const NormEntry& entry : norms()) names.push_back(entry.name);
    return names;
  }();
  return all;
}

Convolution* add_conv(Module& module, const NcsnStyle& style, std::string name, int64_t in, int64_t out, int kernel,
                      int dilation, bool bias) {
  if (style.spectral_norm) {
    return module.add<TorchSpectralConv2d>(std::move(name), in, out, kernel, Conv2dOptions{.dilation = dilation}, bias);
  }
  return module.add<Conv2d>(std::move(name), in, out, kernel, dilation, bias);
}

Normalization* add_norm(Module& module, const NcsnStyle& style, std::string name, int64_t channels, double eps) {
  for (const NormEntry& entry : norms()) {
    if (entry.name == style.norm) return entry.add(module, std::move(name), channels, eps);
  }
  throw ConfigError(
      fmt::format("norm '{}' is not known; use one of: {}", style.norm, fmt::join(ncsn_norm_names(), ", ")));
}

}  // namespace ascore
