#include "engine/dist/shared_failure.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace ascore::dist {

void throw_together(Communicator& ranks, const std::string& mine) {
  const std::vector<std::string> all = ranks.exchange(mine);
  const auto failed = std::ranges::find_if(all, [](const std::string& words) { return !words.empty(); });
  if (failed == all.end()) return;
  const auto number = static_cast<int>(failed - all.begin());
  const std::string who = ranks.size() > 1 ? fmt::format("rank {}: ", number) : "";
  const bool speaks = ranks.rank() == number;
  ranks.finish();
  throw SharedDeviceError(who + *failed, speaks);
}

}  // namespace ascore::dist
