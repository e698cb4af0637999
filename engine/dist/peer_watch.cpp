#include "engine/dist/peer_watch.hpp"

#include "engine/dist/rendezvous.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <poll.h>
#include <sys/socket.h>

#include <fmt/format.h>

namespace ascore::dist {

namespace {

constexpr double kMeeting = 20;  // seconds that ranks may take to find rank 0, when they have found each other before
constexpr auto kVerdict = std::chrono::seconds(3);  // what word of a lost rank takes to go around
constexpr double kFarewell = 2;  // seconds that a rank that leaves waits for the others to have read why
constexpr int kOwnFault = 6;     // the exit code that others are told of for a fault of this rank's device
constexpr auto kAtOnce = std::chrono::milliseconds(200);

enum class Kind : int32_t { alive, goodbye, closed, stalled, failed };

double seconds(Clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

/// What goes over a line: of the rank that speaks (alive, goodbye, failed) or of one that is gone.
struct PeerWatch::Message {
  Kind kind;
  int32_t rank;
  int32_t exit_code;  ///< failed
};

struct PeerWatch::Peer {
  int rank;
  Socket socket;
  Clock::time_point heard = Clock::now();
  bool watched = true;
  std::array<std::byte, sizeof(Message)> piece{};
  size_t received = 0;
};

PeerWatch::PeerWatch(const Collective& ranks, double timeout, WatchCalls calls)
    : rank_(ranks.rank()), timeout_(timeout), calls_(std::move(calls)) {
  std::optional<Listener> listener;
  std::string line;
  if (rank_ == 0) {
    listener = listen_on(0);
    line = fmt::format("{} {}", make_secret(), listener->endpoint.words());
  }
  line = broadcast_words(ranks, line, 0);
  const size_t space = line.find(' ');
  std::vector<Socket> lines = meet_at_root(listener ? &*listener : nullptr, Endpoint::parse(line.substr(space + 1)),
                                           line.substr(0, space), rank_, ranks.size(), kMeeting);
  for (size_t r = 0; r < lines.size(); ++r) {
    if (lines[r].open()) peers_.push_back({.rank = static_cast<int>(r), .socket = std::move(lines[r])});
  }
  watched_ = peers_.size();
  thread_ = std::thread([this] { watch(); });
}

PeerWatch::~PeerWatch() {
  stop();
}

void PeerWatch::stop() {
  stopped_ = true;
  if (thread_.joinable()) thread_.join();
}

std::optional<Loss> PeerWatch::loss() const {
  const std::lock_guard lock(mutex_);
  return loss_;
}

double PeerWatch::seconds_since_loss() const {
  const std::lock_guard lock(mutex_);
  return loss_ ? seconds(Clock::now() - lost_at_) : 0;
}

Loss PeerWatch::loss_behind(int suspect) {
  std::unique_lock lock(mutex_);
  if (!lost_.wait_for(lock, kVerdict, [this] { return loss_.has_value(); })) {
    loss_ = Loss{suspect, "its connection broke"};
    lost_at_ = Clock::now();
  }
  return *loss_;
}

// Whoever closes a line while something unread lies in it takes back what it said last. So rank 0 waits for the others'
// goodbyes before it says its own, and they wait for that.
void PeerWatch::say_goodbye() {
  leaving_ = true;
  const Message goodbye{Kind::goodbye, rank_, 0};
  if (rank_ != 0) tell(goodbye);
  wait_until_unwatched(timeout_);
  if (rank_ == 0) tell(goodbye);
  stop();
}

void PeerWatch::say_failed(int exit_code) {
  leaving_ = true;
  // Whoever leaves because of another rank says whose fault it is.
  const std::optional<Loss> reason = loss();
  tell(reason ? Message{Kind::closed, reason->rank, 0} : Message{Kind::failed, rank_, exit_code});
  for (Peer& peer : peers_) ::shutdown(peer.socket.descriptor(), SHUT_WR);
  wait_until_unwatched(kFarewell);
  stop();
}

void PeerWatch::wait_until_unwatched(double limit) const {
  const auto begin = Clock::now();
  while (watched_ > 0 && seconds(Clock::now() - begin) < limit)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

void PeerWatch::unwatch(Peer& peer) {
  peer.watched = false;
  --watched_;
}

void PeerWatch::tell(const Message& message) {
  for (Peer& peer : peers_) peer.socket.send_all(std::as_bytes(std::span(&message, 1)), Clock::now() + kAtOnce);
}

void PeerWatch::watch() {
  const auto interval = std::chrono::milliseconds(std::clamp(static_cast<int>(timeout_ * 100), 20, 1000));
  auto spoken = Clock::now() - interval, seen = Clock::now();
  std::vector<pollfd> lines;
  while (!stopped_) {
    if (Clock::now() - spoken >= interval) {
      tell({Kind::alive, rank_, 0});
      spoken = Clock::now();
    }
    lines.clear();
    for (const Peer& peer : peers_) lines.push_back({peer.watched ? peer.socket.descriptor() : -1, POLLIN, 0});
    ::poll(lines.data(), lines.size(), 20);
    const auto now = Clock::now();
    // After a pause of this process itself (the whole job may have been stopped and continued) others get new time.
    const bool was_stopped = seconds(now - seen) > timeout_ / 2;
    seen = now;
    for (size_t i = 0; i < peers_.size(); ++i) {
      Peer& peer = peers_[i];
      if (!peer.watched) continue;
      if (was_stopped) peer.heard = now;
      if (lines[i].revents != 0) read(peer);
      if (peer.watched && seconds(now - peer.heard) > timeout_) {
        lose({Kind::stalled, peer.rank, 0});
      }
    }
    look_at_self();
  }
}

void PeerWatch::look_at_self() {
  if (const std::optional<Loss> lost = loss()) {
    if (calls_.after_loss) calls_.after_loss(*lost, seconds_since_loss());
    return;
  }
  if (leaving_ || !calls_.own_fault) return;
  const std::string fault = calls_.own_fault();
  if (fault.empty()) return;
  if (!at_fault_since_) at_fault_since_ = Clock::now();
  if (Clock::now() - *at_fault_since_ < kVerdict) return;
  tell({Kind::failed, rank_, kOwnFault});
  lose_to(Loss{rank_, fault});
}

void PeerWatch::read(Peer& peer) {
  for (;;) {
    const ssize_t count = ::recv(peer.socket.descriptor(), peer.piece.data() + peer.received,
                                 peer.piece.size() - peer.received, MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) {
      unwatch(peer);
      return lose({Kind::closed, peer.rank, 0});
    }
    peer.received += static_cast<size_t>(count);
    if (peer.received < peer.piece.size()) continue;
    peer.received = 0;
    take(peer, std::bit_cast<Message>(peer.piece));
    if (!peer.watched) return;
  }
}

void PeerWatch::take(Peer& peer, const Message& message) {
  peer.heard = Clock::now();
  if (message.kind == Kind::alive) return;
  if (message.kind == Kind::goodbye) return unwatch(peer);
  lose(message);
}

void PeerWatch::lose(const Message& news) {
  if (leaving_) return;
  const std::string how = news.kind == Kind::closed ? "its connection closed"
                          : news.kind == Kind::stalled
                              ? fmt::format("it gave no sign of life for {:g} s", timeout_)
                              : fmt::format("it left with an error of its own (exit code {})", news.exit_code);
  if (loss()) return;
  tell(news);  // before this rank's own program hears of it, and leaves
  lose_to({news.rank, how});
}

void PeerWatch::lose_to(const Loss& loss) {
  {
    const std::lock_guard lock(mutex_);
    if (loss_) return;
    loss_ = loss;
    lost_at_ = Clock::now();
  }
  lost_.notify_all();
  calls_.on_loss();
}

}  // namespace ascore::dist
