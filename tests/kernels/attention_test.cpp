#include "kernels/attention/attention.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace ascore;

namespace {

using Values = std::vector<double>;

struct Case {
  int64_t N, M, P, D, E;
  double scale;
};

Values rounded(Values values, DType dtype) {
  if (dtype == DType::f64) return values;
  for (double& v : values) v = dtype == DType::bf16 ? test::round_bf16(v) : test::round_f32(v);
  return values;
}

std::vector<DType> dtypes(Device device) {
  if (device == Device::cpu) return {DType::f32, DType::bf16, DType::f64};
  return {DType::f32, DType::bf16};
}

/// Everything about one image by plain loops in Acc, with the M x P matrices in memory. `weight_dtype`: what weights
/// are rounded to before they are multiplied.
struct Result {
  Values y, lse, dq, dk, dv;
};
template <class Acc>
struct Loops {
  Case c;
  DType weight_dtype;
  const double *q, *k, *v, *dy, *y;  ///< y: what the backward pass is given; null where it takes its own

  Acc score(int64_t m, int64_t p) const {
    Acc sum = 0;
    for (int64_t d = 0; d < c.D; ++d) sum += static_cast<Acc>(q[m * c.D + d]) * static_cast<Acc>(k[p * c.D + d]);
    return static_cast<Acc>(c.scale) * sum;
  }
  Acc weight(Acc value) const {
    return weight_dtype == DType::bf16 ? static_cast<Acc>(test::round_bf16(static_cast<double>(value))) : value;
  }

  Result operator()() const {
    std::vector<Acc> out(c.M * c.E), dq(c.M * c.D), dk(c.P * c.D), dv(c.P * c.E);
    Result result;
    for (int64_t m = 0; m < c.M; ++m) {
      std::vector<Acc> weights;
      for (int64_t p = 0; p < c.P; ++p) weights.push_back(score(m, p));
      const Acc top = *std::max_element(weights.begin(), weights.end());
      Acc total = 0;
      for (Acc& w : weights) total += w = std::exp(w - top);
      result.lse.push_back(static_cast<double>(top + std::log(total)));
      for (int64_t p = 0; p < c.P; ++p) {
        for (int64_t e = 0; e < c.E; ++e) {
          out[m * c.E + e] += weight(weights[p]) * static_cast<Acc>(v[p * c.E + e]) / total;
        }
      }
      Acc delta = 0;
      for (int64_t e = 0; e < c.E; ++e) {
        delta += static_cast<Acc>(dy[m * c.E + e]) * (y ? static_cast<Acc>(y[m * c.E + e]) : out[m * c.E + e]);
      }
      for (int64_t p = 0; p < c.P; ++p) {
        Acc dp = 0;
        for (int64_t e = 0; e < c.E; ++e) dp += static_cast<Acc>(dy[m * c.E + e]) * static_cast<Acc>(v[p * c.E + e]);
        const Acc probability = weights[p] / total;
        const Acc ds = weight(static_cast<Acc>(c.scale) * probability * (dp - delta));
        for (int64_t d = 0; d < c.D; ++d) {
          dq[m * c.D + d] += ds * static_cast<Acc>(k[p * c.D + d]);
          dk[p * c.D + d] += ds * static_cast<Acc>(q[m * c.D + d]);
        }
        for (int64_t e = 0; e < c.E; ++e) {
          dv[p * c.E + e] += weight(probability) * static_cast<Acc>(dy[m * c.E + e]);
        }
      }
    }
    const auto widened = [](const std::vector<Acc>& values) { return Values(values.begin(), values.end()); };
    result.y = widened(out), result.dq = widened(dq), result.dk = widened(dk), result.dv = widened(dv);
    return result;
  }
};

/// All images of a batch. `ys` as `Loops::y`; may be empty.
template <class Acc>
Result by_loops(const Case& c, DType weights, const Values& q, const Values& k, const Values& v, const Values& dy,
                const Values& ys = {}) {
  Result all;
  for (int64_t n = 0; n < c.N; ++n) {
    const Result one = Loops<Acc>{c,
                                  weights,
                                  &q[n * c.M * c.D],
                                  &k[n * c.P * c.D],
                                  &v[n * c.P * c.E],
                                  &dy[n * c.M * c.E],
                                  ys.empty() ? nullptr : &ys[n * c.M * c.E]}();
    const auto append = [](Values& to, const Values& from) { to.insert(to.end(), from.begin(), from.end()); };
    append(all.y, one.y), append(all.lse, one.lse);
    append(all.dq, one.dq), append(all.dk, one.dk), append(all.dv, one.dv);
  }
  return all;
}

/// Products of f32 by three of tf32 are 2^-20 off each term: a score so by up to 2^-20 of the sum of |scale q k|, whose
/// weight by as much, relatively.
double floor_for(Device device, DType dtype, const Case& c, const Values& q, const Values& k) {
  if (dtype == DType::f64) return 1e-13;
  if (device == Device::cpu) return 1e-7;
  double largest = 0;
  for (int64_t n = 0; n < c.N; ++n) {
    for (int64_t m = 0; m < c.M; ++m) {
      for (int64_t p = 0; p < c.P; ++p) {
        double size = 0;
        for (int64_t d = 0; d < c.D; ++d)
          size += std::abs(c.scale * q[(n * c.M + m) * c.D + d] * k[(n * c.P + p) * c.D + d]);
        largest = std::max(largest, size);
      }
    }
  }
  return std::ldexp(1 + largest, -20);
}

test::Buffer workspace_for(const Case& c, Device device, DType dtype) {
  const size_t bytes = kernels::attention_backward_workspace_bytes({c.N, c.M, c.D}, dtype);
  return test::poisoned(device, {static_cast<int64_t>(bytes)}, DType::u8);
}

}  // namespace

