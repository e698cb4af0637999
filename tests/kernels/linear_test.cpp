#include "kernels/linear/linear.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"

using namespace ascore;

namespace {

using Values = std::vector<double>;

struct Case {
  int64_t N, I, O;
};

Values rounded(Values values, DType dtype) {
  if (dtype == DType::f64) return values;
  for (double& v : values) v = dtype == DType::bf16 ? test::round_bf16(v) : test::round_f32(v);
  return values;
}

/// c[r][q] = start[q] + sum over k of a(r,k) b(k,q), in plain loops; Acc = double is the reference, float the twin.
template <class Acc, class A, class B>
Values product(int64_t rows, int64_t depth, int64_t columns, A a, B b, const Values& start = {}) {
  Values c;
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t q = 0; q < columns; ++q) {
      Acc sum = 0;
      for (int64_t k = 0; k < depth; ++k) sum += static_cast<Acc>(a(r, k)) * static_cast<Acc>(b(k, q));
      if (!start.empty()) sum += static_cast<Acc>(start[q]);
      c.push_back(static_cast<double>(sum));
    }
  }
  return c;
}

std::vector<DType> dtypes(Device device) {
  if (device == Device::cpu) return {DType::f32, DType::bf16, DType::f64};
  return {DType::f32, DType::bf16};
}

/// Products of f32 by three of tf32 have an error of their own, which sums of few terms do not hide: 4e-7.
void check(Device device, const Values& values, const Values& naive, const Values& reference, DType dtype, bool exact) {
  if (exact) {
    CHECK(values == rounded(reference, dtype));
  } else if (dtype == DType::f64) {
    CHECK_THAT(values, test::at_most_twice_the_error_of(naive, reference, 1e-14));
  } else {
    const double floor = device == Device::cpu ? 1e-7 : 4e-7;
    CHECK_THAT(values, test::at_most_twice_the_error_of(rounded(naive, dtype), reference, floor));
  }
}

test::Buffer workspace_for(const Case& c, Device device) {
  const size_t bytes = kernels::linear_wgrad_workspace_bytes(device, {c.N, c.I}, {c.O, c.I});
  return test::poisoned(device, {static_cast<int64_t>(bytes)}, DType::u8);
}

}  // namespace

TEST_CASE("linear and its gradients agree with plain f64 loops on every device") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE_COPY(from_range(dtypes(device)));
  const auto [N, I, O] = GENERATE(table<int64_t, int64_t, int64_t>({{1, 1, 1},
                                                                    {3, 2, 33},
                                                                    {17, 33, 5},
                                                                    {70, 65, 66},
                                                                    {20, 40, 24},
                                                                    {16, 16, 72},
                                                                    {0, 4, 3},
                                                                    {600, 3, 2},
                                                                    {1100, 17, 1}}));
  const auto fill = GENERATE(test::Fill::normal, test::Fill::integers);
  CAPTURE(name(device), name(dtype), N, I, O, static_cast<int>(fill));
  const Case c{N, I, O};
  const DType sums = accumulator(dtype);
  const bool exact = fill == test::Fill::integers, with_bias = O % 2 == 1;
  const auto x = test::data(device, {N, I}, dtype, fill, 1), dy = test::data(device, {N, O}, dtype, fill, 2);
  const auto weight = test::data(device, {O, I}, O == 5 ? dtype : sums, fill, 3);
  const auto bias = test::data(device, {O}, sums, fill, 4);
  const Values xs = x.values(), dys = dy.values(), ws = rounded(weight.values(), dtype);
  const Values bs = with_bias ? bias.values() : Values{};

  std::optional<Values> first[4];
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    auto y = test::poisoned(device, {N, O}, dtype), dx = test::poisoned(device, {N, I}, dtype);
    auto dw = test::poisoned(device, {O, I}, sums), db = test::poisoned(device, {O}, sums);
    auto workspace = workspace_for(c, device);
    kernels::linear(stream, x, weight, with_bias ? ConstView(bias) : ConstView{}, y);
    kernels::linear_dgrad(stream, dy, weight, dx);
    kernels::linear_wgrad(stream, x, dy, dw, db, workspace);
    stream.synchronize();
    test::require_kernels_ran(stream);
    const Values results[4] = {y.values(), dx.values(), dw.values(), db.values()};
    for (int i = 0; i < 4; ++i) {
      if (!first[i]) first[i] = results[i];
      CHECK(results[i] == *first[i]);
    }
  }
  const auto at_x = [&, width = I](int64_t n, int64_t i) { return xs[n * width + i]; };
  const auto at_dy = [&, width = O](int64_t n, int64_t o) { return dys[n * width + o]; };
  const auto at_w = [&, width = I](int64_t o, int64_t i) { return ws[o * width + i]; };
  const auto swap = [](auto f) { return [f](int64_t a, int64_t b) { return f(b, a); }; };
  const auto both = [&](int which, DType type, auto f) {
    const Values reference = f.template operator()<double>();
    check(device, *first[which], dtype == DType::f64 ? reference : f.template operator()<float>(), reference, type,
          exact);
  };
  both(0, dtype, [&, n = N, i = I, o = O]<class A>() { return product<A>(n, i, o, at_x, swap(at_w), bs); });
  both(1, dtype, [&, n = N, i = I, o = O]<class A>() { return product<A>(n, o, i, at_dy, at_w); });
  both(2, sums, [&, n = N, i = I, o = O]<class A>() { return product<A>(o, n, i, swap(at_dy), at_x); });
  both(3, sums, [&, n = N, o = O]<class A>() {
    return product<A>(
        1, n, o, [](int64_t, int64_t) { return 1.0; }, at_dy);
  });
}

