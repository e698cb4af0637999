#include "kernels/gan_loss/gan_loss.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/types.hpp"

#include <numeric>

using namespace ascore;

namespace {

constexpr GanLoss kAll[] = {GanLoss::gan,   GanLoss::wgan,      GanLoss::hinge,   GanLoss::rpgan,   GanLoss::ragan,
                            GanLoss::lsgan, GanLoss::lsgan_sat, GanLoss::rplsgan, GanLoss::ralsgan, GanLoss::rahinge};

/// The table of losses, written out: mean over i of f(yr_i, yf_i, m(yr), m(yf)).
template <class T>
T table(GanLoss kind, GanPlayer player, const std::vector<T>& yr, const std::vector<T>& yf) {
  const T n = static_cast<T>(yr.size());
  const T mr = std::accumulate(yr.begin(), yr.end(), T(0)) / n, mf = std::accumulate(yf.begin(), yf.end(), T(0)) / n;
  const auto bce = [](T y, T t) { return std::max(y, T(0)) - y * t + std::log1p(std::exp(-std::abs(y))); };
  const auto relu = [](T x) { return std::max(x, T(0)); };
  const auto square = [](T x) { return x * x; };
  const bool critic = player == GanPlayer::critic;
  T sum = 0;
  for (size_t i = 0; i < yr.size(); ++i) {
    const T r = yr[i], f = yf[i];
    switch (kind) {
      case GanLoss::gan:
        sum += critic ? bce(r, 1) + bce(f, 0) : bce(f, 1);
        break;
      case GanLoss::wgan:
        sum += critic ? f - r : -f;
        break;
      case GanLoss::hinge:
        sum += critic ? relu(1 - r) + relu(1 + f) : -f;
        break;
      case GanLoss::rpgan:
        sum += critic ? 2 * bce(r - f, 1) : 2 * bce(f - r, 1);
        break;
      case GanLoss::ragan:
        sum += critic ? bce(r - mf, 1) + bce(f - mr, 0) : bce(r - mf, 0) + bce(f - mr, 1);
        break;
      case GanLoss::lsgan:
        sum += critic ? square(r - 1) + square(f + 1) : square(f - 1);
        break;
      case GanLoss::lsgan_sat:
        sum += critic ? square(r - 1) + square(f + 1) : square(f + 1);
        break;
      case GanLoss::rplsgan:
        sum += critic ? 2 * square(r - f - 1) : 2 * square(f - r - 1);
        break;
      case GanLoss::ralsgan:
        sum += critic ? square(r - mf - 1) + square(f - mr + 1) : square(r - mf + 1) + square(f - mr - 1);
        break;
      case GanLoss::rahinge:
        sum += critic ? relu(1 - (r - mf)) + relu(1 + (f - mr)) : relu(1 + (r - mf)) + relu(1 - (f - mr));
        break;
    }
  }
  return sum / n;
}

std::vector<double> numeric_gradient(GanLoss kind, GanPlayer player, std::vector<double> yr, std::vector<double> yf,
                                     bool of_fake) {
  constexpr double kStep = 1e-5;
  std::vector<double> result;
  std::vector<double>& moved = of_fake ? yf : yr;
  for (double& element : moved) {
    const double at = element;
    element = at + kStep;
    const double up = table(kind, player, yr, yf);
    element = at - kStep;
    const double down = table(kind, player, yr, yf);
    element = at;
    result.push_back((up - down) / (2 * kStep));
  }
  return result;
}

/// How far gradients are from the numeric ones, in units of the largest that any output could have.
double distance(const std::vector<double>& values, const std::vector<double>& numeric) {
  double largest = 0;
  for (size_t i = 0; i < values.size(); ++i) largest = std::max(largest, std::abs(values[i] - numeric[i]));
  return largest * static_cast<double>(values.size());
}

}  // namespace

