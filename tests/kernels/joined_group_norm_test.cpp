#include "kernels/joined_group_norm/joined_group_norm.hpp"

#include "kernels/core/error.hpp"
#include "tests/kernels/group_norm_reference.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/types.hpp"

using namespace ascore;

namespace {

using Values = std::vector<double>;

struct Case {
  int64_t N, H, W, A, B, G;
  int64_t channels() const { return A + B; }
  Shape a() const { return {N, H, W, A}; }
  Shape b() const { return {N, H, W, B}; }
  Shape joined() const { return {N, H, W, A + B}; }
  test::GroupNormCase reference() const { return {N, H, W, A + B, G}; }
};

/// Channels [first, first + count) of rows of `all`.
Values channels(const Values& values, int64_t all, int64_t first, int64_t count) {
  Values part;
  for (size_t row = 0; row < values.size(); row += static_cast<size_t>(all)) {
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(row) + first;
    part.insert(part.end(), begin, begin + count);
  }
  return part;
}

/// Inputs, of which x is a and b joined.
struct Inputs {
  Values x, more;  ///< more: what else x's gradient is made of
  test::Buffer a, b, dy, gamma, beta, more_a, more_b;

  Inputs(Device device, const Case& size, DType dtype, test::Fill fill)
      : x(test::data(device, size.joined(), dtype, fill, 1).values()),
        more(test::data(device, size.joined(), dtype, test::Fill::normal, 5).values()),
        a(test::buffer(device, size.a(), dtype, channels(x, size.channels(), 0, size.A))),
        b(test::buffer(device, size.b(), dtype, channels(x, size.channels(), size.A, size.B))),
        dy(test::data(device, size.joined(), dtype, test::Fill::normal, 2)),
        gamma(test::data(device, {size.channels()}, accumulator(dtype), test::Fill::normal, 3)),
        beta(test::data(device, {size.channels()}, accumulator(dtype), test::Fill::normal, 4)),
        more_a(test::buffer(device, size.a(), dtype, channels(more, size.channels(), 0, size.A))),
        more_b(test::buffer(device, size.b(), dtype, channels(more, size.channels(), size.A, size.B))) {}
};

struct Wanted {
  bool a = true, b = true, residuals = false;
};
struct Results {
  Values y, da, db, dgamma, dbeta;
};

Results run(Stream& stream, const Case& size, const Inputs& in, Activation activation, const Wanted& wanted = {}) {
  const Device device = stream.device();
  const DType dtype = in.dy.dtype(), wide = accumulator(dtype);
  auto y = test::poisoned(device, size.joined(), dtype);
  auto da = test::poisoned(device, size.a(), dtype), db = test::poisoned(device, size.b(), dtype);
  auto mean = test::poisoned(device, {size.N, size.G}, wide), rstd = test::poisoned(device, {size.N, size.G}, wide);
  auto dgamma = test::poisoned(device, {size.channels()}, wide),
       dbeta = test::poisoned(device, {size.channels()}, wide);
  const auto bytes = [&](size_t count) { return test::poisoned(device, {static_cast<int64_t>(count)}, DType::u8); };
  auto workspace = bytes(kernels::joined_group_norm_workspace_bytes(size.joined(), dtype));
  auto scratch = bytes(kernels::joined_group_norm_backward_workspace_bytes(size.joined(), size.G, dtype));
  kernels::joined_group_norm(stream, in.a, in.b, in.gamma, in.beta, test::kGroupNormEps, activation, y, mean, rstd,
                             workspace);
  kernels::JoinedResiduals residuals;
  if (wanted.residuals) residuals = {in.more_a, in.more_b};
  kernels::joined_group_norm_backward(stream, in.a, in.b, in.gamma, in.beta, mean, rstd, activation, in.dy,
                                      wanted.a ? View(da) : View{}, wanted.b ? View(db) : View{}, dgamma, dbeta,
                                      scratch, residuals);
  stream.synchronize();
  return {y.values(), da.values(), db.values(), dgamma.values(), dbeta.values()};
}

}  // namespace

