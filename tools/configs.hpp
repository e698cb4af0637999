#pragma once

#include "engine/data/dataset.hpp"
#include "engine/training/trainer.hpp"
#include "models/classifier.hpp"
#include "models/critic.hpp"
#include "models/score_network.hpp"
#include "samplers/sampling.hpp"
#include "tools/recipe/recipe.hpp"

namespace ascore::tools {

/// What each layer needs to know of a recipe. That of a score network throws ConfigError for a classifier's recipe,
/// that of a classifier for any other.
DataConfig data_config(const Recipe& recipe);
NoiseConfig noise_config(const Recipe& recipe);
ScoreNetworkConfig score_network_config(const Recipe& recipe);
CriticConfig critic_config(const Recipe& recipe);
ClassifierConfig classifier_config(const Recipe& recipe);
TrainerConfig trainer_config(const Recipe& recipe);
SamplingConfig sampling_config(const Recipe& recipe);

/// [H,W,C], or [2] for points: without opening the data.
Shape sample_shape(const Recipe& recipe);

}  // namespace ascore::tools