TEST_CASE("gan_loss and its gradients agree with the table of losses on every device") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE_COPY(from_range(test::wide_types(device)));
  const auto kind = GENERATE(from_range(std::begin(kAll), std::end(kAll)));
  const auto player = GENERATE(GanPlayer::critic, GanPlayer::generator);
  const int64_t count = GENERATE(1, 5, 131);
  CAPTURE(name(device), name(dtype), int(kind), int(player), count);
  const auto real = test::data(device, Shape{count}, dtype, test::Fill::normal, 1);
  const auto fake = test::data(device, Shape{count, 1}, dtype, test::Fill::normal, 2);
  const auto yr = real.values(), yf = fake.values();
  const auto arriving = test::buffer(device, Shape{}, dtype, std::vector<double>{1.0});
  const double reference = table(kind, player, yr, yf);
  const double naive =
      table(kind, player, std::vector<float>(yr.begin(), yr.end()), std::vector<float>(yf.begin(), yf.end()));

  std::optional<std::vector<double>> first;
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    auto loss = test::poisoned(device, Shape{}, dtype);
    auto grad_real = test::poisoned(device, Shape{count}, dtype), grad_fake = test::poisoned(device, {count, 1}, dtype);
    auto alone = test::poisoned(device, Shape{count, 1}, dtype);
    kernels::gan_loss(stream, kind, player, real, fake, loss);
    kernels::gan_loss_backward(stream, kind, player, real, fake, arriving, grad_real, grad_fake);
    kernels::gan_loss_backward(stream, kind, player, real, fake, arriving, {}, alone);
    stream.synchronize();
    test::require_kernels_ran(stream);
    const double eps = dtype == DType::f64 ? 1e-13 : 4e-7;
    const double twin = dtype == DType::f64 ? 0 : std::abs(naive - reference);
    CHECK(std::abs(loss.values()[0] - reference) <= std::max(2 * twin, eps * (1 + std::abs(reference))));
    if (!first) first = grad_real.values();
    CHECK(grad_real.values() == *first);
    CHECK(alone.values() == grad_fake.values());
    const double allowed = dtype == DType::f64 ? 1e-7 : 2e-6;
    CHECK(distance(grad_real.values(), numeric_gradient(kind, player, yr, yf, false)) <= allowed);
    CHECK(distance(grad_fake.values(), numeric_gradient(kind, player, yr, yf, true)) <= allowed);
  }
}

TEST_CASE("gan_loss stays finite at logits of any size") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto kind = GENERATE(GanLoss::gan, GanLoss::rpgan, GanLoss::ragan);
  const auto player = GENERATE(GanPlayer::critic, GanPlayer::generator);
  CAPTURE(name(device), int(kind), int(player));
  const std::vector<double> yr{200, -200, 1e4}, yf{-200, 200, -1e4};
  const auto real = test::buffer(device, {3}, DType::f32, yr), fake = test::buffer(device, {3}, DType::f32, yf);
  const auto arriving = test::buffer(device, {}, DType::f32, std::vector<double>{1.0});
  Stream stream(device);
  auto loss = test::poisoned(device, {}), grad_real = test::poisoned(device, {3}),
       grad_fake = test::poisoned(device, {3});
  kernels::gan_loss(stream, kind, player, real, fake, loss);
  kernels::gan_loss_backward(stream, kind, player, real, fake, arriving, grad_real, grad_fake);
  stream.synchronize();
  CHECK(loss.values()[0] == Approx(table(kind, player, yr, yf)).epsilon(1e-6));
  for (double g : grad_real.values()) CHECK(std::isfinite(g));
  for (double g : grad_fake.values()) CHECK(std::isfinite(g));
}

TEST_CASE("gan_loss refuses arguments that do not fit") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  const auto real = test::data(device, {4});
  auto loss = test::poisoned(device, {});
  const auto run = [&](ConstView yr, ConstView yf, View result) {
    kernels::gan_loss(stream, GanLoss::lsgan, GanPlayer::critic, yr, yf, result);
  };
  CHECK_THROWS_AS(run(real, test::data(device, {5}), loss), ShapeError);
  CHECK_THROWS_AS(run(test::data(device, {0}), test::data(device, {0}), loss), ShapeError);
  CHECK_THROWS_AS(run(real, real, test::poisoned(device, {2})), ShapeError);
  CHECK_THROWS_AS(run(real, test::data(device, {4}, DType::bf16), loss), DTypeError);
}
