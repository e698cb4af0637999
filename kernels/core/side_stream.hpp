#pragma once

#include "kernels/core/stream.hpp"

#include <functional>

namespace ascore {

/// A second queue of a device, whose work runs beside that of a Stream: for sums between GPUs, which leave most of the
/// GPU to others. On cuda it is a cudaStream_t; elsewhere work is called at once, and what it starts in other threads
/// runs beside the host. Inside a capture (Graph) it becomes part of the graph: as a branch on cuda, in the order of
/// the calls on simt.
///
///   side.run(stream, start);   // after what `stream` holds
///   ...                        // more on `stream`, beside it
///   side.join(stream, settle); // what `stream` gets from here on comes after it
class SideStream {
 public:
  /// `native`: the side's cudaStream_t, null elsewhere.
  using Work = std::function<void(void* native)>;

  SideStream() = default;
  ~SideStream();
  SideStream(const SideStream&) = delete;
  SideStream& operator=(const SideStream&) = delete;

  /// Calls `work`, which queues something on the side: it runs after what `beside` holds now.
  void run(Stream& beside, const Work& work);
  /// Calls `settle`, after which everything is queued (elsewhere: done), and lets `beside` wait for the side.
  void join(Stream& beside, const Work& settle);

 private:
  void open();

  void* native_ = nullptr;
  void* fork_ = nullptr;  ///< events by which one waits for the other
  void* join_ = nullptr;
};

}  // namespace ascore
