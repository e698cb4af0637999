#pragma once

#include "engine/io/safetensors.hpp"

#include <set>
#include <string>
#include <vector>

namespace ascore::test {

/// One file of reference numbers, tests/data/golden/NAME.safetensors (or, of those too large for the repository, in the
/// folder that the environment's ASCORE_GOLDEN names), that keeps account of what a test took from it:
/// a golden test ends with check_all_used(), so that no tensor is ever quietly left uncompared.
class GoldenFile {
 public:
  explicit GoldenFile(const std::string& name);

  /// A tensor as stored (PyTorch's layouts). Counts as used; fails the test if there is none of this name.
  const HostTensor& tensor(const std::string& name);
  /// The same with the channels moved last: NCHW to NHWC, OIHW to OHWI; of lower rank as stored.
  HostTensor channels_last(const std::string& name);
  /// The elements as double, as stored or with channels last.
  std::vector<double> values(const std::string& name);
  std::vector<double> values_channels_last(const std::string& name);
  /// A tensor of one element.
  double scalar(const std::string& name);

  bool has(const std::string& name) const { return file_.tensors.contains(name); }
  /// All names that begin with `prefix`, sorted. Does not count as use.
  std::vector<std::string> names(const std::string& prefix = "") const;
  /// A metadata text; fails the test if it is absent.
  const std::string& metadata(const std::string& key) const;

  /// Fails the test, naming every tensor that was never taken.
  void check_all_used() const;

 private:
  std::string name_;
  SafetensorsFile file_;
  std::set<std::string> used_;
};

}  // namespace ascore::test