TEST_CASE("attention and its gradients agree with plain f64 loops on every device") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE_COPY(from_range(dtypes(device)));
  // One of everything; odd sizes; BigGAN's (keys a quarter of the queries); a value wider than a block's part; two
  // parts and two tiles of both, with whole chunks; queries wider than that.
  const Case c = GENERATE(Case{1, 1, 1, 1, 1, 1.0}, Case{2, 5, 3, 2, 7, -0.8}, Case{1, 70, 65, 33, 20, 0.17},
                          Case{2, 64, 16, 8, 32, 1.0}, Case{1, 9, 67, 16, 136, 0.25}, Case{1, 130, 70, 24, 72, 0.2},
                          Case{1, 66, 20, 140, 12, 0.085});
  CAPTURE(name(device), name(dtype), c.N, c.M, c.P, c.D, c.E);
  const DType sums = accumulator(dtype);
  const auto q = test::data(device, {c.N, c.M, c.D}, dtype, test::Fill::normal, 1);
  const auto k = test::data(device, {c.N, c.P, c.D}, dtype, test::Fill::normal, 2);
  const auto v = test::data(device, {c.N, c.P, c.E}, dtype, test::Fill::normal, 3);
  const auto dy = test::data(device, {c.N, c.M, c.E}, dtype, test::Fill::normal, 4);
  const Values qs = q.values(), ks = k.values(), vs = v.values(), dys = dy.values();
  const Result reference = by_loops<double>(c, DType::f64, qs, ks, vs, dys);
  const auto given_y = test::buffer(device, {c.N, c.M, c.E}, dtype, reference.y);
  const auto given_lse = test::buffer(device, {c.N, c.M}, sums, reference.lse);
  const Result twin = dtype == DType::f64 ? reference : by_loops<float>(c, dtype, qs, ks, vs, dys, given_y.values());

  std::optional<std::vector<Values>> first;
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    auto y = test::poisoned(device, {c.N, c.M, c.E}, dtype), lse = test::poisoned(device, {c.N, c.M}, sums);
    auto dq = test::poisoned(device, {c.N, c.M, c.D}, dtype), dk = test::poisoned(device, {c.N, c.P, c.D}, dtype);
    auto dv = test::poisoned(device, {c.N, c.P, c.E}, dtype), workspace = workspace_for(c, device, dtype);
    kernels::attention(stream, q, k, v, c.scale, y, lse);
    kernels::attention_backward(stream, q, k, v, c.scale, given_y, given_lse, dy, dq, dk, dv, workspace);
    stream.synchronize();
    test::require_kernels_ran(stream);
    const std::vector<Values> results{y.values(), lse.values(), dq.values(), dk.values(), dv.values()};
    if (!first) first = results;
    CHECK(results == *first);
  }
  const double floor = floor_for(device, dtype, c, qs, ks);
  const std::vector<Values> wanted{reference.y, reference.lse, reference.dq, reference.dk, reference.dv};
  const std::vector<Values> naive{twin.y, twin.lse, twin.dq, twin.dk, twin.dv};
  for (size_t i = 0; i < wanted.size(); ++i) {
    CAPTURE(i);
    CHECK_THAT((*first)[i],
               test::at_most_twice_the_error_of(rounded(naive[i], i == 1 ? sums : dtype), wanted[i], floor));
  }
}

