#include "engine/tensor/arena_allocator.hpp"

#include "kernels/core/memory.hpp"

#include <algorithm>
#include <utility>

namespace ascore {

namespace {
constexpr size_t kGranule = 512;  // as the pool's, so that it finds blocks of a step that ran before
constexpr unsigned char kPoison = 0xff;
}  // namespace

class ArenaAllocator::Block final : public Storage {
 public:
  Block(std::shared_ptr<Free> free, std::shared_ptr<Storage> memory, size_t bytes)
      : Storage(memory->data(), bytes, memory->device()), free_(std::move(free)), memory_(std::move(memory)) {}
  ~Block() override { (*free_)[memory_->bytes()].push_back(std::move(memory_)); }

 private:
  std::shared_ptr<Free> free_;
  std::shared_ptr<Storage> memory_;
};

ArenaAllocator::ArenaAllocator(Allocator& source) : source_(source), free_(std::make_shared<Free>()) {}

std::shared_ptr<Storage> ArenaAllocator::allocate(size_t bytes, MemoryKind kind) {
  const size_t block = std::max((bytes + kGranule - 1) / kGranule * kGranule, kGranule);
  std::shared_ptr<Storage> memory;
  if (auto& blocks = (*free_)[block]; !blocks.empty()) {
    memory = std::move(blocks.back());
    blocks.pop_back();
  } else {
    const std::string outer = source_.path();
    source_.set_path(path());
    memory = source_.allocate(block, kind);
    source_.set_path(outer);
  }
  return std::make_shared<Block>(free_, std::move(memory), bytes);
}

void ArenaAllocator::poison(Stream& stream) const {
  for (const auto& [bytes, blocks] : *free_) {
    for (const auto& block : blocks) {
      fill_bytes(stream, View(block->data(), Shape{static_cast<int64_t>(bytes)}, DType::u8, block->device()), kPoison);
    }
  }
}

}  // namespace ascore
