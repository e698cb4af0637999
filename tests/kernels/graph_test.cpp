#include "kernels/core/graph.hpp"

#include "kernels/core/error.hpp"
#include "kernels/core/memory.hpp"
#include "kernels/fill/fill.hpp"
#include "kernels/random_fill/random_fill.hpp"
#include "kernels/scaled_add/scaled_add.hpp"
#include "kernels/step_values/step_values.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"

#include <optional>

using namespace ascore;

namespace {

using Values = std::vector<double>;

/// Devices that can capture.
std::vector<Device> capturing_devices() {
  std::vector<Device> devices = test::devices();
  std::erase(devices, Device::cpu);
  return devices;
}

Values read(Stream& stream, const test::Buffer& x) {
  stream.synchronize();
  return x.values();
}

}  // namespace

TEST_CASE("a captured step runs when it is replayed, as often as it is, with its arguments as they were") {
  for (const Device device : capturing_devices()) {
    CAPTURE(name(device));
    Stream stream(device);
    auto x = test::buffer(device, {5}, DType::f32, Values{1, 2, 3, 4, 5}), sum = test::poisoned(device, {5}),
         kept = test::poisoned(device, {5});
    kernels::fill(stream, sum, 0);
    std::optional<Graph> graph;
    {
      double factor = 2;
      graph = Graph::capture(stream, [&] {
        CHECK(stream.capturing());
        kernels::scaled_add(stream, 1, sum, factor, x, sum);
        copy(stream, kept, sum);
        fill_bytes(stream, sum, 0);
        kernels::scaled_add(stream, 1, kept, 0, {}, sum);
      });
      factor = 100;
    }
    CHECK_FALSE(stream.capturing());
    CHECK(graph->size() == 4);
    CHECK(read(stream, sum) == Values(5, 0));
    graph->replay(stream);
    CHECK(read(stream, sum) == Values{2, 4, 6, 8, 10});
    x.set(Values{1, 1, 1, 1, 1});
    graph->replay(stream);
    graph->replay(stream);
    CHECK(read(stream, sum) == Values{6, 8, 10, 12, 14});
    CHECK(read(stream, kept) == Values{6, 8, 10, 12, 14});
    Stream other(device);
    graph->replay(other);
    CHECK(read(other, sum) == Values{8, 10, 12, 14, 16});
    test::require_kernels_ran(other);
  }
}

TEST_CASE("a replay draws with the step that it finds in device memory, and takes the next row of a table") {
  for (const Device device : capturing_devices()) {
    CAPTURE(name(device));
    Stream stream(device);
    const auto table = test::buffer(device, {3, 2}, DType::f64, Values{7, 0.5, 9, 0.25, 12, 0.125});
    auto position = test::buffer(device, {1}, DType::f64, Values{0}), row = test::poisoned(device, {2}, DType::f64);
    auto z = test::poisoned(device, {3, 7}), expected = test::poisoned(device, {3, 7});
    const NoiseKey key{.seed = 5, .stream = 3, .first_sample = 2, .step = 1};
    NoiseKey moving = key;
    moving.step_offset = ConstView(row).as<double>();
    const Graph graph = Graph::capture(stream, [&] {
      kernels::next_row(stream, table, position, row);
      kernels::random_normal(stream, moving, 0, 1, z);
    });
    for (const uint32_t step : {7u, 9u, 12u, 12u}) {
      CAPTURE(step);
      graph.replay(stream);
      kernels::random_normal(stream, key.at_step(key.step + step), 0, 1, expected);
      CHECK(read(stream, z) == read(stream, expected));
      CHECK(row.values()[0] == step);
    }
  }
}

TEST_CASE("what a replay could not repeat is refused in a capture, and the stream goes on") {
  for (const Device device : capturing_devices()) {
    CAPTURE(name(device));
    Stream stream(device);
    auto x = test::buffer(device, {2}, DType::f32, Values{1, 2});
    float host[2] = {3, 4};
    const View on_host(host, {2}, DType::f32, Device::cpu);
    const auto refused = [&](const std::function<void()>& body, const char* why) {
      CHECK_THROWS_AS(Graph::capture(stream, body), DeviceError);
      CHECK_THROWS_WITH(Graph::capture(stream, body), Catch::Contains(why));
      CHECK_FALSE(stream.capturing());
    };
    refused([&] { copy(stream, x, on_host); }, "between host and device");
    refused([&] { copy(stream, on_host, x); }, "between host and device");
    refused([&] { stream.synchronize(); }, "the host waits");
    refused([&] { Graph::capture(stream, [] {}); }, "do not nest");
    const Graph graph = Graph::capture(stream, [&] { kernels::fill(stream, x, 9); });
    refused([&] { graph.replay(stream); }, "inside a capture");
    CHECK(read(stream, x) == Values{1, 2});
    graph.replay(stream);
    CHECK(read(stream, x) == Values{9, 9});
  }
  Stream host(Device::cpu);
  CHECK_THROWS_WITH(Graph::capture(host, [] {}), Catch::Contains("cannot be captured on the cpu"));
}
