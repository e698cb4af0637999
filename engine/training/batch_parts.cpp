#include "engine/training/batch_parts.hpp"

#include "kernels/core/memory.hpp"

#include <algorithm>

namespace ascore {

std::vector<BatchPart> parts_of(int64_t count, int64_t most) {
  if (most == 0) return {{0, count}};
  std::vector<BatchPart> parts;
  for (int64_t begin = 0; begin < count; begin += most) parts.push_back({begin, std::min(begin + most, count)});
  return parts;
}

NoisyBatch rows(const NoisyBatch& batch, const BatchPart& part) {
  const auto some = [&](const Tensor& x) { return x.rows(part.begin, part.end); };
  return {
      .clean = some(batch.clean), .noisy = some(batch.noisy), .sigma = some(batch.sigma), .target = some(batch.target)};
}

void put_rows(Ctx& ctx, const Tensor& batch, const BatchPart& part, const Tensor& values) {
  copy(ctx.stream, batch.rows(part.begin, part.end).view(), values);
}

Tensor plus(Ctx& ctx, const Tensor& sum, const Tensor& value, double weight) {
  Ctx plain = ctx.detached();
  const Tensor more = scale(plain, value, weight);
  return sum ? add(plain, sum, more) : more;
}

}  // namespace ascore
