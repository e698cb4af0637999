#include "kernels/attention/attention_cpu.hpp"

#include "kernels/core/dispatch.hpp"
#include "kernels/core/parallel.hpp"
#include "kernels/core/vector_math.hpp"
#include "kernels/gemm/eigen_maps.hpp"
#include "kernels/gemm/host_parts.hpp"
#include "kernels/gemm/host_products.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <Eigen/Core>
#include <omp.h>

/// Tiles of queries times tiles of keys, each a product of Eigen's. A tile lies inside one image, and its size depends
/// on nothing else, so that every image has the same result, whatever the batch and the number of threads.
namespace ascore::kernels::cpu {

namespace {

constexpr int kTile = 64;

/// Scores or weights of a tile of queries (rows) and keys; fewer of either fill the upper left corner.
template <class Acc>
using Tile = Eigen::Map<Eigen::Matrix<Acc, kTile, kTile, Eigen::RowMajor>>;

/// Rows [begin, begin + count) of one image.
struct Range {
  int64_t image, begin, count;
};

/// The tiles of all images with `rows` rows each.
struct Ranges {
  Ranges(int64_t images, int image_rows)
      : rows(image_rows), per_image((rows + kTile - 1) / kTile), count(images * per_image) {}
  Range operator[](int64_t i) const {
    const int64_t begin = i % per_image * kTile;
    return {i / per_image, begin, std::min<int64_t>(kTile, rows - begin)};
  }
  int64_t rows, per_image, count;
};

/// Calls body(range) for the tiles of `rows` rows of one image.
template <class Body>
void for_tiles(int64_t image, int rows, const Body& body) {
  for (int64_t begin = 0; begin < rows; begin += kTile) {
    body(Range{image, begin, std::min<int64_t>(kTile, rows - begin)});
  }
}

/// A matrix whose rows are not adjacent.
template <class Acc>
using PitchedMap = Eigen::Map<const Matrix<Acc>, Eigen::Unaligned, Eigen::OuterStride<>>;

/// A batch of matrices [N, rows, width] as accumulators.
template <class Acc>
struct Batch {
  const Acc* values;
  int64_t rows, width, pitch;

  PitchedMap<Acc> operator[](const Range& range) const {
    return {values + (range.image * rows + range.begin) * pitch, range.count, width, Eigen::OuterStride<>(pitch)};
  }
};

/// q, k and v.
template <class Acc>
struct Inputs {
  Batch<Acc> q, k, v;
};
/// Whether rows are part of those that q is part of.
bool is_beside(const AttentionRows& rows, const AttentionRows& q) {
  return rows.view.raw() == q.view.raw() && rows.view.shape() == q.view.shape();
}

template <class T>
Inputs<accumulator_t<T>> inputs(Stream& stream, const AttentionSizes& s, const AttentionRows& q, const AttentionRows& k,
                                const AttentionRows& v) {
  const accumulator_t<T>* const wide_q = widened<T>(stream, q.view, HostScratch::source);
  // Parts of one tensor are widened together.
  const auto of = [&](const AttentionRows& rows, HostScratch::Slot slot) {
    return rows.first + (is_beside(rows, q) ? wide_q : widened<T>(stream, rows.view, slot));
  };
  return {{wide_q + q.first, s.queries, s.key_width, q.pitch},
          {of(k, HostScratch::weights), s.keys, s.key_width, k.pitch},
          {of(v, HostScratch::packed), s.keys, s.value_width, v.pitch}};
}

/// Bytes per image that `inputs` copies, and gradients of the output where there are some.
size_t widened_bytes(const AttentionSizes& s, const AttentionRows& q, const AttentionRows& k, const AttentionRows& v,
                     ConstView dy) {
  if (q.view.dtype() != DType::bf16) return 0;
  int64_t elements = q.view.count() + dy.count();
  for (const AttentionRows* rows : {&k, &v}) elements += is_beside(*rows, q) ? 0 : rows->view.count();
  return static_cast<size_t>(elements / s.images) * sizeof(float);
}

/// The rows of images [begin, end).
template <class V>
RowsIn<V> images(const RowsIn<V>& rows, int64_t begin, int64_t end) {
  RowsIn<V> part = rows;
  part.view = entries(rows.view, begin, end);
  return part;
}

/// Calls body(sizes of the part, begin, end) for parts of a batch.
template <class Body>
void for_images(const AttentionSizes& sizes, size_t copied, const Body& body) {
  for_parts(sizes.images, copied, [&](int64_t begin, int64_t end) {
    AttentionSizes part = sizes;
    part.images = end - begin;
    body(part, begin, end);
  });
}

/// Scratch of every thread: `count` accumulators each.
template <class Acc>
class PerThread {
 public:
  PerThread(Stream& stream, HostScratch::Slot slot, int64_t count)
      : count_((count + 15) / 16 * 16),  // whole cache lines
        memory_(take_scratch<Acc>(stream, slot, static_cast<size_t>(stream.threads() * count_))) {}
  Acc* mine() const { return memory_ + omp_get_thread_num() * count_; }

