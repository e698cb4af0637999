#pragma once

#include "engine/io/host_tensor.hpp"
#include "engine/training/learner.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace ascore {

/// One state of a training run, in host memory. Names of tensors: `score.NAME` (parameters and buffers of the live
/// network), `ema.NAME` (averaged parameters), `critic.NAME`, `optimizer.score.NAME`, `optimizer.critic.NAME`; of a run
/// that trains a classifier `classifier` stands for `score`.
struct Checkpoint {
  int64_t step = 0;                                ///< completed iterations
  uint64_t seed = 0;                               ///< of all random streams, whose counters are functions of the step
  int64_t data_position = 0;                       ///< batches taken from the training data
  int threads = 0;                                 ///< of the run: equal bits need an equal number
  std::string device, precision;                   ///< of the run: "cpu", "f32"
  std::string recipe;                              ///< the resolved recipe's text
  std::map<std::string, int64_t> optimizer_steps;  ///< "score", "critic": updates done
  std::map<std::string, HostTensor> tensors;
};

/// Writes one safetensors file, atomically, with the settings and a checksum over settings and tensors in its metadata.
/// The bytes are a function of the checkpoint alone. Throws DiskError. Given for good (std::move), it is not copied.
void write_checkpoint(const std::filesystem::path& file, Checkpoint checkpoint);
/// Reads and verifies a checkpoint. Throws DataError, in one line: missing, truncated, damaged, or no checkpoint of
/// this program.
Checkpoint read_checkpoint(const std::filesystem::path& file);

/// RUN/checkpoints/step-000500.safetensors
std::filesystem::path checkpoint_file(const std::filesystem::path& run, int64_t step);
/// Writes RUN/checkpoints/step-N.safetensors, then points RUN/checkpoints/latest at it, then removes all but the newest
/// `keep` up to this step (0: keeps all). A kill between any two leaves `latest` naming a whole checkpoint.
void save_checkpoint(const std::filesystem::path& run, Checkpoint checkpoint, int64_t keep = 0);
/// The file that `latest` names; nothing if the run has no checkpoint yet. Throws DataError if it names a missing file.
std::optional<std::filesystem::path> latest_checkpoint(const std::filesystem::path& run);
/// The newest checkpoint beside `file` that is older than it; nothing if there is none.
std::optional<std::filesystem::path> checkpoint_before(const std::filesystem::path& file);
/// The checkpoint that RUN|CKPT means: the file itself, the one that a file called `latest` names, or the latest of a
/// run folder. Throws DataError.
std::filesystem::path find_checkpoint(const std::filesystem::path& run_or_file);

/// Copies a learner's parameters, buffers, average and optimizer state under `role` ("score", "critic", "classifier").
void store_learner(Ctx& ctx, const Learner& learner, const std::string& role, Checkpoint& into);
/// The inverse. Throws DataError, naming the tensor, if one is missing or of another shape, or if the checkpoint has
/// tensors of this role that the model has not: a checkpoint of another model.
void load_learner(Ctx& ctx, Learner& learner, const std::string& role, const Checkpoint& from);

/// Loads a score network for sampling: averaged parameters (or the raw ones) and the live network's buffers. Throws
/// DataError as load_learner.
void load_score_network(Ctx& ctx, ParameterSet& parameters, const Checkpoint& from, bool averaged);
/// Loads a classifier for looking at images: averaged parameters. Throws DataError as load_learner.
void load_classifier(Ctx& ctx, ParameterSet& parameters, const Checkpoint& from);

}  // namespace ascore
