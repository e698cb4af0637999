#pragma once

#include "kernels/core/op_scope.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace ascore::kernels::simt {

/// What a captured step queued, in order: launches with their arguments by value, copies and fills of memory. The
/// operation around them is remembered too, so that a replay is checked like the step itself.
class Recording {
 public:
  using Work = std::function<void(Stream&)>;
  /// Remembers `work` as part of the stream's current operation.
  void add(const Stream& stream, Work work);
  /// Runs everything once more, on a stream of the device that it was recorded on.
  void replay(Stream& stream);
  size_t size() const { return work_.size(); }

 private:
  /// Work that follows each other in one operation; `op` null: outside operations.
  struct Stretch {
    uint64_t serial;
    const char* op;
    std::vector<OpArgument> arguments;
    size_t end;
  };
  void begin_stretch(const OpScope* op, uint64_t serial);

  std::vector<Stretch> stretches_;
  std::vector<Work> work_;
};

}  // namespace ascore::kernels::simt