 private:
  int64_t count_;
  Acc* memory_;
};

template <class T>
void write_rows(const Range& range, const MatrixMap<accumulator_t<T>>& sums, int64_t rows, T* out, int64_t pitch) {
  T* const to = out + (range.image * rows + range.begin) * pitch;
  for (int64_t r = 0; r < sums.rows(); ++r) {
    const auto* const from = sums.data() + r * sums.cols();
    std::transform(from, from + sums.cols(), to + r * pitch, [](auto value) { return narrow<T>(value); });
  }
}

template <class Acc>
Acc highest(const Acc* values, int64_t count) {
  Acc top = -std::numeric_limits<Acc>::infinity();
#pragma omp simd reduction(max : top)
  for (int64_t i = 0; i < count; ++i) top = values[i] > top ? values[i] : top;
  return top;
}

/// values[i] = exp(values[i] - shift); their sum.
template <class Acc>
Acc exponentials(Acc* values, int64_t count, Acc shift) {
  Acc sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < count; ++i) {
    values[i] = vector_exp(values[i] - shift);
    sum += values[i];
  }
  return sum;
}

/// The softmax of rows whose scores arrive piece by piece: sums are relative to the highest score so far.
template <class Acc>
struct OnlineSoftmax {
  std::array<Acc, kTile> top, sum;
  OnlineSoftmax() {
    top.fill(-std::numeric_limits<Acc>::infinity());
    sum.fill(0);
  }
  /// Turns `count` further scores of row r into weights; what was summed with earlier ones has to be multiplied by the
  /// result.
  Acc weigh(int64_t r, Acc* scores, int64_t count) {
    const Acc before = top[r];
    top[r] = std::max(before, highest(scores, count));
    const Acc keep = vector_exp(before - top[r]);
    sum[r] = sum[r] * keep + exponentials(scores, count, top[r]);
    return keep;
  }
};

/// What both kinds of gradient start from.
template <class T>
struct Gradients {
  using Acc = accumulator_t<T>;
  Inputs<Acc> in;
  Batch<Acc> dy;
  Acc scale;
  const Acc *lse, *delta;  ///< [N,M]

