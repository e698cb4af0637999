#include "engine/nn/parameters.hpp"
#include "engine/training/random_streams.hpp"
#include "kernels/fill/fill.hpp"
#include "kernels/random_fill/random_fill.hpp"

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

void draw(Stream& stream, const Parameter& p, uint64_t seed, std::string_view root) {
  const uint64_t h = hash(root, p.name);
  const NoiseKey key{seed, id(RandomStream::init), h & 0xffffffffu, static_cast<uint32_t>(h >> 32)};
  const Init init = p.init.resolved(p.shape);
  const Tensor row = p.value.alias({1, p.shape.count()});  // one row: the whole parameter is one sample of the draw
  if (init.kind == Init::Kind::constant) {
    kernels::fill(stream, row.view(), init.a);
  } else if (init.kind == Init::Kind::normal) {
    kernels::random_normal(stream, key, init.a, init.b, row.view());
  } else {
    kernels::random_uniform(stream, key, init.a, init.b, row.view());
  }
}
}  // namespace

void ParameterSet::initialise(Ctx& ctx, uint64_t seed, std::string_view root) {
  for (const auto* list : {&trainable_, &buffers_}) {
    for (const Parameter* p : *list) draw(ctx.stream, *p, seed, root);
  }
  mark_changed();
}

}  // namespace ascore
