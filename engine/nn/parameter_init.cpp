#include "engine/nn/parameters.hpp"
#include "engine/training/random_streams.hpp"
#include "kernels/core/memory.hpp"
#include "kernels/fill/fill.hpp"
#include "kernels/random_fill/random_fill.hpp"

#include <cmath>
#include <vector>

namespace ascore {

namespace {
/// FNV-1a: any fixed function of the bytes that tells names apart will do, but its values are part of every result.
uint64_t hash(std::string_view root, std::string_view name) {
  uint64_t h = 0xcbf29ce484222325u;
  for (const std::string_view part : {root, name}) {
    for (const char c : part) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  }
  return h;
}

/// Divides the elements by their length, on the host: the same bits on every device.
void normalize(Ctx& ctx, const Tensor& x) {
  std::vector<double> values = ctx.to_host(x);
  double squares = 0;
  for (const double value : values) squares += value * value;
  for (double& value : values) value /= std::sqrt(squares);
  copy(ctx.stream, x.view(), ctx.from_host(values, x.shape(), x.dtype()));
}

void draw(Ctx& ctx, const Parameter& p, uint64_t seed, std::string_view root) {
  Stream& stream = ctx.stream;
  const uint64_t h = hash(root, p.name);
  const NoiseKey key{seed, id(RandomStream::init), h & 0xffffffffu, static_cast<uint32_t>(h >> 32)};
  const Init init = p.init.resolved(p.shape);
  const Tensor row = p.value.alias({1, p.shape.count()});  // one row: the whole parameter is one sample of the draw
  if (init.kind == Init::Kind::constant) {
    kernels::fill(stream, row.view(), init.a);
  } else if (init.kind == Init::Kind::unit_vector) {
    kernels::random_normal(stream, key, 0, 1, row.view());
    normalize(ctx, row);
  } else if (init.kind == Init::Kind::normal) {
    kernels::random_normal(stream, key, init.a, init.b, row.view());
  } else {
    kernels::random_uniform(stream, key, init.a, init.b, row.view());
  }
}
}  // namespace

void ParameterSet::initialise(Ctx& ctx, uint64_t seed, std::string_view root) {
  for (const auto* list : {&trainable_, &buffers_}) {
    for (const Parameter* p : *list) draw(ctx, *p, seed, root);
  }
  mark_changed();
}

}  // namespace ascore