  /// p of a tile of queries and keys.
  void probabilities(const Range& queries, const Range& keys, Tile<Acc>& p) const {
    p.topLeftCorner(queries.count, keys.count).noalias() = scale * in.q[queries] * in.k[keys].transpose();
    for (int64_t r = 0; r < queries.count; ++r) {
      exponentials(p.data() + r * kTile, keys.count, lse[queries.image * in.q.rows + queries.begin + r]);
    }
  }
  /// p becomes ds = scale p (dp - delta); `dp` is scratch.
  void slopes(const Range& queries, const Range& keys, Tile<Acc>& dp, Tile<Acc>& p) const {
    dp.topLeftCorner(queries.count, keys.count).noalias() = dy[queries] * in.v[keys].transpose();
    for (int64_t r = 0; r < queries.count; ++r) {
      const Acc shift = delta[queries.image * in.q.rows + queries.begin + r];
      const Acc* const from = dp.data() + r * kTile;
      Acc* const to = p.data() + r * kTile;
#pragma omp simd
      for (int64_t c = 0; c < keys.count; ++c) to[c] *= scale * (from[c] - shift);
    }
  }
};

template <class T>
void query_gradients(Stream& stream, const AttentionSizes& sizes, const Gradients<T>& g, const AttentionGradient& dq) {
  using Acc = accumulator_t<T>;
  const PerThread<Acc> tiles(stream, HostScratch::rows, 2 * kTile * kTile);
  const PerThread<Acc> sums(stream, HostScratch::columns, int64_t(kTile) * sizes.key_width);
  const Ranges ranges(sizes.images, sizes.queries);
  parallel_for(stream, ranges.count, 2, [&](int64_t i) {
    const Range queries = ranges[i];
    Tile<Acc> p(tiles.mine()), dp(tiles.mine() + kTile * kTile);
    MatrixMap<Acc> sum(sums.mine(), queries.count, sizes.key_width);
    sum.setZero();
    for_tiles(queries.image, sizes.keys, [&](const Range& keys) {
      g.probabilities(queries, keys, p);
      g.slopes(queries, keys, dp, p);
      sum.noalias() += p.topLeftCorner(queries.count, keys.count) * g.in.k[keys];
    });
    write_rows(queries, sum, sizes.queries, dq.as<T>(), dq.pitch);
  });
}

/// dk and dv, each unless absent.
template <class T>
void key_gradients(Stream& stream, const AttentionSizes& sizes, const Gradients<T>& g, const AttentionGradient& dk,
                   const AttentionGradient& dv) {
  using Acc = accumulator_t<T>;
  const PerThread<Acc> tiles(stream, HostScratch::rows, 2 * kTile * kTile);
  const PerThread<Acc> sums(stream, HostScratch::columns, int64_t(kTile) * (sizes.key_width + sizes.value_width));
  const Ranges ranges(sizes.images, sizes.keys);
  parallel_for(stream, ranges.count, 2, [&](int64_t i) {
    const Range keys = ranges[i];
    Tile<Acc> p(tiles.mine()), dp(tiles.mine() + kTile * kTile);
    MatrixMap<Acc> sum_k(sums.mine(), keys.count, sizes.key_width);
    MatrixMap<Acc> sum_v(sums.mine() + keys.count * sizes.key_width, keys.count, sizes.value_width);
    sum_k.setZero();
    sum_v.setZero();
    for_tiles(keys.image, sizes.queries, [&](const Range& queries) {
      g.probabilities(queries, keys, p);
      const auto weights = p.topLeftCorner(queries.count, keys.count);
      if (dv) sum_v.noalias() += weights.transpose() * g.dy[queries];
      if (!dk) return;
      g.slopes(queries, keys, dp, p);
      sum_k.noalias() += weights.transpose() * g.in.q[queries];
    });
    if (dk) write_rows(keys, sum_k, sizes.keys, dk.as<T>(), dk.pitch);
    if (dv) write_rows(keys, sum_v, sizes.keys, dv.as<T>(), dv.pitch);
  });
}

void attend(Stream& stream, const AttentionSizes& sizes, const AttentionRows& q, const AttentionRows& k,
            const AttentionRows& v, double scale, View y, View lse) {
  for_cpu_float_type(y.dtype(), [&]<class T>() {
    using Acc = accumulator_t<T>;
    const auto [queries, keys, values] = inputs<T>(stream, sizes, q, k, v);
    const PerThread<Acc> tiles(stream, HostScratch::rows, kTile * kTile);
    const PerThread<Acc> sums(stream, HostScratch::columns, int64_t(kTile) * sizes.value_width);
    const Ranges ranges(sizes.images, sizes.queries);
    parallel_for(stream, ranges.count, 2, [&](int64_t i) {
      const Range rows = ranges[i];
      Tile<Acc> tile(tiles.mine());
      MatrixMap<Acc> sum(sums.mine(), rows.count, sizes.value_width);
      sum.setZero();
      OnlineSoftmax<Acc> softmax;
      for_tiles(rows.image, sizes.keys, [&](const Range& columns) {
        auto weights = tile.topLeftCorner(rows.count, columns.count);
        weights.noalias() = static_cast<Acc>(scale) * queries[rows] * keys[columns].transpose();
        for (int64_t r = 0; r < rows.count; ++r) {
          sum.row(r) *= softmax.weigh(r, tile.data() + r * kTile, columns.count);
        }
        sum.noalias() += weights * values[columns];
      });
      for (int64_t r = 0; r < rows.count; ++r) {
        sum.row(r) /= softmax.sum[r];
        if (lse) {
          lse.as<Acc>()[rows.image * sizes.queries + rows.begin + r] = softmax.top[r] + std::log(softmax.sum[r]);
        }
      }
      write_rows(rows, sum, sizes.queries, y.as<T>(), sizes.value_width);
    });
  });
}

void gradients(Stream& stream, const AttentionSizes& sizes, const AttentionRows& q, const AttentionRows& k,
               const AttentionRows& v, double scale, ConstView y, ConstView lse, ConstView dy,
               const AttentionGradient& dq, const AttentionGradient& dk, const AttentionGradient& dv, View workspace) {
  for_cpu_float_type(y.dtype(), [&]<class T>() {
    using Acc = accumulator_t<T>;
    Acc* const delta = reinterpret_cast<Acc*>(workspace.as<uint8_t>());
    const Gradients<T> g{
        inputs<T>(stream, sizes, q, k, v),
        {widened<T>(stream, dy, HostScratch::destination), sizes.queries, sizes.value_width, sizes.value_width},
        static_cast<Acc>(scale),
        lse.as<Acc>(),
        delta};
    const T* const outputs = y.as<T>();
    parallel_for(stream, sizes.images * sizes.queries, 64, [&](int64_t row) {
      const int64_t width = sizes.value_width;
      Acc sum = 0;
      for (int64_t e = 0; e < width; ++e) sum += g.dy.values[row * width + e] * widen(outputs[row * width + e]);
      delta[row] = sum;
    });
    if (dq) query_gradients(stream, sizes, g, dq);
    if (dk || dv) key_gradients(stream, sizes, g, dk, dv);
  });
}

}  // namespace

