#include "engine/dist/rendezvous.hpp"

#include "engine/io/atomic_file.hpp"
#include "kernels/core/error.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <random>
#include <sstream>
#include <thread>

#include <fmt/format.h>

namespace ascore::dist {

namespace {

constexpr auto kRetry = std::chrono::milliseconds(50);
constexpr auto kAnswer = std::chrono::seconds(5);  // to connect, and to say a line that is due at once

Clock::time_point after(double seconds) {
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

Clock::time_point soon(Clock::time_point deadline) {
  return std::min(deadline, Clock::now() + kAnswer);
}

std::vector<std::string> fields_of(const std::string& words, char separator) {
  std::vector<std::string> fields;
  std::istringstream stream(words);
  for (std::string field; std::getline(stream, field, separator);) fields.push_back(field);
  return fields;
}

std::optional<int> number(const std::string& word) {
  int value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return value;
}

/// "rank 3" or "ranks 0, 3": those without a connection; empty if all have one.
std::string missing(const std::vector<Socket>& sockets, int self) {
  std::vector<int> ranks;
  for (int r = 0; r < static_cast<int>(sockets.size()); ++r) {
    if (r != self && !sockets[static_cast<size_t>(r)].open()) ranks.push_back(r);
  }
  if (ranks.empty()) return "";
  return fmt::format("rank{} {}", ranks.size() == 1 ? "" : "s", fmt::join(ranks, ", "));
}

/// The first of the endpoint's addresses that answers as `greeting` expects.
Socket call(const Endpoint& endpoint, const std::string& greeting, Clock::time_point deadline) {
  do {
    for (const std::string& host : endpoint.hosts) {
      Socket socket = connect_to(host, endpoint.port, soon(deadline));
      std::string answer;
      if (socket.open() && socket.send_words(greeting, soon(deadline)) && socket.receive_words(answer, deadline) &&
          answer == "welcome") {
        return socket;
      }
    }
    std::this_thread::sleep_for(kRetry);
  } while (Clock::now() < deadline);
  return {};
}

/// Takes calls of the ranks in [first, size) until all are there.
void take_calls(const Listener& listener, const std::string& secret, int first, std::vector<Socket>& sockets,
                Clock::time_point deadline) {
  const int size = static_cast<int>(sockets.size());
  for (int left = size - first; left > 0;) {
    Socket socket = accept_from(listener, deadline);
    if (!socket.open()) return;
    std::string greeting;
    if (!socket.receive_words(greeting, soon(deadline))) continue;
    const std::vector<std::string> fields = fields_of(greeting, ' ');
    if (fields.size() != 2 || fields[0] != secret) continue;  // not one of this job
    const std::optional<int> rank = number(fields[1]);
    if (!rank || *rank < first || *rank >= size || !socket.send_words("welcome", soon(deadline))) continue;
    Socket& place = sockets[static_cast<size_t>(*rank)];
    if (!place.open()) --left;
    place = std::move(socket);
  }
}

/// Where rank 0 waits, as the file says: empty while it does not.
std::string read_if_there(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  return line;
}

struct Table {
  std::string secret;
  std::vector<Endpoint> endpoints;  ///< of ranks 0, 1, ...; that of rank 0 is not used
};

/// Rank 0: takes all ranks' addresses, and answers each with the whole list.
Table take_addresses(const Meeting& meeting, const Listener& listener, std::vector<Socket>& sockets,
                     Clock::time_point deadline) {
  const int size = static_cast<int>(sockets.size());
  Table table{make_secret(), std::vector<Endpoint>(sockets.size())};
  const auto refuse = [&](Socket& socket, const std::string& why) {
    socket.send_words(fmt::format("refused {}", why), soon(deadline));
    for (const Socket& other : sockets) {
      if (other.open()) other.send_words(fmt::format("refused {}", why), soon(deadline));
    }
    throw ConfigError(why);
  };
  for (int left = size - 1; left > 0;) {
    Socket socket = accept_from(listener, deadline);
    if (!socket.open()) {
      throw Error(fmt::format("rendezvous: {} did not come within {:g} s", missing(sockets, 0), meeting.timeout));
    }
    std::string greeting;
    if (!socket.receive_words(greeting, soon(deadline))) continue;
    const std::vector<std::string> fields = fields_of(greeting, '|');
    if (fields.size() != 4 || fields[0] != "ascore") continue;
    const std::optional<int> rank = number(fields[1]), their_size = number(fields[2]);
    if (!rank || !their_size) continue;
    if (*their_size != size) {
      refuse(socket,
             fmt::format("rendezvous: rank {} says there are {} ranks, rank 0 says {}", *rank, *their_size, size));
    }
    if (*rank < 1 || *rank >= size || sockets[static_cast<size_t>(*rank)].open()) {
      refuse(socket, fmt::format("rendezvous: two processes say that they are rank {}", *rank));
    }
    table.endpoints[static_cast<size_t>(*rank)] = Endpoint::parse(fields[3]);
    sockets[static_cast<size_t>(*rank)] = std::move(socket);
    --left;
  }
  std::string answer = fmt::format("table|{}", table.secret);
  for (int r = 1; r < size; ++r) answer += fmt::format("|{}", table.endpoints[static_cast<size_t>(r)].words());
  for (int r = 1; r < size; ++r) {
    if (!sockets[static_cast<size_t>(r)].send_words(answer, soon(deadline))) {
      throw Error(fmt::format("rendezvous: rank {} left before all ranks were there", r));
    }
  }
  return table;
}

/// The others: says where this rank waits, and gets the list when all have come.
Table give_address(const Meeting& meeting, const Listener& listener, int rank, std::vector<Socket>& sockets,
                   Clock::time_point deadline) {
  const std::string greeting = fmt::format("ascore|{}|{}|{}", rank, sockets.size(), listener.endpoint.words());
  while (Clock::now() < deadline) {
    Endpoint root{{meeting.host}, meeting.port};
    if (!meeting.file.empty()) {
      const std::string line = read_if_there(meeting.file);
      root = line.empty() ? Endpoint{} : Endpoint::parse(line);
    }
    for (const std::string& host : root.hosts) {
      Socket socket = connect_to(host, root.port, soon(deadline));
      std::string answer;
      if (!socket.open() || !socket.send_words(greeting, soon(deadline))) continue;
      if (!socket.receive_words(answer, deadline)) continue;  // not our rank 0, or it is gone: a file of an earlier job
      std::vector<std::string> fields = fields_of(answer, '|');
      if (answer.starts_with("refused ")) throw ConfigError(answer.substr(8));
      if (fields.size() != sockets.size() + 1 || fields[0] != "table") continue;
      Table table{fields[1], std::vector<Endpoint>(sockets.size())};
      for (size_t r = 1; r < sockets.size(); ++r) table.endpoints[r] = Endpoint::parse(fields[r + 1]);
      sockets[0] = std::move(socket);
      return table;
    }
    std::this_thread::sleep_for(kRetry);
  }
  const std::string where = meeting.file.empty() ? fmt::format("{}:{}", meeting.host, meeting.port)
                                                 : fmt::format("the address in {}", meeting.file.string());
  throw Error(
      fmt::format("rendezvous: rank {} was not answered by rank 0 at {} within {:g} s", rank, where, meeting.timeout));
}

}  // namespace

std::string make_secret() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}", device(), device());
}

