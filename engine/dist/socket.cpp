#include "engine/dist/socket.hpp"

#include "kernels/core/error.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fmt/format.h>

namespace ascore::dist {

namespace {

constexpr uint32_t kMostWords = 1 << 16;

/// True when the socket is ready for `events`; false when the time is up.
bool wait_for(int descriptor, short events, Clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return false;
    pollfd one{descriptor, events, 0};
    const int ready = ::poll(&one, 1, static_cast<int>(std::min<int64_t>(left, 60'000)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

/// Moves all bytes by `step(data, size)`, a non-blocking send or recv.
template <class Step>
bool move_all(int descriptor, short events, size_t size, Clock::time_point deadline, Step step) {
  for (size_t done = 0; done < size;) {
    const ssize_t moved = step(done, size - done);
    if (moved > 0) {
      done += static_cast<size_t>(moved);
    } else if (moved == 0 || (errno != EAGAIN && errno != EINTR)) {
      return false;
    } else if (!wait_for(descriptor, events, deadline)) {
      return false;
    }
  }
  return true;
}

void set_options(int descriptor) {
  const int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/// The machine's IPv4 addresses, the loopback's last.
std::vector<std::string> own_addresses() {
  std::vector<std::string> hosts;
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) == 0) {
    for (const ifaddrs* one = all; one; one = one->ifa_next) {
      if (!one->ifa_addr || one->ifa_addr->sa_family != AF_INET) continue;
      if (!(one->ifa_flags & IFF_UP) || (one->ifa_flags & IFF_LOOPBACK)) continue;
      std::array<char, INET_ADDRSTRLEN> text{};
      const auto* address = reinterpret_cast<const sockaddr_in*>(one->ifa_addr);
      if (inet_ntop(AF_INET, &address->sin_addr, text.data(), text.size())) hosts.emplace_back(text.data());
    }
    freeifaddrs(all);
  }
  hosts.emplace_back("127.0.0.1");
  return hosts;
}

}  // namespace

void Socket::close() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

bool Socket::send_all(std::span<const std::byte> bytes, Clock::time_point deadline) const {
  return move_all(descriptor_, POLLOUT, bytes.size(), deadline, [&](size_t at, size_t count) {
    return ::send(descriptor_, bytes.data() + at, count, MSG_NOSIGNAL | MSG_DONTWAIT);
  });
}

bool Socket::receive_all(std::span<std::byte> bytes, Clock::time_point deadline) const {
  return move_all(descriptor_, POLLIN, bytes.size(), deadline,
                  [&](size_t at, size_t count) { return ::recv(descriptor_, bytes.data() + at, count, MSG_DONTWAIT); });
}

bool Socket::send_words(const std::string& words, Clock::time_point deadline) const {
  const uint32_t length = static_cast<uint32_t>(words.size());
  return length <= kMostWords && send_all(std::as_bytes(std::span(&length, 1)), deadline) &&
         send_all(std::as_bytes(std::span(words)), deadline);
}

bool Socket::receive_words(std::string& words, Clock::time_point deadline) const {
  uint32_t length = 0;
  if (!receive_all(std::as_writable_bytes(std::span(&length, 1)), deadline) || length > kMostWords) return false;
  words.resize(length);
  return receive_all(std::as_writable_bytes(std::span(words)), deadline);
}

std::string Endpoint::words() const {
  return fmt::format("{} {}", fmt::join(hosts, ","), port);
}

Endpoint Endpoint::parse(const std::string& words) {
  Endpoint endpoint;
  const size_t space = words.find(' ');
  const char* end = words.data() + words.size();
  if (space == std::string::npos || std::from_chars(words.data() + space + 1, end, endpoint.port).ptr != end ||
      endpoint.port < 1 || endpoint.port > 65535) {
    throw DataError(fmt::format("'{}' does not say where a rank can be reached", words));
  }
  for (size_t begin = 0; begin < space;) {
    const size_t comma = std::min(words.find(',', begin), space);
    endpoint.hosts.push_back(words.substr(begin, comma - begin));
    begin = comma + 1;
  }
  return endpoint;
}

Listener listen_on(int port) {
  Listener listener{Socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)), {}};
  const int descriptor = listener.socket.descriptor(), on = 1;
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_ANY);
  address.sin_port = htons(static_cast<uint16_t>(port));
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (descriptor < 0 || ::bind(descriptor, generic, length) != 0 || ::listen(descriptor, SOMAXCONN) != 0 ||
      ::getsockname(descriptor, generic, &length) != 0) {
    throw ConfigError(
        fmt::format("port {}: cannot wait for ranks there: {}; choose another port", port, std::strerror(errno)));
  }
  listener.endpoint = {own_addresses(), ntohs(address.sin_port)};
  return listener;
}

Socket accept_from(const Listener& listener, Clock::time_point deadline) {
  while (wait_for(listener.socket.descriptor(), POLLIN, deadline)) {
    const int descriptor = ::accept4(listener.socket.descriptor(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (descriptor < 0) continue;  // gone again before it was taken
    set_options(descriptor);
    return Socket(descriptor);
  }
  return {};
}

Socket connect_to(const std::string& host, int port, Clock::time_point deadline) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  if (getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return {};
  Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int started = ::connect(socket.descriptor(), found->ai_addr, found->ai_addrlen);
  const bool under_way = started != 0 && errno == EINPROGRESS;
  freeaddrinfo(found);
  if (started != 0 && !(under_way && wait_for(socket.descriptor(), POLLOUT, deadline))) return {};
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(socket.descriptor(), SOL_SOCKET, SO_ERROR, &error, &length) != 0 || error != 0) return {};
  set_options(socket.descriptor());
  return socket;
}

}  // namespace ascore::dist