TEST_CASE("attention weighs keys right whose scores are far apart, and in any order") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE_COPY(from_range(dtypes(device)));
  // Key p scores +-3 p: weights of early tiles are forgotten when later ones outweigh them by e^200, or the reverse.
  const double sign = GENERATE(1.0, -1.0);
  CAPTURE(name(device), name(dtype), sign);
  constexpr int64_t kKeys = 70;
  Values ks, vs;
  for (int64_t p = 0; p < kKeys; ++p) ks.push_back(static_cast<double>(p)), vs.push_back(static_cast<double>(p + 1));
  const auto q = test::buffer(device, {1, 1, 1}, dtype, Values{3 * sign}),
             k = test::buffer(device, {1, kKeys, 1}, dtype, ks);
  const auto v = test::buffer(device, {1, kKeys, 1}, dtype, vs);
  Stream stream(device);
  auto y = test::poisoned(device, {1, 1, 1}, dtype), lse = test::poisoned(device, {1, 1}, accumulator(dtype));
  kernels::attention(stream, q, k, v, 1, y, lse);
  stream.synchronize();
  // Weights fall by r = e^-3 from the best key on: they add up to 1 / (1 - r), at a mean distance of r / (1 - r).
  const double r = std::exp(-3), mean = r / (1 - r);
  CHECK(y.values()[0] == Approx(sign > 0 ? kKeys - mean : 1 + mean).epsilon(dtype == DType::bf16 ? 4e-3 : 1e-6));
  CHECK(lse.values()[0] == Approx((sign > 0 ? 3.0 * (kKeys - 1) : 0.0) - std::log1p(-r)).epsilon(1e-6));
}

TEST_CASE("attention's gradients do not meet what lies beside the last key and query") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE_COPY(from_range(dtypes(device)));
  CAPTURE(name(device), name(dtype));
  // All scores are -200: weights of queries or keys that are not there would be e^196, which f32 does not hold.
  constexpr int64_t kSize = 70;
  constexpr double kMean = (kSize - 1) / 2.0, kQuery = 20, kKey = -10;
  const auto all = [&](double value) { return Values(kSize, value); };
  Values vs(kSize);
  std::iota(vs.begin(), vs.end(), 0);
  const Shape shape{1, kSize, 1};
  const auto make = [&](const Values& values) { return test::buffer(device, shape, dtype, values); };
  const auto q = make(all(kQuery)), k = make(all(kKey)), v = make(vs), dy = make(all(1)), y = make(all(kMean));
  const auto lse = test::buffer(device, {1, kSize}, accumulator(dtype), all(kQuery * kKey + std::log(kSize)));
  auto dq = test::poisoned(device, shape, dtype), dk = test::poisoned(device, shape, dtype),
       dv = test::poisoned(device, shape, dtype);
  auto workspace = workspace_for({1, kSize, kSize, 1, 1, 1.0}, device, dtype);
  Stream stream(device);
  kernels::attention_backward(stream, q, k, v, 1, y, lse, dy, dq, dk, dv, workspace);
  stream.synchronize();
  const double error = dtype == DType::bf16 ? 1e-2 : 1e-4;
  for (int64_t i = 0; i < kSize; ++i) {
    const auto at = static_cast<size_t>(i);
    CHECK(dv.values()[at] == Approx(1).epsilon(error));  // every weight is 1/70, and there are 70 queries
    CHECK(dk.values()[at] == Approx(kQuery * (vs[at] - kMean)).epsilon(error).margin(error));
    CHECK(dq.values()[at] == Approx(0).margin(100 * error));  // all keys are equal
  }
}

