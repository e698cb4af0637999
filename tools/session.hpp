#pragma once

#include "engine/autograd/context.hpp"
#include "engine/nn/interfaces.hpp"
#include "engine/nn/parameters.hpp"
#include "engine/tensor/pool_allocator.hpp"
#include "engine/training/checkpoint.hpp"
#include "samplers/score.hpp"
#include "tools/options.hpp"
#include "tools/recipe/recipe.hpp"

#include <memory>
#include <new>
#include <optional>

namespace ascore::tools {

/// A device made ready as the common options say: stream, memory, context.
class Session {
 public:
  /// `memory`: a limit for tensors. Throws DeviceError, ConfigError.
  explicit Session(const CommonOptions& options, const PoolOptions& memory = {});
  Ctx& ctx() { return ctx_; }
  /// Calls work(). Memory that the ledger does not count (what files and data take on the host) can run out too: then
  /// the error says at least who held what the ledger counts. Throws OutOfMemoryError.
  template <class Work>
  void run(Work work) {
    try {
      work();
    } catch (const std::bad_alloc&) {
      out_of_memory();
    }
  }

 private:
  [[noreturn]] void out_of_memory() const;
  Stream stream_;
  std::unique_ptr<Allocator> allocator_;
  Ctx ctx_;
};

/// A score network as a checkpoint holds it, ready for sampling.
struct LoadedModel {
  std::filesystem::path file;  ///< the checkpoint
  int64_t step = 0;
  Recipe recipe;
  std::unique_ptr<ScoreNetwork> network;
  std::optional<ParameterSet> parameters;

  /// The network's output for rows at one noise level.
  Tensor output(Ctx& ctx, const Tensor& x, double sigma) const;
  /// The estimated score (s/sigma; for `dae`: (s-x)/sigma^2).
  Tensor score(Ctx& ctx, const Tensor& x, double sigma) const;
};

/// Loads RUN|CKPT with its own recipe, changed by `overrides`; `averaged`: the moving average of the parameters.
/// Throws DataError, ConfigError.
LoadedModel load_model(Ctx& ctx, const std::filesystem::path& run_or_file, const std::vector<std::string>& overrides,
                       bool averaged);

/// The estimated score of any network (see LoadedModel::score), at a level on the host or in device memory.
Tensor estimated_score(Ctx& ctx, const ScoreNetwork& network, bool dae, const Tensor& x, const NoiseLevel& sigma);

/// f32 values, as files hold them, in the type that networks and samplers take in this context (f64 where they compute
/// in it), and back.
Tensor upload_state(Ctx& ctx, const HostTensor& values);
HostTensor download_state(Ctx& ctx, const Tensor& state);

}  // namespace ascore::tools