TEST_CASE("linear multiplies f32 as MathMode says") {
  const auto device = GENERATE(from_range(test::devices()));
  if (device == Device::cpu) return;  // multiplies f32 as such
  const Case c{20, 12, 9};
  Stream stream(device);
  const auto x = test::data(device, {c.N, c.I}), dy = test::data(device, {c.N, c.O}, DType::f32, test::Fill::normal, 2);
  const auto weight = test::data(device, {c.O, c.I}, DType::f32, test::Fill::normal, 3);
  auto workspace = workspace_for(c, device);
  std::vector<Values> results[2];
  for (MathMode math : {MathMode::f32, MathMode::tf32}) {
    auto y = test::poisoned(device, {c.N, c.O}), dx = test::poisoned(device, {c.N, c.I});
    auto dw = test::poisoned(device, {c.O, c.I});
    kernels::linear(stream, x, weight, {}, y, math);
    kernels::linear_dgrad(stream, dy, weight, dx, math);
    kernels::linear_wgrad(stream, x, dy, dw, {}, workspace, math);
    stream.synchronize();
    results[math == MathMode::tf32] = {y.values(), dx.values(), dw.values()};
  }
  for (int pass = 0; pass < 3; ++pass) {
    const double difference = test::relative_error(results[1][pass], results[0][pass]);
    CAPTURE(name(device), pass, difference);
    CHECK(difference < 2e-3);
    CHECK(difference > 2e-5);
  }
}

TEST_CASE("linear_wgrad computes only the gradients that are wanted") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  const Case c{9, 4, 5};
  const auto x = test::data(device, {9, 4}), dy = test::data(device, {9, 5});
  auto workspace = workspace_for(c, device);
  auto dw = test::poisoned(device, {5, 4}), db = test::poisoned(device, {5});
  kernels::linear_wgrad(stream, x, dy, dw, db, workspace);
  auto only_dw = test::poisoned(device, {5, 4}), only_db = test::poisoned(device, {5});
  kernels::linear_wgrad(stream, x, dy, only_dw, {}, workspace);
  kernels::linear_wgrad(stream, x, dy, {}, only_db, workspace);
  stream.synchronize();
  CHECK(only_dw.values() == dw.values());
  CHECK(only_db.values() == db.values());
}

TEST_CASE("a row of linear is the same in any batch and with any number of threads") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE_COPY(from_range(dtypes(device)));
  const auto [I, O] = GENERATE(table<int64_t, int64_t>({{2, 64}, {3, 128}, {128, 128}, {128, 2}, {33, 5}, {64, 1}}));
  CAPTURE(name(device), name(dtype), I, O);
  const auto x = test::data(device, {100, I}, dtype);
  const auto weight = test::data(device, {O, I}, accumulator(dtype), test::Fill::normal, 2);
  const auto bias = test::data(device, {O}, accumulator(dtype));
  const Values xs = x.values();
  std::optional<Values> first;
  for (int threads : {1, 2, 3}) {
    Stream stream(device, {.threads = threads});
    for (int64_t batch : {1, 3, 10, 64, 100}) {
      if (device != Device::cpu && (threads > 1 || batch == 10)) continue;
      const auto part = test::buffer(device, {batch, I}, dtype, std::span(xs).first(static_cast<size_t>(batch * I)));
      auto y = test::poisoned(device, {batch, O}, dtype);
      kernels::linear(stream, part, weight, bias, y);
      stream.synchronize();
      Values row = y.values();
      row.resize(static_cast<size_t>(O));
      if (!first) first = row;
      CAPTURE(threads, batch);
      CHECK(row == *first);
    }
  }
}

TEST_CASE("linear refuses arguments that do not fit") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  auto x = test::data(device, {2, 4}), y = test::poisoned(device, {2, 3});
  CHECK_THROWS_AS(kernels::linear(stream, x, test::data(device, {3, 5}), {}, y), ShapeError);
  CHECK_THROWS_AS(kernels::linear(stream, x, test::data(device, {3, 4}), test::data(device, {2}), y), ShapeError);
  auto half = test::poisoned(device, {2, 3}, DType::bf16);
  CHECK_THROWS_AS(kernels::linear(stream, x, test::data(device, {3, 4}), {}, half), DTypeError);
}
