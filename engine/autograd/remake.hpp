#pragma once

#include "engine/autograd/tape.hpp"

#include <functional>
#include <utility>

namespace ascore {

/// For normalisations: where training is to do them again, nobody keeps what they give out, `y`.
inline void remake_if_asked(const Ctx& ctx, const Tensor& y, std::function<Tensor(Ctx&)> make) {
  if (ctx.tape->recompute() == Recompute::norm) ctx.tape->remake(y, std::move(make));
}

}  // namespace ascore