TEST_CASE("attention_backward computes only the gradients that are wanted") {
  const auto device = GENERATE(from_range(test::devices()));
  const Case c{2, 6, 5, 4, 3, 0.5};
  Stream stream(device);
  const auto q = test::data(device, {2, 6, 4}), k = test::data(device, {2, 5, 4}, DType::f32, test::Fill::normal, 2);
  const auto v = test::data(device, {2, 5, 3}), dy = test::data(device, {2, 6, 3}, DType::f32, test::Fill::normal, 3);
  auto y = test::poisoned(device, {2, 6, 3}), lse = test::poisoned(device, {2, 6});
  auto workspace = workspace_for(c, device, DType::f32);
  kernels::attention(stream, q, k, v, c.scale, y, lse);
  const auto gradients = [&](bool wants_q, bool wants_k, bool wants_v) {
    auto dq = test::poisoned(device, {2, 6, 4}), dk = test::poisoned(device, {2, 5, 4}),
         dv = test::poisoned(device, {2, 5, 3});
    kernels::attention_backward(stream, q, k, v, c.scale, y, lse, dy, wants_q ? View(dq) : View{},
                                wants_k ? View(dk) : View{}, wants_v ? View(dv) : View{}, workspace);
    stream.synchronize();
    return std::vector<Values>{dq.values(), dk.values(), dv.values()};
  };
  const auto all = gradients(true, true, true);
  CHECK(gradients(true, false, false)[0] == all[0]);
  CHECK(gradients(false, true, false)[1] == all[1]);
  CHECK(gradients(false, false, true)[2] == all[2]);
}

TEST_CASE("an image's attention is the same in any batch and with any number of threads") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE_COPY(from_range(dtypes(device)));
  CAPTURE(name(device), name(dtype));
  const auto q = test::data(device, {3, 70, 5}, dtype), k = test::data(device, {3, 9, 5}, dtype, test::Fill::normal, 2);
  const auto v = test::data(device, {3, 9, 4}, dtype, test::Fill::normal, 3);
  const auto images = [&](const test::Buffer& x, int64_t count) {
    const Values values = x.values();
    const auto size = static_cast<size_t>(count * x.shape()[1] * x.shape()[2]);
    return test::buffer(device, {count, x.shape()[1], x.shape()[2]}, dtype, std::span(values).first(size));
  };
  std::optional<Values> first;
  for (int threads : {1, 2, 3}) {
    if (device != Device::cpu && threads > 1) continue;
    Stream stream(device, {.threads = threads});
    for (int64_t batch : {1, 2, 3}) {
      auto y = test::poisoned(device, {batch, 70, 4}, dtype);
      kernels::attention(stream, images(q, batch), images(k, batch), images(v, batch), 0.4, y, {});
      stream.synchronize();
      Values image = y.values();
      image.resize(70 * 4);
      if (!first) first = image;
      CAPTURE(threads, batch);
      CHECK(image == *first);
    }
  }
}

