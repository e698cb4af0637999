#include "engine/training/held_buffers.hpp"

#include "kernels/core/memory.hpp"

namespace ascore {

HeldBuffers::HeldBuffers(Ctx& ctx, const ParameterSet& set) {
  for (const Parameter* buffer : set.buffers()) {
    held_.emplace_back(buffer->value, ctx.empty(buffer->value.shape(), buffer->value.dtype(), MemoryKind::workspace));
    copy(ctx.stream, held_.back().second.view(), buffer->value);
  }
}

void HeldBuffers::restore(Ctx& ctx) const {
  for (const auto& [buffer, values] : held_) copy(ctx.stream, buffer.view(), values);
}

}  // namespace ascore
