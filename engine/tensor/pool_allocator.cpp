#include "engine/tensor/pool_allocator.hpp"

#include "engine/tensor/reserved_memory.hpp"
#include "kernels/core/error.hpp"
#include "kernels/core/memory.hpp"

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace ascore {

namespace {

constexpr size_t kGranule = 512;

double mib(size_t bytes) {
  return static_cast<double>(bytes) / (1 << 20);
}

/// The C library keeps what is freed to itself, once it has seen blocks of that size come and go; this gives the pages
/// back to the system.
void return_freed_pages() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

/// What storages share with their allocator, so that either may go first.
struct Pool {
  Pool(Device d, const PoolOptions& o) : device(d), options(o) {}
  ~Pool() { release_unused(); }

  /// A block from the device. Throws OutOfMemoryError.
  void* reserve(size_t block) {
    if (block > options.limit || reserved > options.limit - block) {
      throw OutOfMemoryError(
          fmt::format("{:.1f} MiB of a limit of {:.1f} MiB are taken", mib(reserved), mib(options.limit)));
    }
    void* const data = options.dry ? reinterpret_cast<void*>(next_address) : device_allocate(device, block);
    next_address += block;
    reserved += block;
    return data;
  }
  void give_back(void* data, size_t block) {
    if (!options.dry) device_free(device, data);
    reserved -= block;
  }
  void release_unused() {
    constexpr size_t kWorthReturning = size_t{16} << 20;
    const size_t before = reserved;
    for (auto& [bytes, blocks] : free) {
      for (void* block : blocks) give_back(block, bytes);
      blocks.clear();
    }
    if (device != Device::cuda && !options.dry && before - reserved >= kWorthReturning) return_freed_pages();
  }

  Device device;
  PoolOptions options;
  size_t reserved = 0;
  bool may_release = true;                      ///< allocations that find no room give back what nobody uses
  uintptr_t next_address = uintptr_t{1} << 44;  ///< dry: of the next block; a multiple of the granule
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

/// A block that goes back to the device.
class ReservedStorage final : public Storage {
 public:
  ReservedStorage(std::shared_ptr<Pool> pool, void* data, size_t bytes)
      : Storage(data, bytes, pool->device), pool_(std::move(pool)) {}
  ~ReservedStorage() override { pool_->give_back(data_, bytes_); }

 private:
  std::shared_ptr<Pool> pool_;
};

class PoolBooks final : public MemoryBooks {
 public:
  explicit PoolBooks(std::shared_ptr<Pool> pool) : pool_(std::move(pool)) {}
  void add(MemoryKind kind, const std::string& path, size_t bytes) override { pool_->ledger.add(kind, path, bytes); }
  void remove(MemoryKind kind, const std::string& path, size_t bytes) override {
    pool_->ledger.remove(kind, path, bytes);
  }

 private:
  std::shared_ptr<Pool> pool_;
};

class PoolAllocator final : public Allocator, public ReservedMemory {
 public:
  PoolAllocator(Device device, const PoolOptions& options) : pool_(std::make_shared<Pool>(device, options)) {}

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

  size_t reserved_bytes() const override { return pool_->reserved; }
  void release_unused() override { pool_->release_unused(); }
  void allow_release(bool allowed) override { pool_->may_release = allowed; }
  std::shared_ptr<Storage> reserve(size_t bytes) override {
    return std::make_shared<ReservedStorage>(pool_, fresh(bytes, MemoryKind::activations), bytes);
  }
  std::shared_ptr<MemoryBooks> books() override { return std::make_shared<PoolBooks>(pool_); }

 private:
  void* fresh(size_t block, MemoryKind kind) {
    try {
      return pool_->reserve(block);
    } catch (const OutOfMemoryError&) {
      if (pool_->may_release) pool_->release_unused();  // blocks of other sizes may be what is missing
    }
    try {
      return pool_->reserve(block);
    } catch (const OutOfMemoryError& error) {
      const std::string where = path().empty() ? "" : " of " + path();
      throw OutOfMemoryError(
          fmt::format("out of memory: {:.1f} MiB wanted for {}{} ({}); {}; use smaller batches or networks", mib(block),
                      name(kind), where, error.what(), pool_->ledger.summary()));
    }
  }

  std::shared_ptr<Pool> pool_;
};

}  // namespace

std::unique_ptr<Allocator> make_pool_allocator(Device device) {
  return make_pool_allocator(device, {});
}

std::unique_ptr<Allocator> make_pool_allocator(Device device, const PoolOptions& options) {
  return std::make_unique<PoolAllocator>(device, options);
}

}  // namespace ascore
