#pragma once

#include "engine/data/dataset.hpp"
#include "engine/data/loader.hpp"
#include "engine/dist/communicator.hpp"
#include "engine/training/adversarial.hpp"
#include "engine/training/checkpoint.hpp"
#include "engine/training/held_out.hpp"

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace ascore {

/// Everything a run is made of, but for networks and data.
struct TrainerConfig {
  uint64_t seed = 0;
  NoiseConfig noise = {};
  TrainingConfig training = {};
  ScoreTarget target = ScoreTarget::gaussian;
  OptimizerConfig score_optimizer = {};
  double ema = 0.9999;
  std::optional<AdversarialConfig> adversarial = {};  ///< present exactly if there is a critic
  OptimizerConfig critic_optimizer = {};
  std::optional<ValueRange> range = {};  ///< image_range(transform); absent for point data
  bool flip = false;                     ///< training images are mirrored at random
  std::string recipe = {};               ///< text that checkpoints carry
};

/// How far a run is, and how it fares.
struct Progress {
  int64_t step = 0, steps = 0;  ///< completed, and wanted in total
  /// Of the score update last looked at (TrainingConfig::log_every), and its parts.
  double loss = 0, dsm = 0, generator = 0;
  double critic = 0;        ///< of the critic update before it; 0 without a critic
  bool classifies = false;  ///< a classifier learns: `loss` is its cross-entropy, and has no parts
  /// Measured at this step, of the average on test data: DSM loss, or a classifier's cross-entropy and accuracy.
  std::optional<HeldOutLoss> held_out = {};
  int world_size = 1;             ///< processes that train together
  int64_t local_batch = 0;        ///< samples of a batch that this one takes
  double samples_per_second = 0;  ///< since this process began
  double seconds = 0, eta_seconds = 0;
};

/// Calls from inside a run; each may be empty. None can change the training.
struct TrainerObserver {
  std::function<void(const Progress&)> progress = {};  ///< after every step
  /// Every preview_every steps: the score network holds its averaged parameters and ctx is set for inference.
  std::function<void(Ctx& ctx, int64_t step)> preview = {};
  std::function<void(const std::filesystem::path& file)> saved = {};  ///< after every checkpoint
};

enum class TrainingEnd : uint8_t { finished, stopped };

/// Trains a score network, with a critic or without, on one process or several: then each takes a share of every batch,
/// losses are those of whole batches, and every rank ends with the same bits. Fully deterministic: everything random is
/// a function of seed and step, reductions have a fixed order, so equal settings, thread counts and numbers of ranks
/// give equal bits, and a resumed run equals the uninterrupted one.
///
///   Trainer trainer(ctx, config, *network, critic.get(), *data, run_folder);
///   if (auto file = latest_checkpoint(run_folder)) trainer.resume(read_checkpoint(*file));
///   trainer.run(stop, {.progress = show});
class Trainer {
 public:
  /// Networks start from config.seed. `run`: folder for metrics.jsonl, TensorBoard's event files and checkpoints, which
  /// rank 0 writes alone; empty: nothing is written. `ranks`: the processes that train together, all with the same
  /// arguments, each calling run(); absent: this one alone. Networks, data and ranks outlive the trainer. Throws
  /// ConfigError.
  Trainer(Ctx& ctx, const TrainerConfig& config, ScoreNetwork& network, Critic* critic, const Dataset& data,
          std::filesystem::path run, Communicator* ranks = nullptr);
  /// Trains a classifier of images on one process: its forward makes logits [N,K] of images, and it learns the
  /// cross-entropy of the data's labels, which lie in [0,K). Its optimizer and average are the score network's of
  /// `config`, which else says nothing of noise, score, critic or parts of batches. Throws ConfigError.
  Trainer(Ctx& ctx, const TrainerConfig& config, Module& classifier, const Dataset& data, std::filesystem::path run);
  ~Trainer();

  /// Continues from a checkpoint of the same model; what metrics.jsonl and event files hold of later steps is dropped
  /// by run(). Throws DataError; ConfigError if it was trained on another kind of device or in another precision.
  void resume(const Checkpoint& checkpoint);
  /// Trains to config.training.steps, or until `stop`, which is looked at between steps. A checkpoint is written before
  /// the first step, every checkpoint_every steps, after the last and on a stop. Throws DivergedError naming the step
  /// and what is not finite in it: a loss or a gradient (before parameters or average change), or a tensor that was to
  /// be saved. The last checkpoint stays. Several ranks stop together, where any is to stop, and diverge together; only
  /// the observer of rank 0 hears of previews and checkpoints. Throws PeerLostError, RanksDifferError.
  TrainingEnd run(const std::atomic<bool>& stop, const TrainerObserver& observer = {});

  /// For observers, inside run(): TensorBoard shows a picture u8 [H,W,C] at the current step. Nothing happens where the
  /// run has no folder.
  void show_picture(const std::string& tag, const HostTensor& picture);

  int64_t step() const;
  /// The state as a checkpoint holds it.
  Checkpoint checkpoint();
  /// DSM loss of the averaged network on test data, whose noise is the same at every call; a classifier's cross-entropy
  /// and accuracy.
  HeldOutLoss held_out_loss();
  Learner& score();
  Learner* critic();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ascore
