// Weights from PyTorch and back, as a user brings them: the files of the original implementation's numbers.
#include "engine/io/npy.hpp"
#include "engine/io/safetensors.hpp"
#include "tests/program/process.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/golden.hpp"

using namespace ascore;
using test::Finished;
using test::Folder;

namespace {

using Words = std::vector<std::string>;
using Tensors = std::map<std::string, HostTensor>;

/// The tensors of a golden file that begin with `from`, named with `to` instead.
void add_golden(Tensors& into, const std::string& file, const std::string& from, const std::string& to) {
  test::GoldenFile golden(file);
  for (const std::string& name : golden.names(from)) into.emplace(to + name.substr(from.size()), golden.tensor(name));
}

Tensors ncsnv2_state() {
  Tensors state;
  add_golden(state, "ncsnv2", "param.", "");
  return state;
}

const Words kTiny{"--recipe", "cifar10_ncsnv2", "--set", "score.width=8"};

Finished convert(const std::string& in, const std::string& out, const Words& more = {}) {
  Words words{"convert", in, "--out", out};
  words.insert(words.end(), more.begin(), more.end());
  return test::ascore(words);
}

}  // namespace

TEST_CASE("a converted network computes what PyTorch computes", "[program]") {
  struct Case {
    std::string golden;
    Words recipe;
  };
  const Case c = GENERATE(
      Case{"ncsnv2", kTiny},
      Case{"unet_g4",
           {"--recipe", "cifar10_unet", "--set", "data.name=array", "--set", "data.path=x.npy", "--set",
            "data.image_size=16", "--set", "data.channels=3", "--set", "score.width=8", "--set", "score.groups=4"}});
  CAPTURE(c.golden);
  const Folder folder;
  Tensors state;
  add_golden(state, c.golden, "param.", "");
  write_safetensors(folder.path("state.safetensors"), {.metadata = {{"step", "17"}}, .tensors = state});
  const Finished done = convert(folder / "state.safetensors", folder / "model.safetensors", c.recipe);
  INFO(done.err);
  REQUIRE(done.code == 0);
  CHECK(done.out == folder / "model.safetensors\n");
  CHECK(read_safetensors(folder.path("model.safetensors")).metadata.at("step") == "17");

  test::GoldenFile golden(c.golden);
  const HostTensor noisy = golden.channels_last("perturbed"), expected = golden.channels_last("output");
  write_npy(folder.path("x.npy"), HostTensor::from_doubles(noisy.to_doubles(), noisy.shape, DType::f32));
  REQUIRE(test::ascore({"denoise", folder / "model.safetensors", "--input", folder / "x.npy", "--sigma", "1", "--what",
                        "network", "--output", folder / "y.npy"})
              .code == 0);
  CHECK(test::max_relative_error(read_npy(folder.path("y.npy")).to_doubles(), expected.to_doubles()) <= 1e-4);
}

TEST_CASE("weights come back from a conversion bit for bit, with average and critic", "[program]") {
  const Folder folder;
  Tensors state = ncsnv2_state();
  for (const auto& [name, value] : ncsnv2_state()) {  // an average that is not the parameters
    std::vector<double> doubled = value.to_doubles();
    for (double& x : doubled) x *= 2;
    state.emplace("ema." + name, HostTensor::from_doubles(doubled, value.shape, DType::f32));
  }
  add_golden(state, "biggan32", "dparam.", "critic.");
  write_safetensors(folder.path("state.safetensors"), {.metadata = {}, .tensors = state});
  REQUIRE(convert(folder / "state.safetensors", folder / "model.safetensors",
                  {"--recipe", "cifar10_ncsnv2_adversarial", "--set", "score.width=8", "--set", "critic.width=4"})
              .code == 0);
  REQUIRE(convert(folder / "model.safetensors", folder / "back.safetensors").code == 0);
  const SafetensorsFile back = read_safetensors(folder.path("back.safetensors"));
  CHECK(back.metadata.at("format") == "pt");
  REQUIRE(back.tensors.size() == state.size());
  for (const auto& [name, value] : state) {
    INFO(name);
    CHECK(back.tensors.at(name) == value);
  }
}

