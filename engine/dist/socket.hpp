#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace ascore::dist {

using Clock = std::chrono::steady_clock;

/// A file descriptor of a TCP socket, closed with its owner.
class Socket {
 public:
  Socket() = default;
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  ~Socket() { close(); }
  Socket(Socket&& other) noexcept : descriptor_(other.descriptor_) { other.descriptor_ = -1; }
  Socket& operator=(Socket&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  int descriptor() const { return descriptor_; }
  bool open() const { return descriptor_ >= 0; }
  void close();

  /// All of `bytes` before `deadline`; false if the connection broke or the time is up.
  bool send_all(std::span<const std::byte> bytes, Clock::time_point deadline) const;
  bool receive_all(std::span<std::byte> bytes, Clock::time_point deadline) const;
  /// A string of at most 64 KiB, with its length in front.
  bool send_words(const std::string& words, Clock::time_point deadline) const;
  bool receive_words(std::string& words, Clock::time_point deadline) const;

 private:
  int descriptor_ = -1;
};

/// Where a rank can be reached: its machine's addresses, best first, and a port. As words: "10.0.0.1,127.0.0.1 4711".
struct Endpoint {
  std::vector<std::string> hosts;
  int port = 0;
  std::string words() const;
  /// Throws DataError for other words.
  static Endpoint parse(const std::string& words);
};

/// A socket that others can connect to.
struct Listener {
  Socket socket;
  Endpoint endpoint;
};
/// On `port` of all of this machine's addresses; 0: any free one. Throws ConfigError if the port is taken.
Listener listen_on(int port);
/// The next connection, or a closed socket when the time is up.
Socket accept_from(const Listener& listener, Clock::time_point deadline);
/// A connection to a host by name or number, or a closed socket when it was refused or the time is up.
Socket connect_to(const std::string& host, int port, Clock::time_point deadline);

}  // namespace ascore::dist