TEST_CASE("joined_group_norm and its gradients agree with plain f64 loops on every device") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE(DType::f32, DType::bf16);
  const auto activation = GENERATE(Activation::identity, Activation::silu);
  const auto fill = GENERATE(test::Fill::normal, test::Fill::far_from_zero);
  // Of one pixel; groups that begin in a and end in b; tiles of channels that do; parts of whole groups; no image.
  const Case size = GENERATE(Case{1, 1, 1, 5, 7, 2}, Case{2, 7, 5, 2, 1, 1}, Case{2, 3, 11, 40, 26, 11},
                             Case{1, 9, 5, 16, 8, 3}, Case{0, 4, 4, 4, 4, 4});
  CAPTURE(name(device), name(dtype), int(activation), int(fill), to_string(size.a()), size.B, size.G);
  const Inputs in(device, size, dtype, fill);
  const bool silu = activation == Activation::silu;
  const auto by_loops = [&]<class A>(A, DType rounded) {
    const auto all = test::plain_group_norm<A>(size.reference(), in.x, in.gamma.values(), in.beta.values(),
                                               in.dy.values(), silu, rounded);
    return Results{all.y, channels(all.dx, size.channels(), 0, size.A),
                   channels(all.dx, size.channels(), size.A, size.B), all.dgamma, all.dbeta};
  };
  const Results reference = by_loops(double{}, DType::f64), naive = by_loops(float{}, dtype);
  // As for group_norm: the twin may be lucky in a few sums, and in a mean of 100.
  const double floor = fill == test::Fill::far_from_zero ? 1e-4 : 4e-7;
  std::optional<Results> first;
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    const Results result = run(stream, size, in, activation);
    test::require_kernels_ran(stream);
    if (!first) first = result;
    CHECK(result.y == first->y);
    CHECK(result.da == first->da);
    CHECK(result.db == first->db);
    CHECK(result.dgamma == first->dgamma);
    CHECK(result.dbeta == first->dbeta);
  }
  CHECK_THAT(first->y, test::at_most_twice_the_error_of(naive.y, reference.y, floor));
  CHECK_THAT(first->da, test::at_most_twice_the_error_of(naive.da, reference.da, floor));
  CHECK_THAT(first->db, test::at_most_twice_the_error_of(naive.db, reference.db, floor));
  CHECK_THAT(first->dgamma, test::at_most_twice_the_error_of(naive.dgamma, reference.dgamma, floor));
  CHECK_THAT(first->dbeta, test::at_most_twice_the_error_of(naive.dbeta, reference.dbeta, floor));
}

TEST_CASE("joined_group_norm_backward adds what else its gradients are made of, and gives only those wanted") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE(DType::f32, DType::bf16);
  const Case size{2, 5, 3, 6, 30, 4};
  CAPTURE(name(device), name(dtype));
  const Inputs in(device, size, dtype, test::Fill::normal);
  Stream stream(device);
  const Results plain = run(stream, size, in, Activation::silu),
                sum = run(stream, size, in, Activation::silu, {.residuals = true});
  const auto check_sum = [&](const Values& with, Values without, const test::Buffer& more) {
    const Values others = more.values();
    for (size_t i = 0; i < without.size(); ++i) without[i] += others[i];
    CHECK(test::relative_error(with, without) < (dtype == DType::bf16 ? 4e-3 : 1e-7));
  };
  check_sum(sum.da, plain.da, in.more_a);
  check_sum(sum.db, plain.db, in.more_b);
  const Results only_a = run(stream, size, in, Activation::silu, {.b = false}),
                only_b = run(stream, size, in, Activation::silu, {.a = false});
  CHECK(only_a.da == plain.da);
  CHECK(only_b.db == plain.db);
  CHECK(std::isnan(only_a.db.front()));
  CHECK(std::isnan(only_b.da.front()));
}

TEST_CASE("joined_group_norm gives an image the same bits in any batch and on any number of threads") {
  const auto device = GENERATE(from_range(test::devices()));
  const Case size{2, 5, 6, 20, 46, 3}, one{1, 5, 6, 20, 46, 3};
  const Inputs in(device, size, DType::f32, test::Fill::normal);
  Inputs first(device, one, DType::f32, test::Fill::normal);
  const auto half = [](const Values& values) {
    return Values(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
  };
  first.a.set(half(in.a.values()));
  first.b.set(half(in.b.values()));
  first.dy.set(half(in.dy.values()));
  Stream serial(device, {.threads = 1}), parallel(device, {.threads = 2});
  const Results both = run(serial, size, in, Activation::silu), again = run(parallel, size, in, Activation::silu);
  CHECK(again.y == both.y);
  CHECK(again.da == both.da);
  CHECK(again.dgamma == both.dgamma);
  const Results alone = run(parallel, one, first, Activation::silu);
  CHECK(alone.y == half(both.y));
  CHECK(alone.db == half(both.db));
}

TEST_CASE("joined_group_norm refuses arguments that do not fit") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  const auto a = test::data(device, {2, 3, 3, 4}), b = test::data(device, {2, 3, 3, 2});
  const auto tall = test::data(device, {2, 4, 3, 2}), half = test::data(device, {2, 3, 3, 2}, DType::bf16);
  auto y = test::poisoned(device, {2, 3, 3, 6}), four = test::poisoned(device, {2, 4}),
       three = test::poisoned(device, {2, 3});
  auto workspace = test::poisoned(device, {96}, DType::u8), small = test::poisoned(device, {95}, DType::u8);
  const auto wrong = test::data(device, {4});
  const auto call = [&](ConstView second, ConstView gamma, Activation f, View statistics, View bytes) {
    kernels::joined_group_norm(stream, a, second, gamma, {}, 1e-6, f, y, statistics, statistics, bytes);
  };
  CHECK_THROWS_AS(call(tall, {}, Activation::identity, three, workspace), ShapeError);
  CHECK_THROWS_AS(call(b, {}, Activation::identity, four, workspace), ShapeError);
  CHECK_THROWS_AS(call(b, wrong, Activation::identity, three, workspace), ShapeError);
  CHECK_THROWS_AS(call(b, {}, Activation::identity, three, small), ShapeError);
  CHECK_THROWS_AS(call(half, {}, Activation::identity, three, workspace), DTypeError);
  CHECK_THROWS_AS(call(b, {}, Activation::relu, three, workspace), ConfigError);
}
