#include "engine/dist/collectives.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace ascore::dist {

namespace {

constexpr size_t kBlock = 2048;  // elements added at a time: a block of sums stays in the cache

/// Where segment `part` of `parts` begins.
size_t segment(size_t count, int part, int parts) {
  return count * static_cast<size_t>(part) / static_cast<size_t>(parts);
}

/// out[i] <- ((terms[0][i] + terms[1][i]) + ...); `out` may be one of the terms.
template <class T>
void add_in_order(const std::vector<const T*>& terms, size_t count, T* out) {
  std::array<T, kBlock> sums;
  for (size_t begin = 0; begin < count; begin += kBlock) {
    const size_t n = std::min(kBlock, count - begin);
    std::copy_n(terms[0] + begin, n, sums.begin());
    for (size_t term = 1; term < terms.size(); ++term) {
      const T* values = terms[term] + begin;
      for (size_t i = 0; i < n; ++i) sums[i] += values[i];
    }
    std::copy_n(sums.begin(), n, out + begin);
  }
}

}  // namespace

void barrier(const Collective& ranks) {
  const int size = ranks.size();
  std::byte sent{}, received{};
  for (int distance = 1; distance < size; distance *= 2) {
    const Outgoing send{(ranks.rank() + distance) % size, {&sent, 1}};
    const Incoming receive{(ranks.rank() + size - distance) % size, {&received, 1}};
    ranks.exchange({&send, 1}, {&receive, 1});
  }
}

void broadcast(const Collective& ranks, std::span<std::byte> bytes, int root) {
  const int size = ranks.size(), place = (ranks.rank() + size - root) % size;  // the root's place is 0
  if (bytes.empty()) return;
  const auto rank_at = [&](int p) { return (p + root) % size; };
  // A place's parent is the place without its lowest set bit; its children are those that differ in a lower one.
  int lowest = 1;
  while (lowest < size && !(place & lowest)) lowest *= 2;
  if (place != 0) {
    const Incoming receive{rank_at(place - lowest), bytes};
    ranks.exchange({}, {&receive, 1});
  }
  for (int bit = lowest / 2; bit > 0; bit /= 2) {
    if (place + bit >= size) continue;
    const Outgoing send{rank_at(place + bit), bytes};
    ranks.exchange({&send, 1}, {});
  }
}

template <class T>
void all_reduce_sum(const Collective& ranks, std::span<T> values, std::vector<std::byte>& scratch) {
  const int size = ranks.size(), me = ranks.rank();
  const auto part = [&](int r) {
    const size_t begin = segment(values.size(), r, size);
    return values.subspan(begin, segment(values.size(), r + 1, size) - begin);
  };
  const std::span<T> mine = part(me);
  const size_t others = static_cast<size_t>(size - 1);
  if (scratch.size() < others * mine.size_bytes()) scratch.resize(others * mine.size_bytes());

  std::vector<Outgoing> send;
  std::vector<Incoming> receive;
  std::vector<const T*> terms;
  std::byte* room = scratch.data();
  for (int r = 0; r < size; ++r) {
    if (r == me) {
      terms.push_back(mine.data());
      continue;
    }
    if (!part(r).empty()) send.push_back({r, std::as_bytes(part(r))});
    if (mine.empty()) continue;
    receive.push_back({r, {room, mine.size_bytes()}});
    terms.push_back(reinterpret_cast<const T*>(room));
    room += mine.size_bytes();
  }
  ranks.exchange(send, receive);
  if (!mine.empty()) add_in_order(terms, mine.size(), mine.data());

  send.clear();
  receive.clear();
  for (int r = 0; r < size; ++r) {
    if (r == me) continue;
    if (!mine.empty()) send.push_back({r, std::as_bytes(mine)});
    if (!part(r).empty()) receive.push_back({r, std::as_writable_bytes(part(r))});
  }
  ranks.exchange(send, receive);
}
template void all_reduce_sum(const Collective&, std::span<float>, std::vector<std::byte>&);
template void all_reduce_sum(const Collective&, std::span<double>, std::vector<std::byte>&);

void all_gather(const Collective& ranks, std::span<const std::byte> mine,
                std::span<const std::span<std::byte>> pieces) {
  std::vector<Outgoing> send;
  std::vector<Incoming> receive;
  for (int r = 0; r < ranks.size(); ++r) {
    const std::span<std::byte> piece = pieces[static_cast<size_t>(r)];
    if (r == ranks.rank()) {
      if (!mine.empty()) std::memcpy(piece.data(), mine.data(), mine.size());
      continue;
    }
    if (!mine.empty()) send.push_back({r, mine});
    if (!piece.empty()) receive.push_back({r, piece});
  }
  ranks.exchange(send, receive);
}

std::vector<std::string> all_gather_words(const Collective& ranks, std::string_view mine) {
  const size_t size = static_cast<size_t>(ranks.size());
  const uint64_t length = mine.size();
  std::vector<uint64_t> lengths(size);
  std::vector<std::span<std::byte>> pieces;
  for (uint64_t& one : lengths) pieces.push_back(std::as_writable_bytes(std::span(&one, 1)));
  all_gather(ranks, std::as_bytes(std::span(&length, 1)), pieces);

  std::vector<std::string> words(size);
  pieces.clear();
  for (size_t r = 0; r < size; ++r) {
    words[r].resize(lengths[r]);
    pieces.push_back(std::as_writable_bytes(std::span(words[r])));
  }
  all_gather(ranks, std::as_bytes(std::span(mine)), pieces);
  return words;
}

std::string broadcast_words(const Collective& ranks, std::string words, int root) {
  uint64_t length = words.size();
  broadcast(ranks, std::as_writable_bytes(std::span(&length, 1)), root);
  words.resize(length);
  broadcast(ranks, std::as_writable_bytes(std::span(words)), root);
  return words;
}

}  // namespace ascore::dist
