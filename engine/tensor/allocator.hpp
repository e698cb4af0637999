#pragma once

#include "engine/tensor/ledger.hpp"
#include "kernels/core/device.hpp"

#include <memory>
#include <string>

namespace ascore {

/// One piece of device memory; gives itself back to its allocator's source when the last owner lets go.
class Storage {
 public:
  virtual ~Storage() = default;
  void* data() const { return data_; }
  size_t bytes() const { return bytes_; }
  Device device() const { return device_; }

 protected:
  Storage(void* data, size_t bytes, Device device) : data_(data), bytes_(bytes), device_(device) {}
  void* data_;
  size_t bytes_;
  Device device_;
};

/// Where tensors get their memory. An allocator outlives what it gave out only by reference: storages keep what they
/// need alive. Not thread-safe.
class Allocator {
 public:
  virtual ~Allocator() = default;
  /// `bytes` of uninitialised memory, 256-byte aligned, entered in the ledger. Throws OutOfMemoryError with
  /// what was wanted for what, and the ledger's summary, in one line.
  virtual std::shared_ptr<Storage> allocate(size_t bytes, MemoryKind kind) = 0;
  virtual Device device() const = 0;
  virtual const MemoryLedger& ledger() const = 0;

  /// The module path that allocations are entered under from now on (see ModuleScope).
  const std::string& path() const { return path_; }
  void set_path(std::string path) { path_ = std::move(path); }

 private:
  std::string path_;
};

/// Keeps freed blocks in free lists by size: a step that repeats the last one's pattern gets the same addresses back.
std::unique_ptr<Allocator> make_pool_allocator(Device device);

/// One system allocation per tensor, poisoned (NaN), between red zones that are checked when it is freed.
/// For tests and sanitizers. A damaged red zone aborts the process from a destructor, with a message.
std::unique_ptr<Allocator> make_guarded_allocator(Device device);

}  // namespace ascore
