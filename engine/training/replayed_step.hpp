#pragma once

#include "engine/autograd/context.hpp"
#include "engine/tensor/arena_allocator.hpp"
#include "kernels/core/graph.hpp"

#include <functional>
#include <optional>

namespace ascore {

/// True where steps can be captured: on cuda and simt.
bool has_graphs(Device device);

/// A step that is the same every time but for what it finds in device memory. The first run is an ordinary one, in
/// which libraries and kernels are loaded; the second is captured, and from then on the graph is replayed. The results
/// have the same bits.
class ReplayedStep {
 public:
  using Body = std::function<void(Ctx&)>;

  /// `arena`: where the captured step's memory comes from; it outlives this. Null: every run is an ordinary one.
  explicit ReplayedStep(ArenaAllocator* arena) : arena_(arena) {}

  /// Runs the step: `body` allocates from the context it is given, and reads and writes no host memory that changes.
  void run(Ctx& ctx, const Body& body);

 private:
  ArenaAllocator* arena_;
  bool ran_ = false;
  std::optional<Graph> graph_;
};

}  // namespace ascore
