#include "kernels/core/side_stream.hpp"

#include "kernels/core/cuda_runtime.hpp"
#include "kernels/simt/recording.hpp"

namespace ascore {

namespace {

/// Calls `work` now, or whenever the step that is being captured is replayed.
void on_host(Stream& beside, const SideStream::Work& work) {
  if constexpr (kSimtBuilt) {
    if (beside.recording()) return beside.recording()->add(beside, [work](Stream&) { work(nullptr); });
  }
  work(nullptr);
}

}  // namespace

SideStream::~SideStream() {
  if constexpr (kCudaBuilt) {
    if (fork_) kernels::cuda::destroy_event(fork_);
    if (join_) kernels::cuda::destroy_event(join_);
    if (native_) kernels::cuda::destroy_stream(native_);
  }
}

void SideStream::open() {
  if constexpr (kCudaBuilt) {
    if (!native_) native_ = kernels::cuda::create_stream();
    if (!fork_) fork_ = kernels::cuda::create_order_event();
    if (!join_) join_ = kernels::cuda::create_order_event();
  }
}

void SideStream::run(Stream& beside, const Work& work) {
  if constexpr (kCudaBuilt) {
    if (beside.native()) {
      open();
      kernels::cuda::order_after(fork_, beside.native(), native_);
      return work(native_);
    }
  }
  on_host(beside, work);
}

void SideStream::join(Stream& beside, const Work& settle) {
  if constexpr (kCudaBuilt) {
    if (beside.native()) {
      open();
      settle(native_);
      return kernels::cuda::order_after(join_, native_, beside.native());
    }
  }
  on_host(beside, settle);
}

}  // namespace ascore
