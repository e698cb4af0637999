#include "tests/support/gradients.hpp"

#include "engine/autograd/tape.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"

#include <algorithm>
#include <numeric>

namespace ascore::test {

void check_gradients(const std::function<Tensor(Ctx&, const std::vector<Tensor>&)>& f, const std::vector<Shape>& shapes,
                     const std::vector<std::vector<double>>& values, size_t probes, double tolerance) {
  Bench bench(Device::cpu, DType::f64);
  const auto tensors = [&](const std::vector<std::vector<double>>& at) {
    std::vector<Tensor> inputs;
    for (size_t k = 0; k < shapes.size(); ++k) inputs.push_back(bench.ctx.from_host(at[k], shapes[k], DType::f64));
    return inputs;
  };
  std::vector<double> weights;
  const auto weighted = [&](const std::vector<double>& output) {
    return std::inner_product(output.begin(), output.end(), weights.begin(), 0.0);
  };

  Tape tape;
  Ctx ctx = bench.ctx;
  ctx.tape = &tape;
  const std::vector<Tensor> inputs = tensors(values);
  for (const Tensor& input : inputs) tape.watch(input);
  const Tensor output = f(ctx, inputs);
  weights = normals(static_cast<size_t>(output.count()), 99);
  tape.backward(ctx, output, ctx.from_host(weights, output.shape(), DType::f64));

  constexpr double kStep = 1e-6;
  for (size_t k = 0; k < inputs.size(); ++k) {
    const std::vector<double> gradient = ctx.to_host(tape.gradient(inputs[k]));
    double largest = 1e-3;
    for (double g : gradient) largest = std::max(largest, std::abs(g));
    const size_t stride = std::max<size_t>(1, gradient.size() / probes);
    for (size_t i = 0; i < gradient.size(); i += stride) {
      auto moved = values;
      Ctx plain = bench.ctx;
      moved[k][i] = values[k][i] + kStep;
      const double up = weighted(plain.to_host(f(plain, tensors(moved))));
      moved[k][i] = values[k][i] - kStep;
      const double down = weighted(plain.to_host(f(plain, tensors(moved))));
      const double numeric = (up - down) / (2 * kStep);
      INFO("input " << k << " element " << i << ": tape " << gradient[i] << ", central difference " << numeric);
      CHECK(std::abs(gradient[i] - numeric) <= tolerance * largest + 1e-8 * std::abs(up));
    }
  }
}

}  // namespace ascore::test
