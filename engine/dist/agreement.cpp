#include "engine/dist/communicator.hpp"

namespace ascore {

std::optional<int> first_differing_rank(Communicator& ranks, uint64_t hash) {
  const std::vector<std::string> all = ranks.exchange(std::to_string(hash));
  for (size_t rank = 1; rank < all.size(); ++rank) {
    if (all[rank] != all[0]) return static_cast<int>(rank);
  }
  return std::nullopt;
}

}  // namespace ascore
