#pragma once

#include "models/critic.hpp"
#include "models/score_network.hpp"

#include <memory>
#include <string>
#include <vector>

namespace ascore {

/// The score network of that name. Throws ConfigError: an unknown name (the message lists the known ones), or options
/// that the network does not have.
std::unique_ptr<ScoreNetwork> make_score_network(const ScoreNetworkConfig& config);
/// The critic of that name; errors as above.
std::unique_ptr<Critic> make_critic(const CriticConfig& config);

/// Names that make_score_network and make_critic know, for help texts and errors.
const std::vector<std::string>& score_network_names();
const std::vector<std::string>& critic_names();

}  // namespace ascore