void attention(Stream& stream, const AttentionSizes& sizes, const AttentionRows& q, const AttentionRows& k,
               const AttentionRows& v, double scale, MathMode, View y, View lse) {
  for_images(sizes, widened_bytes(sizes, q, k, v, {}), [&](const AttentionSizes& part, int64_t begin, int64_t end) {
    attend(stream, part, images(q, begin, end), images(k, begin, end), images(v, begin, end), scale,
           entries(y, begin, end), entries(lse, begin, end));
  });
}

void attention_backward(Stream& stream, const AttentionSizes& sizes, const AttentionRows& q, const AttentionRows& k,
                        const AttentionRows& v, double scale, ConstView y, ConstView lse, ConstView dy, MathMode,
                        const AttentionGradient& dq, const AttentionGradient& dk, const AttentionGradient& dv,
                        View workspace) {
  for_images(sizes, widened_bytes(sizes, q, k, v, dy), [&](const AttentionSizes& part, int64_t begin, int64_t end) {
    gradients(stream, part, images(q, begin, end), images(k, begin, end), images(v, begin, end), scale,
              entries(y, begin, end), entries(lse, begin, end), entries(dy, begin, end), images(dq, begin, end),
              images(dk, begin, end), images(dv, begin, end), workspace);
  });
}

}  // namespace ascore::kernels::cpu
