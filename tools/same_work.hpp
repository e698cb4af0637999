#pragma once

#include "engine/dist/communicator.hpp"
#include "tools/options.hpp"
#include "tools/recipe/recipe.hpp"

#include <string>
#include <string_view>

namespace ascore::tools {

/// What a rank is about to do, where ranks must not differ: facts in one order on all of them.
class Work {
 public:
  /// This build, and the device and precision that the options mean.
  explicit Work(const CommonOptions& options);
  void add(std::string_view name, std::string_view value);
  /// Every key but data.path: each machine has its own folders.
  void add(const Recipe& recipe);
  const std::string& lines() const { return lines_; }

 private:
  std::string lines_;  ///< "name = value", each
};

/// Throws AgreedFailure on all ranks unless all are about to do the same: an error of usage that names the first rank
/// that differs from rank 0, and in what. Otherwise the ranks of a job that somebody starts by hand, or with an old
/// recipe on one machine, train on with sums of different gradients.
void require_same_work(Communicator& ranks, const Work& work);

}  // namespace ascore::tools
