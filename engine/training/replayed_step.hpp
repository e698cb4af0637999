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
/// which libraries and kernels are loaded and the arena sees what it has to give. A later one, when all steps of the
/// arena have been seen, is captured, and from then on the graph is replayed; without graphs the step only takes its
/// memory from the arena. The results have the same bits.
class ReplayedStep {
 public:
  using Body = std::function<void(Ctx&)>;

  /// `arena`: where the step's memory comes from; it outlives this. `captures`: into a graph.
  explicit ReplayedStep(ArenaAllocator& arena, bool captures = true)
      : arena_(arena), number_(arena.add_step()), captures_(captures) {}

  /// Runs the step: `body` allocates from the context it is given, and reads and writes no host memory that changes.
  void run(Ctx& ctx, const Body& body);

 private:
  ArenaAllocator& arena_;
  size_t number_;
  bool captures_, ran_ = false;
  std::optional<Graph> graph_;
};

}  // namespace ascore