TEST_CASE("attention of rows q|k|v is attention of their parts, bit for bit") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE_COPY(from_range(dtypes(device)));
  const Shape shape = GENERATE(Shape{2, 5, 1}, Shape{1, 70, 33}, Shape{2, 66, 24}, Shape{1, 9, 136});  // y: [N,M,D]
  CAPTURE(name(device), name(dtype), to_string(shape));
  const int64_t rows = shape[0] * shape[1], width = shape[2];
  const Shape whole{shape[0], shape[1], 3 * width};
  const auto qkv = test::data(device, whole, dtype), dy = test::data(device, shape, dtype, test::Fill::normal, 2);
  const auto part_of = [&](const Values& all, int64_t part) {
    Values values;
    for (int64_t r = 0; r < rows; ++r) {
      const auto first = all.begin() + (3 * r + part) * width;
      values.insert(values.end(), first, first + width);
    }
    return values;
  };
  const auto part = [&](int64_t i) { return test::buffer(device, shape, dtype, part_of(qkv.values(), i)); };
  const auto q = part(0), k = part(1), v = part(2);
  const auto statistics = [&] { return test::poisoned(device, {shape[0], shape[1]}, accumulator(dtype)); };
  auto y = test::poisoned(device, shape, dtype), y_parts = test::poisoned(device, shape, dtype);
  auto lse = statistics(), lse_parts = statistics();
  auto dqkv = test::poisoned(device, whole, dtype), dq = test::poisoned(device, shape, dtype),
       dk = test::poisoned(device, shape, dtype), dv = test::poisoned(device, shape, dtype);
  auto workspace = workspace_for({shape[0], shape[1], shape[1], width, width, 1}, device, dtype);
  Stream stream(device);
  kernels::attention_qkv(stream, qkv, 0.3, y, lse);
  kernels::attention(stream, q, k, v, 0.3, y_parts, lse_parts);
  kernels::attention_qkv_backward(stream, qkv, 0.3, y, lse, dy, dqkv, workspace);
  kernels::attention_backward(stream, q, k, v, 0.3, y, lse, dy, dq, dk, dv, workspace);
  stream.synchronize();
  test::require_kernels_ran(stream);
  CHECK(y.values() == y_parts.values());
  CHECK(lse.values() == lse_parts.values());
  const Values gradients = dqkv.values();
  CHECK(part_of(gradients, 0) == dq.values());
  CHECK(part_of(gradients, 1) == dk.values());
  CHECK(part_of(gradients, 2) == dv.values());
}

TEST_CASE("attention of no image is nothing, and arguments that do not fit are refused") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  auto none = test::poisoned(device, {0, 3, 2});
  kernels::attention(stream, test::data(device, {0, 3, 4}), test::data(device, {0, 5, 4}),
                     test::data(device, {0, 5, 2}), 1, none, {});
  const auto q = test::data(device, {2, 3, 4}), k = test::data(device, {2, 5, 4}), v = test::data(device, {2, 5, 2});
  auto y = test::poisoned(device, {2, 3, 2}), half = test::poisoned(device, {2, 3, 2}, DType::bf16);
  CHECK_THROWS_AS(kernels::attention(stream, q, test::data(device, {2, 5, 3}), v, 1, y, {}), ShapeError);
  CHECK_THROWS_AS(kernels::attention(stream, q, k, test::data(device, {2, 4, 2}), 1, y, {}), ShapeError);
  CHECK_THROWS_AS(kernels::attention(stream, q, k, v, 1, y, test::poisoned(device, {2, 5})), ShapeError);
  CHECK_THROWS_AS(kernels::attention(stream, q, k, v, 1, half, {}), DTypeError);
  CHECK_THROWS_AS(kernels::attention_backward(stream, q, k, v, 1, y, test::poisoned(device, {2, 3}), y,
                                              test::poisoned(device, {2, 3, 4}), {}, {}, {}),
                  ShapeError);
  const auto qkv = test::data(device, {2, 3, 6});
  CHECK_THROWS_AS(kernels::attention_qkv(stream, q, 1, y, {}), ShapeError);  // 4 is no multiple of 3
  CHECK_THROWS_AS(kernels::attention_qkv(stream, qkv, 1, test::poisoned(device, {2, 3, 3}), {}), ShapeError);
  CHECK_THROWS_AS(kernels::attention_qkv(stream, qkv, 1, half, {}), DTypeError);
  auto lse = test::poisoned(device, {2, 3});
  CHECK_THROWS_AS(kernels::attention_qkv_backward(stream, qkv, 1, y, lse, y, {}, {}), ShapeError);
}
