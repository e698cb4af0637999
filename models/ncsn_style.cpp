#include "models/ncsn_style.hpp"

#include "kernels/core/error.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace ascore {

namespace {
class NoNorm final : public Module {
 public:
  Tensor forward(Ctx&, const Tensor& x) const override { return x; }
};

struct NormEntry {
  std::string name;
  Module* (*add)(Module& module, std::string name, int64_t channels);
};

template <class Norm>
Module* add_of(Module& module, std::string name, int64_t channels) {
  return module.add<Norm>(std::move(name), channels);
}

const std::vector<NormEntry>& norms() {
  static const std::vector<NormEntry> entries = {{"instance_norm_plus", add_of<InstanceNormPlus>},
                                                 {"none", [](Module& module, std::string name, int64_t) -> Module* {
                                                    return module.add<NoNorm>(std::move(name));
                                                  }}};
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

Module* add_norm(Module& module, const NcsnStyle& style, std::string name, int64_t channels) {
  for (const NormEntry& entry : norms()) {
    if (entry.name == style.norm) return entry.add(module, std::move(name), channels);
  }
  throw ConfigError(
      fmt::format("norm '{}' is not known; use one of: {}", style.norm, fmt::join(ncsn_norm_names(), ", ")));
}

}  // namespace ascore
