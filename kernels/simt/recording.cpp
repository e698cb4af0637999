#include "kernels/simt/recording.hpp"

#include <optional>
#include <utility>

namespace ascore::kernels::simt {

void Recording::begin_stretch(const OpScope* op, uint64_t serial) {
  Stretch stretch{serial, nullptr, {}, 0};
  if (op) {
    stretch.op = op->name();
    stretch.arguments.assign(op->arguments().begin(), op->arguments().end());
    // It goes on after an operation inside it: what it may read it has written itself, in an earlier stretch.
    if (!stretches_.empty() && serial < stretches_.back().serial) {
      for (OpArgument& argument : stretch.arguments) {
        if (argument.use == OpArgument::Use::output) argument.use = OpArgument::Use::in_out;
      }
    }
  }
  stretches_.push_back(std::move(stretch));
}

void Recording::add(const Stream& stream, Work work) {
  const OpScope* const op = stream.current_op();
  const uint64_t serial = op ? op->serial() : 0;
  if (stretches_.empty() || stretches_.back().serial != serial) begin_stretch(op, serial);
  work_.push_back(std::move(work));
  stretches_.back().end = work_.size();
}

void Recording::replay(Stream& stream) {
  size_t next = 0;
  for (const Stretch& stretch : stretches_) {
    std::optional<OpScope> op;
    if (stretch.op) op.emplace(stream, stretch.op, std::span<const OpArgument>(stretch.arguments));
    for (; next < stretch.end; ++next) work_[next](stream);
  }
}

}  // namespace ascore::kernels::simt
