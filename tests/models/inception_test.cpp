#include "kernels/core/error.hpp"
#include "models/inception_v3.hpp"
#include "tests/models/inception_weights.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/golden.hpp"

#include <algorithm>
#include <limits>
#include <set>

#include <fmt/format.h>

using namespace ascore;

namespace {

/// Rows [begin, end) of a tensor [N,D].
std::vector<double> row(const Ctx& ctx, const Tensor& x, int64_t i) {
  return ctx.to_host(x.rows(i, i + 1));
}

template <class Work>
void check_refused(Work work, const std::string& part) {
  CHECK_THROWS_MATCHES(
      work(), DataError,
      Catch::Predicate<DataError>(
          [&](const DataError& error) { return std::string(error.what()).find(part) != std::string::npos; },
          "says " + part));
}

}  // namespace

TEST_CASE("Inception-V3 computes the features and logits that PyTorch computes", "[models]") {
  test::Bench bench(Device::cpu);
  Ctx ctx = bench.ctx;
  InceptionV3 network;
  const std::vector<Parameter*> parameters = network.parameters();
  network.load(ctx, test::drawn_state(parameters));

  // The picture of the golden numbers, and a grey one.
  test::GoldenFile golden("inception_v3");
  const HostTensor picture = channels_last(test::drawn_tensor("picture", {1, 3, 40, 29}, {0.5, 0.5}));
  const HostTensor grey = test::drawn_tensor("grey", {1, 40, 29, 1}, {0.5, 0.5});
  std::vector<double> both = picture.to_doubles();
  for (const double value : grey.to_doubles()) both.insert(both.end(), 3, value);
  const ImageFeatures seen = network.look(ctx, ctx.from_host(both, {2, 40, 29, 3}, DType::f32));
  CHECK(seen.features.shape() == Shape{2, network.width()});
  CHECK(seen.logits.shape() == Shape{2, network.classes()});
  // In f32, through 48 layers.
  CHECK(test::max_relative_error(row(ctx, seen.features, 0), golden.values("features")) < 1e-5);
  CHECK(test::max_relative_error(row(ctx, seen.logits, 0), golden.values("logits")) < 1e-5);
  golden.check_all_used();

  // A grey image is one of three equal channels, and an image's features are the same in any batch.
  const ImageFeatures alone = network.look(ctx, upload(ctx, grey));
  CHECK(ctx.to_host(alone.features) == row(ctx, seen.features, 1));
  CHECK(ctx.to_host(alone.logits) == row(ctx, seen.logits, 1));
  CHECK(test::max_relative_error(row(ctx, seen.features, 1), golden.values("features")) > 0.01);

  const Tensor two = ctx.zeros({1, 8, 8, 2}, DType::f32);
  check_refused([&] { network.look(ctx, two); }, "f32 [N,H,W,3] or [N,H,W,1]");
}

TEST_CASE("Inception-V3's parameters have the names of pytorch-fid's state_dict", "[models]") {
  test::GoldenFile golden("inception_v3");
  InceptionV3 network;
  std::set<std::string> names;
  for (const Parameter* parameter : network.parameters()) names.insert(parameter->name);
  CHECK(fmt::format("{}", names.size()) == golden.metadata("names"));
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : "\n") + name;
  Checksum sum;
  sum.add(list);
  CHECK(sum.text() == golden.metadata("names_crc32"));
  CHECK(names.contains("Mixed_6b.branch7x7dbl_5.bn.running_var"));
}

TEST_CASE("weights of another network are refused, with the entry's name", "[models]") {
  test::Bench bench(Device::cpu);
  Ctx ctx = bench.ctx;
  InceptionV3 network;
  std::vector<Parameter*> first = network.parameters();
  std::erase_if(first, [](const Parameter* p) { return !p->name.starts_with("Conv2d_1a_3x3."); });
  REQUIRE(first.size() == 5);
  const StateDict start = test::drawn_state(first);
  const auto refused = [&](const std::string& name, const HostTensor& value, const std::string& part) {
    StateDict state = start;
    state.insert_or_assign(name, value);
    check_refused([&] { network.load(ctx, state); }, part);
  };
  const std::string bn = "Conv2d_1a_3x3.bn.";
  const HostTensor ones = HostTensor::from(std::vector<float>(32, 1.0f), {32});
  HostTensor negative = ones, broken = ones;
  negative.as<float>()[3] = -0.01f;
  broken.as<float>()[31] = std::numeric_limits<float>::quiet_NaN();
  refused("Mixed_9z.conv.weight", ones, "'Mixed_9z.conv.weight' is no part of");
  refused(bn + "running_var", negative, "'Conv2d_1a_3x3.bn.running_var' holds values below zero");
  refused(bn + "weight", broken, "'Conv2d_1a_3x3.bn.weight' holds values that are not finite");
  refused(bn + "bias", HostTensor::from(std::vector<float>(31, 1.0f), {31}), "'Conv2d_1a_3x3.bn.bias' is [31]");
  // Only what was there was read: the next convolution is missing.
  refused(bn + "num_batches_tracked", HostTensor({1}, DType::i64), "has no 'Conv2d_2a_3x3.conv.weight'");

  check_refused([&] { open_inception(ctx, "nowhere.safetensors"); }, "tools/inception_to_safetensors.py");
}
