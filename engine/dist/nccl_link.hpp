#pragma once

#include "engine/dist/nccl_api.hpp"

#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace ascore::dist {

/// NCCL's communicator of this rank, and what is wrong with it. Used by the thread that queues sums, and broken off by
/// the one that watches the ranks: NCCL's kernels wait for each other on the GPU, and only ncclCommAbort ends those
/// that wait for a rank that is gone. All functions may be called by any thread, and none waits for another rank.
class NcclLink {
 public:
  enum class State { ready, busy, broken };  ///< busy: NCCL has not taken the last call yet

  NcclLink() = default;
  /// Waits for an abort, which waits for captured steps with sums of this communicator to be destroyed.
  ~NcclLink();
  NcclLink(const NcclLink&) = delete;
  NcclLink& operator=(const NcclLink&) = delete;

  /// Begins to join `ranks` ranks: busy until they are joined.
  void start(const nccl::Api& api, int ranks, const nccl::UniqueId& id, int rank);
  /// Calls `work` with the communicator; what it returns may break it. Does nothing where it is broken.
  void call(const char* name, const std::function<nccl::Result(nccl::Comm*)>& work);
  /// Asks for asynchronous errors: what went wrong since the last call.
  State look();
  /// What is wrong; empty: nothing.
  std::string why_broken() const;
  /// Ends whatever is under way, on the GPU too, in a thread of its own: NCCL's call returns only when the captured
  /// steps that hold its sums are gone, and the thread that has them may be this one. The first reason stays.
  void abort(const std::string& why) noexcept;
  /// The regular end; ready again, and without a communicator, when the rest is done.
  void finalize();
  void destroy();

 private:
  void judge(const char* name, nccl::Result result);
  void break_off(const std::string& why) noexcept;

  mutable std::mutex mutex_;
  const nccl::Api* api_ = nullptr;
  nccl::Comm* comm_ = nullptr;
  std::string broken_;
  std::thread aborting_;
};

}  // namespace ascore::dist
