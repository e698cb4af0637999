#pragma once

#include "engine/nn/parameters.hpp"

#include <utility>
#include <vector>

namespace ascore {

/// A network's buffers (vectors of spectral norms) as they are now. Parts of a batch each start from them, so that they
/// advance once in an update, and as for the whole batch.
class HeldBuffers {
 public:
  HeldBuffers(Ctx& ctx, const ParameterSet& set);
  void restore(Ctx& ctx) const;

 private:
  std::vector<std::pair<Tensor, Tensor>> held_;  ///< buffer, copy
};

}  // namespace ascore
