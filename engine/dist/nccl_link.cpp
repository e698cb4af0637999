#include "engine/dist/nccl_link.hpp"

#include <utility>

#include <fmt/format.h>

namespace ascore::dist {

NcclLink::~NcclLink() {
  abort("this rank has left");
  if (aborting_.joinable()) aborting_.join();
}

void NcclLink::start(const nccl::Api& api, int ranks, const nccl::UniqueId& id, int rank) {
  const std::lock_guard lock(mutex_);
  if (!broken_.empty()) return;
  api_ = &api;
  nccl::Config config;
  judge("ncclCommInitRankConfig", api.comm_init_rank_config(&comm_, ranks, id, rank, &config));
}

void NcclLink::call(const char* name, const std::function<nccl::Result(nccl::Comm*)>& work) {
  const std::lock_guard lock(mutex_);
  if (comm_) judge(name, work(comm_));
}

NcclLink::State NcclLink::look() {
  const std::lock_guard lock(mutex_);
  if (!broken_.empty()) return State::broken;
  if (!comm_) return State::ready;
  nccl::Result state = nccl::Result::success;
  judge("ncclCommGetAsyncError", api_->comm_get_async_error(comm_, &state));
  if (comm_) judge("a call under way", state);
  if (!broken_.empty()) return State::broken;
  return state == nccl::Result::in_progress ? State::busy : State::ready;
}

std::string NcclLink::why_broken() const {
  const std::lock_guard lock(mutex_);
  return broken_;
}

void NcclLink::abort(const std::string& why) noexcept {
  const std::lock_guard lock(mutex_);
  break_off(why);
}

void NcclLink::finalize() {
  const std::lock_guard lock(mutex_);
  if (comm_) judge("ncclCommFinalize", api_->comm_finalize(comm_));
}

void NcclLink::destroy() {
  const std::lock_guard lock(mutex_);
  if (comm_) api_->comm_destroy(std::exchange(comm_, nullptr));
}

void NcclLink::judge(const char* name, nccl::Result result) {
  if (result == nccl::Result::success || result == nccl::Result::in_progress) return;
  const char* const last = comm_ ? api_->get_last_error(comm_) : nullptr;
  const std::string detail = last && *last ? fmt::format(" ({})", last) : "";
  break_off(fmt::format("NCCL: {} failed: {}{}", name, api_->get_error_string(result), detail));
}

/// Why comes first: whoever sees what an aborted sum leaves behind can already ask.
void NcclLink::break_off(const std::string& why) noexcept {
  if (broken_.empty()) broken_ = why;
  if (comm_) aborting_ = std::thread(api_->comm_abort, std::exchange(comm_, nullptr));
}

}  // namespace ascore::dist
