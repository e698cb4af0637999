#include "engine/tensor/allocation_log.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace ascore {

/// Shared with the storages, so that either may go first.
struct AllocationLog::State {
  using Owner = std::pair<std::string, MemoryKind>;
  struct Event {
    size_t owner;
    int64_t change;  ///< of the live bytes
  };

  void hold(int64_t change) { most_held = std::max(most_held, held += change); }

  void note(MemoryKind kind, const std::string& path, int64_t change) {
    events.push_back({number({path, kind}), change});
  }

  size_t number(const Owner& owner) {
    const auto [at, fresh] = numbers.try_emplace(owner, owners.size());
    if (fresh) owners.push_back(owner);
    return at->second;
  }

  std::vector<Owner> owners;
  std::map<Owner, size_t> numbers;
  std::vector<Event> events;
  int64_t held = 0, most_held = 0;  ///< allocations and whole pieces
};

class AllocationLog::Logged final : public Storage {
 public:
  Logged(std::shared_ptr<State> state, std::shared_ptr<Storage> memory, size_t bytes, State::Event taken)
      : Storage(memory->data(), bytes, memory->device()),
        state_(std::move(state)),
        memory_(std::move(memory)),
        taken_(taken) {
    enter(taken_.change);
  }
  ~Logged() override { enter(-taken_.change); }

 private:
  void enter(int64_t change) {
    state_->events.push_back({taken_.owner, change});
    state_->hold(change);
  }

  std::shared_ptr<State> state_;
  std::shared_ptr<Storage> memory_;
  State::Event taken_;
};

/// A reserved piece, which counts as such as long as it is there.
class AllocationLog::Piece final : public Storage {
 public:
  Piece(std::shared_ptr<State> state, std::shared_ptr<Storage> memory)
      : Storage(memory->data(), memory->bytes(), memory->device()),
        state_(std::move(state)),
        memory_(std::move(memory)) {
    state_->hold(static_cast<int64_t>(bytes_));
  }
  ~Piece() override { state_->hold(-static_cast<int64_t>(bytes_)); }

 private:
  std::shared_ptr<State> state_;
  std::shared_ptr<Storage> memory_;
};

/// Enters parts of pieces in the source's books and in the log.
class AllocationLog::Books final : public MemoryBooks {
 public:
  Books(std::shared_ptr<State> state, std::shared_ptr<MemoryBooks> source)
      : state_(std::move(state)), source_(std::move(source)) {}
  void add(MemoryKind kind, const std::string& path, size_t bytes) override {
    source_->add(kind, path, bytes);
    state_->note(kind, path, static_cast<int64_t>(bytes));
  }
  void remove(MemoryKind kind, const std::string& path, size_t bytes) override {
    source_->remove(kind, path, bytes);
    state_->note(kind, path, -static_cast<int64_t>(bytes));
  }

 private:
  std::shared_ptr<State> state_;
  std::shared_ptr<MemoryBooks> source_;
};

AllocationLog::AllocationLog(Allocator& source)
    : source_(source), reserved_(dynamic_cast<ReservedMemory&>(source)), state_(std::make_shared<State>()) {}
AllocationLog::~AllocationLog() = default;

std::shared_ptr<Storage> AllocationLog::allocate(size_t bytes, MemoryKind kind) {
  const std::string outer = source_.path();
  source_.set_path(path());
  const size_t before = source_.ledger().total().live;
  std::shared_ptr<Storage> memory = source_.allocate(bytes, kind);
  const auto change = static_cast<int64_t>(source_.ledger().total().live - before);  // as the ledger rounds
  source_.set_path(outer);
  return std::make_shared<Logged>(state_, std::move(memory), bytes,
                                  State::Event{state_->number({path(), kind}), change});
}

std::shared_ptr<Storage> AllocationLog::reserve(size_t bytes) {
  return std::make_shared<Piece>(state_, reserved_.reserve(bytes));
}

std::shared_ptr<MemoryBooks> AllocationLog::books() {
  return std::make_shared<Books>(state_, reserved_.books());
}

size_t AllocationLog::most_held() const {
  return static_cast<size_t>(state_->most_held);
}

size_t AllocationLog::size() const {
  return state_->events.size();
}

std::vector<BytesByKind> AllocationLog::timeline() const {
  std::vector<BytesByKind> result;
  BytesByKind now{};
  for (const State::Event& event : state_->events) {
    size_t& live = now[static_cast<size_t>(state_->owners[event.owner].second)];
    live = static_cast<size_t>(static_cast<int64_t>(live) + event.change);
    result.push_back(now);
  }
  return result;
}

size_t AllocationLog::peak(size_t begin, size_t end) const {
  int64_t live = 0, most = -1;
  size_t at = begin;
  for (size_t i = 0; i < end; ++i) {
    live += state_->events[i].change;
    if (i + 1 > begin && live > most) {
      most = live;
      at = i + 1;
    }
  }
  return at;
}

std::map<std::string, BytesByKind> AllocationLog::live_after(size_t events) const {
  std::vector<int64_t> live(state_->owners.size());
  for (size_t i = 0; i < events; ++i) live[state_->events[i].owner] += state_->events[i].change;
  std::map<std::string, BytesByKind> result;
  for (size_t i = 0; i < live.size(); ++i) {
    if (live[i] == 0) continue;
    const auto& [path, kind] = state_->owners[i];
    result[path][static_cast<size_t>(kind)] += static_cast<size_t>(live[i]);
  }
  return result;
}

size_t total(const BytesByKind& bytes) {
  return std::accumulate(bytes.begin(), bytes.end(), size_t{0});
}

}  // namespace ascore
