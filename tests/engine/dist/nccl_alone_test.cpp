// NCCL with one rank: on a GPU the real library, on the emulated device the stand-in.
#include "engine/dist/gradient_buckets.hpp"
#include "engine/dist/nccl_communicator.hpp"
#include "kernels/core/graph.hpp"
#include "kernels/fill/fill.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"

#include <cstdlib>
#include <numeric>

using namespace ascore;

namespace {

std::unique_ptr<Communicator> join_alone(Device device) {
  if (device == Device::simt) setenv("ASCORE_NCCL", ASCORE_STANDIN_NCCL, 1);
  const auto open_host = [](const dist::FailureOptions&) { return make_self_communicator(); };
  return dist::make_nccl_communicator(open_host, device, {});
}

std::vector<double> ramp(int64_t count) {
  std::vector<double> values(static_cast<size_t>(count));
  std::iota(values.begin(), values.end(), -40.0);
  return values;
}

}  // namespace

TEST_CASE("NCCL with one rank leaves sums, broadcasts and gathers as they were", "[engine][dist]") {
  const Device device = GENERATE(from_range(test::devices()));
  const std::unique_ptr<Communicator> ranks = join_alone(device);
  CHECK(ranks->kind() == "nccl");
  CHECK(ranks->queues_on(device));
  Stream stream(device);
  test::Buffer values = test::buffer(device, {1001}, DType::f32, ramp(1001));
  test::Buffer all = test::poisoned(device, {1001});
  ranks->all_reduce_sum(stream, values);
  ranks->broadcast(stream, values, 0);
  ranks->all_gather(stream, values, all, std::vector<int64_t>{1001});
  stream.synchronize();
  ranks->check();
  CHECK(values.values() == ramp(1001));
  CHECK(all.values() == ramp(1001));
  ranks->finish();
}

TEST_CASE("buckets of gradients are branches of a captured step", "[engine][dist]") {
  const Device device = GENERATE(from_range(test::devices()));
  const std::unique_ptr<Communicator> ranks = join_alone(device);
  {
    Stream stream(device);
    test::Buffer gradients = test::buffer(device, {3, 70}, DType::f32, ramp(210));
    const View view = gradients;
    const View flat(view.raw(), {210}, DType::f32, device);
    GradientBuckets buckets(*ranks, 64 * sizeof(float));
    ranks->all_reduce_sum(stream, flat);  // NCCL connects at the first sum, as that of a step that is not captured yet
    const Graph step = Graph::capture(stream, [&] {
      buckets.begin(flat);
      buckets.ready(stream, 100, 210);
      kernels::fill(stream, View(flat.as<float>(), {10}, DType::f32, device), 5);
      buckets.ready(stream, 0, 100);
      buckets.wait(stream);
    });
    CHECK(gradients.values() == ramp(210));  // nothing has run yet
    step.replay(stream);
    step.replay(stream);
    stream.synchronize();
    std::vector<double> wanted = ramp(210);
    std::fill_n(wanted.begin(), 10, 5.0);
    CHECK(gradients.values() == wanted);
    CHECK(step.size() > 4);
  }
  ranks->finish();
}

TEST_CASE("NCCL is joined again and again", "[engine][dist]") {
  const Device device = GENERATE(from_range(test::devices()));
  for (int i = 0; i < 2; ++i) {
    const std::unique_ptr<Communicator> ranks = join_alone(device);
    if (i == 0) ranks->finish();  // the other is abandoned
  }
}