TEST_CASE("the last norm keeps the eps that the original implementation gave it", "[program]") {
  const Folder folder;
  Tensors state = ncsnv2_state();
  for (const std::string name : {"alpha", "gamma", "beta"}) {  // instance norm has no parameters
    std::erase_if(state, [&](const auto& entry) { return entry.first.ends_with("." + name); });
  }
  write_safetensors(folder.path("state.safetensors"), {.metadata = {}, .tensors = state});
  Words words = kTiny;
  words.insert(words.end(), {"--set", "score.norm=instance_norm"});
  const auto eps = [&](const std::string& file) {
    const Finished info = test::ascore({"info", folder / file, "--json"});
    const size_t at = info.out.find("\"last_norm_eps\": ");
    REQUIRE(at != std::string::npos);
    return std::stod(info.out.substr(at + 17));
  };
  REQUIRE(convert(folder / "state.safetensors", folder / "original.safetensors", words).code == 0);
  CHECK(eps("original.safetensors") == 232);

  words.insert(words.end(), {"--set", "score.last_norm_eps=0.5"});
  REQUIRE(convert(folder / "state.safetensors", folder / "own.safetensors", words).code == 0);
  CHECK(eps("own.safetensors") == 0.5);
  REQUIRE(convert(folder / "own.safetensors", folder / "back.safetensors").code == 0);
  words.resize(words.size() - 2);
  REQUIRE(convert(folder / "back.safetensors", folder / "again.safetensors", words).code == 0);
  CHECK(eps("again.safetensors") == 0.5);
}

TEST_CASE("a state_dict that does not fit is refused, naming the tensor", "[program]") {
  const Folder folder;
  const auto write = [&](const Tensors& state) {
    write_safetensors(folder.path("state.safetensors"), {.metadata = {}, .tensors = state});
  };
  const auto refused = [&](const std::string& culprit, const Words& recipe = kTiny) {
    test::check_refused(convert(folder / "state.safetensors", folder / "x.safetensors", recipe), 3, culprit);
    CHECK_FALSE(std::filesystem::exists(folder / "x.safetensors"));
  };
  Tensors state = ncsnv2_state();
  const HostTensor bias = state.at("begin_conv.bias");
  SECTION("missing") {
    state.erase("begin_conv.bias");
    write(state);
    refused("'begin_conv.bias' is missing");
  }
  SECTION("too many") {
    state["begin_conv.scale"] = bias;
    write(state);
    refused("'begin_conv.scale'");
  }
  SECTION("misshapen") {
    state["begin_conv.bias"] = HostTensor({9}, DType::f32);
    write(state);
    refused("'begin_conv.bias' has shape [9], the network's is [8]");
  }
  SECTION("with channels last") {
    HostTensor& weight = state.at("end_conv.weight");
    weight.shape = {weight.shape[0], weight.shape[2], weight.shape[3], weight.shape[1]};
    write(state);
    refused("'end_conv.weight' has shape [3,3,3,8], the network's is [3,8,3,3]");
  }
  SECTION("of a wider network") {
    write(state);
    refused("state.safetensors", {"--recipe", "cifar10_ncsnv2"});
  }
  SECTION("not finite") {
    HostTensor infinite = bias;
    infinite.as<float>()[3] = std::numeric_limits<float>::infinity();
    state["begin_conv.bias"] = infinite;
    write(state);
    refused("'begin_conv.bias' holds values that are not finite");
  }
  SECTION("a critic where there is none") {
    state["critic.linear.bias"] = bias;
    write(state);
    refused("'critic.linear.bias' belongs to a critic");
  }
  SECTION("half an average") {
    state["ema.begin_conv.bias"] = bias;
    write(state);
    refused("'ema.begin_conv.weight' is missing");
  }
}

TEST_CASE("wrong uses of convert are one line", "[program]") {
  const Folder folder;
  write_safetensors(folder.path("state.safetensors"), {.metadata = {}, .tensors = ncsnv2_state()});
  const std::string state = folder / "state.safetensors", model = folder / "model.safetensors";
  REQUIRE(convert(state, model, kTiny).code == 0);
  test::check_refused(convert(state, model, kTiny), 2, "--overwrite");
  test::check_refused(convert(model, folder / "x.safetensors", kTiny), 2, "is a checkpoint of ascore already");
  test::check_refused(convert(state, folder / "x.safetensors"), 3, "no checkpoint of ascore");
  REQUIRE(convert(model, folder / "back.safetensors").code == 0);
  test::check_refused(convert(folder / "back.safetensors", folder / "x.safetensors"), 3,
                      "holds weights for PyTorch; `ascore convert` with --recipe");
  test::check_refused(convert(folder / "nowhere", folder / "x.safetensors"), 3, "nowhere");
  test::check_refused(convert(folder / "nowhere", folder / "x.safetensors", kTiny), 3, "nowhere");
  test::check_refused(convert(state, folder / "x.pth", kTiny), 2, "must end in .safetensors");
  test::check_refused(convert(state, folder / "nowhere/x.safetensors", kTiny), 2, "no folder");
  test::check_refused(convert(state, folder / "x.safetensors", {"--recipe", "nowhere"}), 3, "nowhere");
}
