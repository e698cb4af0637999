#include "engine/tensor/allocator.hpp"
#include "kernels/core/memory.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

namespace ascore {

namespace {

constexpr size_t kRedZone = 256;
constexpr unsigned char kPoison = 0xff, kGuard = 0xfb;

class GuardedStorage final : public Storage {
 public:
  GuardedStorage(std::shared_ptr<MemoryLedger> ledger, Device device, size_t bytes, MemoryKind kind, std::string path)
      : Storage(nullptr, bytes, device),
        ledger_(std::move(ledger)),
        kind_(kind),
        path_(std::move(path)),
        stream_(device),
        block_(static_cast<char*>(device_allocate(device, bytes + 2 * kRedZone))) {
    data_ = block_ + kRedZone;
    fill(0, kRedZone, kGuard);
    fill(kRedZone, bytes_, kPoison);
    fill(kRedZone + bytes_, kRedZone, kGuard);
    stream_.synchronize();
    ledger_->add(kind_, path_, bytes_);
  }

  ~GuardedStorage() override {
    ledger_->remove(kind_, path_, bytes_);
    const bool damaged = !intact(0) || !intact(kRedZone + bytes_);
    device_free(device_, block_);
    if (damaged) {  // a destructor cannot throw, and going on would hide the bug
      fmt::print(stderr, "guarded allocator: a red zone of {} bytes ({}, {}) was written\n", bytes_, name(kind_),
                 path_);
      std::abort();
    }
  }

 private:
  View part(size_t offset, size_t bytes) {
    return {block_ + offset, Shape{static_cast<int64_t>(bytes)}, DType::u8, device_};
  }
  void fill(size_t offset, size_t bytes, unsigned char value) { fill_bytes(stream_, part(offset, bytes), value); }
  bool intact(size_t offset) {
    unsigned char bytes[kRedZone];
    copy(stream_, View(bytes, Shape{kRedZone}, DType::u8, Device::cpu), part(offset, kRedZone));
    return std::all_of(bytes, bytes + kRedZone, [](unsigned char byte) { return byte == kGuard; });
  }

  std::shared_ptr<MemoryLedger> ledger_;
  MemoryKind kind_;
  std::string path_;
  Stream stream_;
  char* block_;
};

class GuardedAllocator final : public Allocator {
 public:
  explicit GuardedAllocator(Device device) : device_(device), ledger_(std::make_shared<MemoryLedger>()) {}
  std::shared_ptr<Storage> allocate(size_t bytes, MemoryKind kind) override {
    return std::make_shared<GuardedStorage>(ledger_, device_, bytes, kind, path());
  }
  Device device() const override { return device_; }
  const MemoryLedger& ledger() const override { return *ledger_; }

 private:
  Device device_;
  std::shared_ptr<MemoryLedger> ledger_;
};

}  // namespace

std::unique_ptr<Allocator> make_guarded_allocator(Device device) {
  return std::make_unique<GuardedAllocator>(device);
}

}  // namespace ascore
