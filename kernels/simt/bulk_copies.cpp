#include "kernels/simt/bulk_copies.hpp"

namespace ascore::kernels::simt {

BulkRows::BulkRows(const BulkCopy& copy) : copy_(copy) {
  for (int i = 0; i < 4; ++i) at_[i] = copy.start[i];
}

const uint16_t* BulkRows::line() const {
  const TensorMap& map = copy_.map;
  int64_t index = 0;
  for (int i = 3; i > 0; --i) {
    const int64_t place = at_[i] + (map.pixels && i < 3 ? copy_.offset[i - 1] : 0);
    if (place < 0 || place >= map.sizes[i]) return nullptr;
    index = index * map.sizes[i] + place;
  }
  return reinterpret_cast<const uint16_t*>(map.memory) + index * map.sizes[0];
}

void BulkRows::next() {
  const TensorMap& map = copy_.map;
  if (!map.pixels) {
    ++at_[1];
    if (++y_ < map.box[1]) return;
    y_ = 0;
    at_[1] = copy_.start[1];
    ++at_[2];
    return;
  }
  for (int i = 1; i < 3; ++i) {
    at_[i] += map.stride;
    if (at_[i] < map.sizes[i] + map.upper[i - 1]) return;
    at_[i] = map.lower[i - 1];
  }
  ++at_[3];
}

}  // namespace ascore::kernels::simt
