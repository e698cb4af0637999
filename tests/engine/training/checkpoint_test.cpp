#include "engine/training/checkpoint.hpp"

#include "engine/io/atomic_file.hpp"
#include "engine/io/safetensors.hpp"
#include "kernels/core/error.hpp"
#include "tests/engine/training/support.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace ascore;
using test::SmallRun;
using test::SmallTrainer;

namespace {

/// A run of two steps, and where its last checkpoint lies.
struct Fixture {
  test::TemporaryFolder folder;
  SmallRun run{false, true};
  std::filesystem::path file;

  Fixture() {
    run.config.training.steps = 2;
    SmallTrainer(run, folder.path()).run();
    file = find_checkpoint(folder.path());
  }
};

}  // namespace

TEST_CASE("a checkpoint comes back as it was written") {
  const Fixture f;
  const Checkpoint read = read_checkpoint(f.file);
  CHECK(read.step == 2);
  CHECK(read.seed == 11);
  CHECK(read.data_position == 4);  // two critic steps each
  CHECK(read.threads >= 1);
  CHECK(read.recipe == "# a small run\n");
  CHECK(read.optimizer_steps == std::map<std::string, int64_t>{{"critic", 4}, {"score", 2}});
  for (const char* name : {"score.net.0.weight", "ema.net.6.bias", "critic.net.2.weight", "optimizer.score.exp_avg",
                           "optimizer.critic.exp_avg_sq"}) {
    CHECK(read.tensors.contains(name));
  }
  write_checkpoint(f.folder / "copy.safetensors", read);
  CHECK(test::file_bytes(f.folder / "copy.safetensors") == test::file_bytes(f.file));
}

TEST_CASE("damaged checkpoints are refused, each with its reason") {
  const Fixture f;
  SECTION("truncated") {
    const auto whole = std::filesystem::file_size(f.file);
    for (const auto size : {whole - 1, whole / 2, decltype(whole){100}, decltype(whole){5}, decltype(whole){0}}) {
      std::filesystem::resize_file(f.file, size);
      CHECK_THROWS_AS(read_checkpoint(f.file), DataError);
    }
  }
  SECTION("one bit turned over in a tensor") {
    std::fstream bytes(f.file, std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekg(-9, std::ios::end);
    const char byte = static_cast<char>(bytes.get() ^ 4);
    bytes.seekp(-9, std::ios::end);
    bytes.put(byte);
    bytes.close();
    CHECK_THROWS_WITH(read_checkpoint(f.file), Catch::Contains("checksum"));
  }
  SECTION("any one byte changed") {
    const std::string whole = test::file_bytes(f.file);
    REQUIRE(whole.size() > 10000);
    const size_t header = whole.find('\0', 8);  // the arrays begin near: of them, every 301st byte
    for (size_t at = 0; at < whole.size(); at += at < header ? 1 : 301) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ (damaged[at] == ' ' ? 0x29 : 0x20));  // to a tab; another case
      test::write_quickly(f.file, std::as_bytes(std::span(damaged)));
      INFO("byte " << at);
      CHECK_THROWS_AS(read_checkpoint(f.file), DataError);
    }
  }
  SECTION("another step written over the true one") {
    SafetensorsFile data = read_safetensors(f.file);
    data.metadata["step"] = std::to_string(3);
    write_safetensors(f.file, data);
    CHECK_THROWS_WITH(read_checkpoint(f.file), Catch::Contains("checksum"));
  }
  SECTION("no checkpoint at all") {
    SafetensorsFile data = read_safetensors(f.file);
    data.metadata.clear();
    write_safetensors(f.file, data);
    CHECK_THROWS_WITH(read_checkpoint(f.file), Catch::Contains("no checkpoint of ascore"));
    write_file_atomically(f.file, "this is no safetensors file, but long enough to have a header");
    CHECK_THROWS_AS(read_checkpoint(f.file), DataError);
  }
  SECTION("missing") {
    CHECK_THROWS_AS(read_checkpoint(f.folder / "none.safetensors"), DataError);
    CHECK_THROWS_WITH(find_checkpoint(f.folder / "none"), Catch::Contains("no such run or checkpoint"));
    std::filesystem::remove(f.file);
    CHECK_THROWS_WITH(find_checkpoint(f.folder.path()), Catch::Contains("names no checkpoint"));
    const test::TemporaryFolder empty;
    CHECK_FALSE(latest_checkpoint(empty.path()));
    CHECK_THROWS_WITH(find_checkpoint(empty.path()), Catch::Contains("without a checkpoint"));
  }
}

TEST_CASE("a checkpoint of another model is refused, naming the first tensor that differs") {
  const Fixture f;
  Checkpoint checkpoint = read_checkpoint(f.file);
  SECTION("another width") {
    SmallTrainer wide(f.run, {}, 17);
    CHECK_THROWS_WITH(wide.trainer.resume(checkpoint),
                      "checkpoint of another model: 'score.net.0.bias' is [16], the "
                      "model's is [17]");
  }
  SECTION("another seed") {
    SmallRun other = SmallRun(false, true);
    other.config.seed = 12;
    SmallTrainer small(other, {});
    CHECK_THROWS_WITH(small.trainer.resume(checkpoint), Catch::Contains("seed 11, not 12"));
  }
  SECTION("no critic wanted") {
    SmallTrainer plain(SmallRun(false, false), {});
    CHECK_THROWS_WITH(plain.trainer.resume(checkpoint), Catch::Contains("trained with a critic"));
  }
  SECTION("a tensor missing, a tensor too many") {
    SmallTrainer small(f.run, {});
    HostTensor taken = checkpoint.tensors.at("ema.net.4.bias");
    checkpoint.tensors.erase("ema.net.4.bias");
    CHECK_THROWS_WITH(small.trainer.resume(checkpoint), Catch::Contains("it has no tensor 'ema.net.4.bias'"));
    checkpoint.tensors["ema.net.4.bias"] = taken;
    checkpoint.tensors["critic.net.8.bias"] = taken;
    CHECK_THROWS_WITH(small.trainer.resume(checkpoint), Catch::Contains("the model has no tensor 'critic.net.8.bias'"));
  }
}

TEST_CASE("a score network is loaded for sampling with its averaged parameters, or the raw ones") {
  const Fixture f;
  const Checkpoint checkpoint = read_checkpoint(f.file);
  SmallTrainer small(f.run, {});
  ParameterSet& parameters = small.trainer.score().parameters;
  for (const bool averaged : {true, false}) {
    load_score_network(small.ctx, parameters, checkpoint, averaged);
    for (const Parameter* p : parameters.parameters()) {
      CHECK(small.ctx.to_host(p->value) ==
            checkpoint.tensors.at(std::string(averaged ? "ema." : "score.").append(p->name)).to_doubles());
    }
  }
}
