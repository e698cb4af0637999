#pragma once

#include "engine/autograd/activated.hpp"
#include "engine/autograd/tape.hpp"

#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace ascore {

/// True if blocks are to be done again in backward.
inline bool redoes_blocks(const Ctx& ctx) {
  return ctx.tape && ctx.tape->recompute() == Recompute::block;
}

/// block(ctx), a Tensor or an Activated. Where training is to do blocks again, backward calls `block` once more and
/// nothing of it is kept until then, so it must hold what it reads by value.
///
///   return checkpoint(ctx, [this, x](Ctx& c) { return conv2_->forward(c, conv1_->forward(c, x)); });
template <class Block>
auto checkpoint(Ctx& ctx, Block block) {
  using Result = std::invoke_result_t<Block, Ctx&>;
  if (!redoes_blocks(ctx)) return block(ctx);
  if constexpr (std::is_same_v<Result, Activated>) {
    const auto kind = std::make_shared<std::pair<Activation, double>>();
    const std::vector<Tensor> made = ctx.tape->checkpoint(ctx, [block = std::move(block), kind](Ctx& c) {
      const Activated result = block(c);
      *kind = {result.activation, result.slope};
      return std::vector{result.raw, result.value, result.runs};
    });
    Activated result(made[0], made[1], kind->first, kind->second);
    result.runs = made[2];
    return result;
  } else {
    return ctx.tape->checkpoint(ctx, [block = std::move(block)](Ctx& c) { return std::vector<Tensor>{block(c)}; })[0];
  }
}

}  // namespace ascore
