#include "kernels/update_note/update_note.hpp"

#include "kernels/adam/adam.hpp"
#include "kernels/core/error.hpp"
#include "kernels/rmsprop/rmsprop.hpp"
#include "kernels/sgd/sgd.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"

#include <limits>

using namespace ascore;

namespace {

using Values = std::vector<double>;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN(), kInf = std::numeric_limits<double>::infinity();

/// One note of losses and a count of bad gradients; absent: the loss is not given.
struct Desk {
  explicit Desk(Device d) : device(d), stream(d) {}
  test::Buffer scalar(double value) const { return test::buffer(device, {1}, DType::f32, Values{value}); }
  void note(const std::vector<double>& losses, double bad, double draw, double player = 2) {
    std::vector<test::Buffer> given;
    for (const double loss : losses) given.push_back(scalar(loss));
    kernels::UpdateLosses views;
    for (size_t k = 0; k < given.size(); ++k) views[k] = given[k];
    const auto count = test::buffer(device, {1}, DType::i32, Values{bad});
    const auto number = test::buffer(device, {1}, DType::f64, Values{draw});
    kernels::update_note(stream, views, count, number, player, numbers, halt);
    stream.synchronize();
  }
  Device device;
  Stream stream;
  test::Buffer numbers = test::poisoned(device, {4}, DType::f64),
               halt = test::buffer(device, {2}, DType::f64, Values{0, 0});
};

}  // namespace

TEST_CASE("an update is noted, until one meets something not finite, which is kept") {
  const auto device = GENERATE(from_range(test::devices()));
  CAPTURE(name(device));
  Desk desk(device);
  desk.note({0.5, 0.25, -2}, 0, 4);
  CHECK(desk.numbers.values() == Values{0.5, 0.25, -2, 0});
  desk.note({1.5}, 0, 5, 1);
  CHECK(desk.numbers.values() == Values{1.5, 0, 0, 0});
  CHECK(desk.halt.values() == Values{0, 0});
  desk.note({1.5, 3}, 17, 6, 1);
  CHECK(desk.halt.values() == Values{1, 6});
  desk.note({kNan, 8, 9}, 0, 7);
  CHECK(desk.numbers.values() == Values{1.5, 3, 0, 17});
  CHECK(desk.halt.values() == Values{1, 6});
  test::require_kernels_ran(desk.stream);
}

TEST_CASE("each loss alone can halt") {
  const auto device = GENERATE(from_range(test::devices()));
  const size_t which = GENERATE(0, 1, 2);
  const double value = GENERATE(as<double>{}, kNan, kInf, -kInf);
  CAPTURE(name(device), which, value);
  Desk desk(device);
  Values losses{1, 2, 3};
  losses[which] = value;
  desk.note(losses, 0, 11);
  CHECK(desk.halt.values() == Values{2, 11});
}

TEST_CASE("a halted optimizer step changes nothing, one that is not halted is the step without the question") {
  const auto device = GENERATE(from_range(test::devices()));
  const int64_t count = GENERATE(3, 1030);
  CAPTURE(name(device), count);
  Stream stream(device);
  const auto g = test::data(device, {count}, DType::f32, test::Fill::normal, 2);
  const auto scalars = test::buffer(device, {2}, DType::f64, Values{0.1, 0.9}),
             rate = test::buffer(device, {1}, DType::f64, Values{0.1});
  struct State {
    test::Buffer p, a, b, ema;
    Values all() const {
      Values values;
      for (const test::Buffer* x : {&p, &a, &b, &ema}) {
        const Values more = x->values();
        values.insert(values.end(), more.begin(), more.end());
      }
      return values;
    }
  };
  const auto fresh = [&] {
    const auto of = [&](uint64_t seed) { return test::data(device, {count}, DType::f32, test::Fill::constant, seed); };
    return State{test::data(device, {count}), of(3), of(4), test::data(device, {count})};
  };
  const auto steps = [&](State& s, ConstView halted) {
    kernels::adam(stream, s.p, g, s.a, s.b, {}, s.ema, 0.5, scalars, {}, halted);
    kernels::rmsprop(stream, s.p, g, s.b, s.ema, 0.5, rate, {}, halted);
    kernels::sgd(stream, s.p, g, s.a, s.ema, 0.5, rate, {.momentum = 0.9}, halted);
    stream.synchronize();
  };
  const auto no = test::buffer(device, {1}, DType::f64, Values{0}),
             yes = test::buffer(device, {1}, DType::f64, Values{2});
  const Values start = fresh().all();
  State plain = fresh(), asked = fresh(), halted = fresh();
  steps(plain, {});
  steps(asked, no);
  steps(halted, yes);
  CHECK(plain.all() != start);
  CHECK(asked.all() == plain.all());
  CHECK(halted.all() == start);
  CHECK_THROWS_AS(steps(halted, scalars), ShapeError);
  CHECK_THROWS_AS(steps(halted, test::data(device, {1})), DTypeError);
}

TEST_CASE("a note refuses what does not fit") {
  const auto device = GENERATE(from_range(test::devices()));
  Desk desk(device);
  CHECK_THROWS_AS(desk.note({}, 0, 1), ShapeError);
  const auto one = desk.scalar(1), count = test::buffer(device, {1}, DType::i32, Values{0});
  const auto draw = test::buffer(device, {1}, DType::f64, Values{0});
  CHECK_THROWS_AS(kernels::update_note(desk.stream, {one}, one, draw, 1, desk.numbers, desk.halt), DTypeError);
  CHECK_THROWS_AS(kernels::update_note(desk.stream, {one}, count, draw, 1, desk.halt, desk.halt), ShapeError);
  CHECK_THROWS_AS(
      kernels::update_note(desk.stream, {one, test::data(device, {2})}, count, draw, 1, desk.numbers, desk.halt),
      ShapeError);
}
