#include "models/registry.hpp"

#include "kernels/core/error.hpp"
#include "models/biggan.hpp"
#include "models/dcgan.hpp"
#include "models/mlp.hpp"
#include "models/ncsnv2.hpp"
#include "models/unet.hpp"

#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace ascore {

namespace {
template <class Base, class Config>
struct Entry {
  std::string name;
  std::unique_ptr<Base> (*make)(const Config&);
};

template <class Base, class Model, class Config>
std::unique_ptr<Base> make(const Config& config) {
  return std::make_unique<Model>(config);
}

using ScoreEntry = Entry<ScoreNetwork, ScoreNetworkConfig>;
using CriticEntry = Entry<Critic, CriticConfig>;

/// The lists to extend with a new model.
const std::vector<ScoreEntry>& score_networks() {
  static const std::vector<ScoreEntry> entries = {{"mlp", make<ScoreNetwork, MlpScore>},
                                                  {"ncsnv2", make<ScoreNetwork, Ncsnv2>},
                                                  {"ncsnv2_deeper", make<ScoreNetwork, Ncsnv2>},
                                                  {"ncsnv2_deepest", make<ScoreNetwork, Ncsnv2>},
                                                  {"unet", make<ScoreNetwork, UNet>}};
  return entries;
}
const std::vector<CriticEntry>& critics() {
  static const std::vector<CriticEntry> entries = {
      {"mlp", make<Critic, MlpCritic>}, {"biggan", make<Critic, BigGanCritic>}, {"dcgan", make<Critic, DcganCritic>}};
  return entries;
}

template <class Entries>
std::vector<std::string> names(const Entries& entries) {
  std::vector<std::string> all;
  for (const auto& entry : entries) all.push_back(entry.name);
  return all;
}

template <class Entries, class Config>
auto find_and_make(const Entries& entries, const Config& config, const char* what) {
  for (const auto& entry : entries) {
    if (entry.name == config.name) return entry.make(config);
  }
  throw ConfigError(
      fmt::format("{} '{}' is not known; use one of: {}", what, config.name, fmt::join(names(entries), ", ")));
}
}  // namespace

std::unique_ptr<ScoreNetwork> make_score_network(const ScoreNetworkConfig& config) {
  return find_and_make(score_networks(), config, "score network");
}

std::unique_ptr<Critic> make_critic(const CriticConfig& config) {
  return find_and_make(critics(), config, "critic");
}

const std::vector<std::string>& score_network_names() {
  static const std::vector<std::string> all = names(score_networks());
  return all;
}

const std::vector<std::string>& critic_names() {
  static const std::vector<std::string> all = names(critics());
  return all;
}

}  // namespace ascore
