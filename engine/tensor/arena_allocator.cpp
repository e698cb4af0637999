#include "engine/tensor/arena_allocator.hpp"

#include "engine/tensor/reserved_memory.hpp"
#include "kernels/core/memory.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <utility>

namespace ascore {

namespace {
constexpr size_t kGranule = 512;  // as the pool's, so that it finds blocks of a step that ran before
constexpr unsigned char kPoison = 0xff;

size_t whole_granules(size_t bytes) {
  return std::max((bytes + kGranule - 1) / kGranule * kGranule, kGranule);
}

void poison_bytes(Stream& stream, void* data, size_t bytes, Device device) {
  fill_bytes(stream, View(data, Shape{static_cast<int64_t>(bytes)}, DType::u8, device), kPoison);
}
}  // namespace

/// A block that goes to the arena's free ones.
class ArenaAllocator::KeptBlock final : public Storage {
 public:
  KeptBlock(std::shared_ptr<Free> free, std::shared_ptr<Storage> memory, size_t bytes)
      : Storage(memory->data(), bytes, memory->device()), free_(std::move(free)), memory_(std::move(memory)) {}
  ~KeptBlock() override { (*free_)[memory_->bytes()].push_back(std::move(memory_)); }

 private:
  std::shared_ptr<Free> free_;
  std::shared_ptr<Storage> memory_;
};

/// What a run allocates and gives back, in order.
struct ArenaAllocator::Diary {
  std::vector<Lifetime> blocks = {};
  size_t now = 0;
};

/// A block of a run that is written down.
class ArenaAllocator::WrittenBlock final : public Storage {
 public:
  WrittenBlock(std::shared_ptr<Diary> diary, std::shared_ptr<Storage> memory)
      : Storage(memory->data(), memory->bytes(), memory->device()),
        diary_(std::move(diary)),
        number_(diary_->blocks.size()),
        memory_(std::move(memory)) {
    diary_->blocks.push_back({.bytes = whole_granules(bytes_), .begin = diary_->now++});
  }
  ~WrittenBlock() override { diary_->blocks[number_].end = diary_->now++; }

 private:
  std::shared_ptr<Diary> diary_;
  size_t number_;
  std::shared_ptr<Storage> memory_;
};

/// The memory that planned blocks lie in, and where there are some now.
struct ArenaAllocator::Piece {
  std::shared_ptr<Storage> memory;
  std::shared_ptr<MemoryBooks> books;
  std::map<size_t, size_t> taken = {};  ///< offset: end

  bool is_free(size_t begin, size_t end) const {
    const auto after = taken.lower_bound(end);
    return after == taken.begin() || std::prev(after)->second <= begin;
  }
};

/// While a step is captured, nothing goes back to the device: that would wait for it, which a capture cannot.
class ArenaAllocator::NothingReleased {
 public:
  NothingReleased(ReservedMemory* memory, bool captured) : memory_(captured ? memory : nullptr) {
    if (memory_) memory_->allow_release(false);
  }
  ~NothingReleased() {
    if (memory_) memory_->allow_release(true);
  }
  NothingReleased(const NothingReleased&) = delete;
  NothingReleased& operator=(const NothingReleased&) = delete;

 private:
  ReservedMemory* memory_;
};

class ArenaAllocator::PlannedBlock final : public Storage {
 public:
  PlannedBlock(std::shared_ptr<Piece> piece, size_t offset, size_t bytes, MemoryKind kind, std::string path)
      : Storage(static_cast<char*>(piece->memory->data()) + offset, bytes, piece->memory->device()),
        piece_(std::move(piece)),
        offset_(offset),
        kind_(kind),
        path_(std::move(path)) {
    piece_->taken[offset_] = offset_ + whole_granules(bytes_);
    piece_->books->add(kind_, path_, whole_granules(bytes_));
  }
  ~PlannedBlock() override {
    piece_->books->remove(kind_, path_, whole_granules(bytes_));
    piece_->taken.erase(offset_);
  }

