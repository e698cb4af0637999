#include "samplers/initial_state.hpp"

#include "engine/autograd/master_type.hpp"
#include "kernels/core/error.hpp"
#include "kernels/random_fill/random_fill.hpp"
#include "kernels/scaled_add/scaled_add.hpp"

#include <fmt/format.h>

namespace ascore {

const char* name(Start start) {
  switch (start) {
    case Start::uniform:
      return "uniform";
    case Start::prior:
      return "prior";
    case Start::data:
      return "data";
  }
  return "?";
}

Start parse_start(std::string_view text) {
  for (Start start : {Start::uniform, Start::prior, Start::data}) {
    if (text == name(start)) return start;
  }
  throw ConfigError(fmt::format("initial state \"{}\" is not known: uniform, prior or data", text));
}

Tensor uniform_start(Ctx& ctx, const Shape& shape, double low, double high, const NoiseKey& key) {
  Tensor x = ctx.empty(shape, master_type(ctx));
  kernels::random_uniform(ctx.stream, key, low, high, x);
  return x;
}

Tensor prior_start(Ctx& ctx, const Shape& shape, double sigma, const NoiseKey& key) {
  Tensor x = ctx.empty(shape, master_type(ctx));
  kernels::random_normal(ctx.stream, key, 0.0, sigma, x);
  return x;
}

Tensor data_start(Ctx& ctx, const Tensor& data, double sigma, const NoiseKey& key) {
  Tensor x = ctx.empty_like(data);
  kernels::random_normal(ctx.stream, key, 0.0, sigma, x);
  kernels::scaled_add(ctx.stream, 1.0, data, 1.0, x, x);
  return x;
}

}  // namespace ascore
