#include "engine/tensor/allocator.hpp"
#include "kernels/core/error.hpp"
#include "kernels/core/memory.hpp"

#include <unordered_map>
#include <vector>

#include <fmt/format.h>

namespace ascore {

namespace {

constexpr size_t kGranule = 512;

/// What storages share with their allocator, so that either may go first.
struct Pool {
  explicit Pool(Device d) : device(d) {}
  ~Pool() {
    for (auto& [bytes, blocks] : free) {
      for (void* block : blocks) device_free(device, block);
    }
  }
  Device device;
  MemoryLedger ledger;
  std::unordered_map<size_t, std::vector<void*>> free;
};

class PoolStorage final : public Storage {
 public:
  PoolStorage(std::shared_ptr<Pool> pool, void* data, size_t bytes, size_t block, MemoryKind kind, std::string path)
      : Storage(data, bytes, pool->device),
        pool_(std::move(pool)),
        block_(block),
        kind_(kind),
        path_(std::move(path)) {}
  ~PoolStorage() override {
    pool_->ledger.remove(kind_, path_, block_);
    pool_->free[block_].push_back(data_);
  }

 private:
  std::shared_ptr<Pool> pool_;
  size_t block_;
  MemoryKind kind_;
  std::string path_;
};

class PoolAllocator final : public Allocator {
 public:
  explicit PoolAllocator(Device device) : pool_(std::make_shared<Pool>(device)) {}

  std::shared_ptr<Storage> allocate(size_t bytes, MemoryKind kind) override {
    const size_t block = std::max((bytes + kGranule - 1) / kGranule * kGranule, kGranule);
    void* data = nullptr;
    if (auto& blocks = pool_->free[block]; !blocks.empty()) {
      data = blocks.back();
      blocks.pop_back();
    } else {
      data = fresh(block, kind);
    }
    pool_->ledger.add(kind, path(), block);
    return std::make_shared<PoolStorage>(pool_, data, bytes, block, kind, path());
  }
  Device device() const override { return pool_->device; }
  const MemoryLedger& ledger() const override { return pool_->ledger; }

 private:
  void* fresh(size_t block, MemoryKind kind) {
    try {
      return device_allocate(pool_->device, block);
    } catch (const OutOfMemoryError&) {
      release_unused();  // blocks of other sizes may be what is missing
    }
    try {
      return device_allocate(pool_->device, block);
    } catch (const OutOfMemoryError& error) {
      const std::string where = path().empty() ? "" : " of " + path();
      throw OutOfMemoryError(fmt::format(
          "out of memory: {:.1f} MiB wanted for {}{} ({}); {}; use smaller batches or networks",
          static_cast<double>(block) / (1 << 20), name(kind), where, error.what(), pool_->ledger.summary()));
    }
  }
  void release_unused() {
    for (auto& [bytes, blocks] : pool_->free) {
      for (void* block : blocks) device_free(pool_->device, block);
      blocks.clear();
    }
  }

  std::shared_ptr<Pool> pool_;
};

}  // namespace

std::unique_ptr<Allocator> make_pool_allocator(Device device) {
  return std::make_unique<PoolAllocator>(device);
}

}  // namespace ascore