std::vector<Socket> meet(const Meeting& meeting, int rank, int size) {
  const Clock::time_point deadline = after(meeting.timeout);
  std::vector<Socket> sockets(static_cast<size_t>(size));
  const Listener listener = listen_on(rank == 0 && meeting.file.empty() ? meeting.port : 0);
  if (rank == 0) {
    if (!meeting.file.empty()) write_file_atomically(meeting.file, listener.endpoint.words() + "\n");
    take_addresses(meeting, listener, sockets, deadline);
    std::error_code ignored;
    if (!meeting.file.empty()) std::filesystem::remove(meeting.file, ignored);
    return sockets;
  }
  const Table table = give_address(meeting, listener, rank, sockets, deadline);
  // Calls downward first: a lower rank that is not listening yet keeps the call in its queue, but its welcome comes
  // only once it takes calls. Rank 1 calls nobody, so it takes calls at once, then rank 2, and so on.
  for (int r = 1; r < rank; ++r) {
    Socket socket = call(table.endpoints[static_cast<size_t>(r)], fmt::format("{} {}", table.secret, rank), deadline);
    sockets[static_cast<size_t>(r)] = std::move(socket);
  }
  take_calls(listener, table.secret, rank + 1, sockets, deadline);
  if (const std::string absent = missing(sockets, rank); !absent.empty()) {
    throw Error(fmt::format("rendezvous: rank {} and {} did not reach each other within {:g} s", rank, absent,
                            meeting.timeout));
  }
  return sockets;
}

std::vector<Socket> meet_at_root(const Listener* listener, const Endpoint& endpoint, const std::string& secret,
                                 int rank, int size, double timeout) {
  const Clock::time_point deadline = after(timeout);
  std::vector<Socket> sockets(static_cast<size_t>(rank == 0 ? size : 1));
  if (rank == 0) {
    take_calls(*listener, secret, 1, sockets, deadline);
    if (const std::string absent = missing(sockets, 0); !absent.empty()) {
      throw Error(fmt::format("heartbeat: {} did not reach rank 0 within {:g} s", absent, timeout));
    }
    return sockets;
  }
  sockets[0] = call(endpoint, fmt::format("{} {}", secret, rank), deadline);
  if (!sockets[0].open()) {
    throw Error(
        fmt::format("heartbeat: rank {} did not reach rank 0 at {} within {:g} s", rank, endpoint.words(), timeout));
  }
  return sockets;
}

}  // namespace ascore::dist
