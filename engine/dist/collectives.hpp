#pragma once

#include "engine/dist/transport.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ascore::dist {

/// One collective operation under way: its transport, the tag of its messages, and what may break it off.
struct Collective {
  Transport& transport;
  uint64_t tag;
  const Transport::Poll& poll;

  int rank() const { return transport.rank(); }
  int size() const { return transport.size(); }
  void exchange(std::span<const Outgoing> send, std::span<const Incoming> receive) const {
    transport.exchange(tag, send, receive, poll);
  }
};

/// Dissemination barrier (Hensgen, Finkel & Manber 1988): ceil(log2 size) rounds.
void barrier(const Collective& ranks);

/// Along a binomial tree: ceil(log2 size) rounds.
void broadcast(const Collective& ranks, std::span<std::byte> bytes, int root);

/// values <- sum over ranks, in rank order: ((v0 + v1) + v2) + ... Each rank gets all ranks' values of one segment,
/// adds them, and sends the sums to all: 2 (size - 1) / size of the bytes leave each rank. Which bits come out depends
/// on the values alone. `scratch` grows to the bytes that are received.
template <class T>
void all_reduce_sum(const Collective& ranks, std::span<T> values, std::vector<std::byte>& scratch);

/// pieces[r] <- rank r's `mine`. Sizes are known on all ranks; pieces[rank] is written too.
void all_gather(const Collective& ranks, std::span<const std::byte> mine, std::span<const std::span<std::byte>> pieces);

/// Every rank's words, of any length.
std::vector<std::string> all_gather_words(const Collective& ranks, std::string_view mine);

/// The root's words.
std::string broadcast_words(const Collective& ranks, std::string words, int root);

}  // namespace ascore::dist
