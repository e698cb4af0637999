#include "engine/dist/tcp_transport.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <vector>

#include <fmt/format.h>

namespace ascore::dist {

namespace {

constexpr int kPollMilliseconds = 50;

/// Goes ahead of every message, so that ranks that have gone apart notice.
struct Header {
  uint64_t tag, bytes;
};

/// One message on its way over one socket, header first.
struct Flow {
  int rank, descriptor;
  bool sends;
  Header header;  ///< as sent, or as received
  std::byte* data;
  size_t size, done = 0;

  size_t total() const { return sizeof(Header) + size; }
  bool finished() const { return done == total(); }
  /// The next bytes to move.
  std::span<std::byte> rest() {
    if (done < sizeof(Header)) return {reinterpret_cast<std::byte*>(&header) + done, sizeof(Header) - done};
    return {data + (done - sizeof(Header)), total() - done};
  }
};

class TcpTransport final : public Transport {
 public:
  TcpTransport(std::vector<Socket> sockets, int rank) : sockets_(std::move(sockets)), rank_(rank) {}
  int rank() const override { return rank_; }
  int size() const override { return static_cast<int>(sockets_.size()); }
  std::string kind() const override { return "tcp"; }

  void exchange(uint64_t tag, std::span<const Outgoing> send, std::span<const Incoming> receive,
                const Poll& poll) override {
    std::vector<Flow> flows;
    for (const Outgoing& one : send) {
      flows.push_back({one.to,
                       descriptor(one.to),
                       true,
                       {tag, one.bytes.size()},
                       const_cast<std::byte*>(one.bytes.data()),
                       one.bytes.size()});
    }
    for (const Incoming& one : receive) {
      flows.push_back({one.from, descriptor(one.from), false, {}, one.bytes.data(), one.bytes.size()});
    }
    std::vector<pollfd> waits;
    for (;;) {
      for (Flow& flow : flows) advance(flow, tag);
      std::erase_if(flows, [](const Flow& flow) { return flow.finished(); });
      if (flows.empty()) return;
      poll();
      waits.clear();
      for (const Flow& flow : flows) {
        waits.push_back({flow.descriptor, static_cast<short>(flow.sends ? POLLOUT : POLLIN), 0});
      }
      ::poll(waits.data(), waits.size(), kPollMilliseconds);
    }
  }

  void finish() override {}
  void abort(int) noexcept override {}

 private:
  int descriptor(int rank) const { return sockets_[static_cast<size_t>(rank)].descriptor(); }

  /// Moves what can be moved without waiting.
  void advance(Flow& flow, uint64_t tag) const {
    while (!flow.finished()) {
      const std::span<std::byte> rest = flow.rest();
      const ssize_t moved = flow.sends ? ::send(flow.descriptor, rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT)
                                       : ::recv(flow.descriptor, rest.data(), rest.size(), MSG_DONTWAIT);
      if (moved < 0 && (errno == EAGAIN || errno == EINTR)) return;
      if (moved <= 0) {
        throw ConnectionLost(flow.rank, fmt::format("the connection to rank {} broke: {}", flow.rank,
                                                    moved == 0 ? "closed" : std::strerror(errno)));
      }
      const bool had_header = flow.done >= sizeof(Header);
      flow.done += static_cast<size_t>(moved);
      if (!flow.sends && !had_header && flow.done >= sizeof(Header)) check(flow, tag);
    }
  }

  void check(const Flow& flow, uint64_t tag) const {
    if (flow.header.tag == tag && flow.header.bytes == flow.size) return;
    throw Error(
        fmt::format("ranks have gone apart: rank {} expects {} bytes of operation {} from rank {}, which sent {} "
                    "bytes of operation {}",
                    rank_, flow.size, tag, flow.rank, flow.header.bytes, flow.header.tag));
  }

  std::vector<Socket> sockets_;
  int rank_;
};

}  // namespace

std::unique_ptr<Transport> make_tcp_transport(const Meeting& meeting, int rank, int size) {
  return std::make_unique<TcpTransport>(meet(meeting, rank, size), rank);
}

}  // namespace ascore::dist