 private:
  std::shared_ptr<Piece> piece_;
  size_t offset_;
  MemoryKind kind_;
  std::string path_;
};

ArenaAllocator::ArenaAllocator(Allocator& source)
    : source_(source), reserved_(dynamic_cast<ReservedMemory*>(&source)), free_(std::make_shared<Free>()) {}

ArenaAllocator::~ArenaAllocator() = default;

size_t ArenaAllocator::add_step() {
  steps_.emplace_back();
  return steps_.size() - 1;
}

bool ArenaAllocator::ready() const {
  return !reserved_ || std::ranges::all_of(steps_, [](const Step& step) { return step.plan.has_value(); });
}

void ArenaAllocator::run(size_t number, bool captured, const std::function<void()>& body) {
  Step& step = steps_.at(number);
  const bool plans = reserved_ && ready();
  mode_ = plans ? Mode::planned : captured ? Mode::kept : reserved_ ? Mode::writing : Mode::direct;
  if (plans) make_room();
  const auto diary = diary_ = std::make_shared<Diary>();
  const size_t deviations = deviations_;
  step_ = &step;
  next_ = 0;
  captured_ = captured;
  {
    const NothingReleased scope(reserved_, captured);
    body();
  }
  if (mode_ == Mode::writing) {
    step.blocks = diary->blocks;
    step.plan = plan_lifetimes(step.blocks);
  }
  if (deviations_ != deviations && !captured) step.plan.reset();  // is written down again
  mode_ = Mode::kept;
}

/// The piece is made when all plans are there, out of what the runs so far have given back.
void ArenaAllocator::make_room() {
  size_t most = 0;
  for (const Step& step : steps_) most = std::max(most, step.plan->bytes);
  if (piece_ && piece_->memory->bytes() >= most) return;
  piece_.reset();
  reserved_->release_unused();
  piece_ = std::make_shared<Piece>(Piece{reserved_->reserve(most), reserved_->books()});
}

std::shared_ptr<Storage> ArenaAllocator::allocate(size_t bytes, MemoryKind kind) {
  switch (mode_) {
    case Mode::direct:
      return from_source(bytes, kind);
    case Mode::writing:
      return std::make_shared<WrittenBlock>(diary_, from_source(bytes, kind));
    case Mode::planned:
      return planned(bytes, kind);
    case Mode::kept:
      break;
  }
  return kept(bytes, kind);
}

std::shared_ptr<Storage> ArenaAllocator::from_source(size_t bytes, MemoryKind kind) {
  const std::string outer = source_.path();
  source_.set_path(path());
  std::shared_ptr<Storage> memory = source_.allocate(bytes, kind);
  source_.set_path(outer);
  return memory;
}

std::shared_ptr<Storage> ArenaAllocator::kept(size_t bytes, MemoryKind kind) {
  const size_t block = whole_granules(bytes);
  std::shared_ptr<Storage> memory;
  if (auto& blocks = (*free_)[block]; !blocks.empty()) {
    memory = std::move(blocks.back());
    blocks.pop_back();
  } else {
    memory = from_source(block, kind);
  }
  return std::make_shared<KeptBlock>(free_, std::move(memory), bytes);
}

/// The step's next block, if this is it and nobody stands where it belongs.
std::shared_ptr<Storage> ArenaAllocator::planned(size_t bytes, MemoryKind kind) {
  const size_t block = whole_granules(bytes);
  if (next_ < step_->blocks.size() && step_->blocks[next_].bytes == block) {
    const size_t offset = step_->plan->offsets[next_++];
    if (piece_->is_free(offset, offset + block)) {
      return std::make_shared<PlannedBlock>(piece_, offset, bytes, kind, path());
    }
  }
  ++deviations_;
  return captured_ ? kept(bytes, kind) : from_source(bytes, kind);
}

void ArenaAllocator::poison(Stream& stream) const {
  for (const auto& [bytes, blocks] : *free_) {
    for (const auto& block : blocks) poison_bytes(stream, block->data(), bytes, device());
  }
  if (!piece_) return;
  size_t from = 0;
  const auto poison_until = [&](size_t to) {
    if (to > from) poison_bytes(stream, static_cast<char*>(piece_->memory->data()) + from, to - from, device());
  };
  for (const auto& [begin, end] : piece_->taken) {
    poison_until(begin);
    from = end;
  }
  poison_until(piece_->memory->bytes());
}

size_t ArenaAllocator::planned_bytes() const {
  return piece_ ? piece_->memory->bytes() : 0;
}

size_t ArenaAllocator::peak_bytes() const {
  size_t most = 0;
  for (const Step& step : steps_) most = std::max(most, step.plan ? step.plan->peak : 0);
  return most;
}

}  // namespace ascore
