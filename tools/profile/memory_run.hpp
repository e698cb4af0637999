#pragma once

#include "engine/data/dataset.hpp"
#include "engine/dist/communicator.hpp"
#include "engine/tensor/allocation_log.hpp"
#include "tools/profile/op_trace.hpp"
#include "tools/recipe/recipe.hpp"

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace ascore::tools {

/// How to run a few training steps of a recipe.
struct RunSettings {
  Device device = Device::cpu;
  DType precision = DType::f32;
  int threads = 0;
  int64_t batch = 1, steps = 3;                       ///< batch: of this process
  const Dataset* data = nullptr;                      ///< null: a dry run, which predicts from shapes alone
  size_t limit = std::numeric_limits<size_t>::max();  ///< of the pool; beyond it OutOfMemoryError
  Communicator* ranks = nullptr;                      ///< processes that train together, each doing the same
};

/// What training steps took. Bytes are the ledger's, and beside it, as workspace, what the cpu's libraries keep and
/// what the arena of the steps (ArenaAllocator) holds beyond what lives in it.
struct MemoryRun {
  size_t peak_bytes = 0;
  BytesByKind by_kind = {};                    ///< at the peak
  std::map<std::string, BytesByKind> by_path;  ///< at the peak; "" outside modules
  std::vector<BytesByKind> timeline;           ///< live bytes after each allocation and release
  size_t peak_event = 0;                       ///< where in the timeline the peak is
  size_t library_bytes = 0;                    ///< kept beside the ledger
  size_t gap_bytes = 0;                        ///< of the arena, between tensors
  int64_t parameters = 0;                      ///< trained, of both networks
  double seconds_per_step = 0;                 ///< of the last step
};

/// Trains for `settings.steps` steps as `ascore train` would, without files, previews and held-out losses. What
/// operations took goes into `trace`, if given. Throws what training throws; OutOfMemoryError.
MemoryRun run_steps(const Recipe& recipe, const RunSettings& settings, OpTrace* trace = nullptr);

}  // namespace ascore::tools
