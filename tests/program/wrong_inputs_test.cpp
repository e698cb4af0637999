// What a user can get wrong, row by row: the exit code, one line on stderr that names the culprit, and no file changed.
#include "engine/io/lmdb.hpp"
#include "engine/io/npy.hpp"
#include "engine/io/npz.hpp"
#include "engine/io/safetensors.hpp"
#include "kernels/core/device.hpp"
#include "tests/program/process.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/images.hpp"
#include "tests/support/lmdb.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/zip.hpp"

#include <fstream>
#include <limits>
#include <map>
#include <sstream>

using namespace ascore;
using test::Finished;
using test::Folder;

namespace {

using Words = std::vector<std::string>;

/// One wrong call. In `words`, separated by blanks, @ stands for the folder of the fixture.
struct Row {
  std::string words;
  int code;
  std::string culprit;
};

const std::string kTiny =
    " --set score.width=8 --set noise.levels=5 --set training.batch_size=8 --set training.preview_every=0"
    " --set training.held_out_samples=8 --set critic=false --set sampling.step_size=0 --quiet --threads 1";

void write(const std::string& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

/// Everything that a row can name: good things, and each broken in its own way.
class Fixture {
 public:
  Fixture() {
    succeed("train gaussians25 --out @/run --max-steps 1" + kTiny);
    succeed("train digits --out @/images --max-steps 1" + kTiny);
    succeed("sample @/run --out @/samples --count 4 --quiet");
    recipes();
    checkpoints();
    runs();
    arrays();
    pictures();
    write(folder_ / "file", "a file");
    std::filesystem::create_directory(folder_ / "notes");
    write(folder_ / "notes/thesis.txt", "years of work");
    std::filesystem::create_directory(folder_ / "cifar");
    write(folder_ / "cifar/data_batch_1.bin", "too short");
  }

  Finished call(const std::string& text) const {
    std::istringstream stream(text);
    Words words;
    for (std::string word; stream >> word;) {
      const size_t at = word.find('@');
      words.push_back(at == std::string::npos ? word : word.replace(at, 2, folder_ / ""));
    }
    return test::ascore(words);
  }

  using Listing = std::map<std::string, std::string>;
  /// Every path below the folder with its bytes.
  Listing everything() const {
    Listing found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_ / "")) {
      found[entry.path().string()] = entry.is_regular_file() ? test::contents(entry.path()) : "(folder)";
    }
    return found;
  }

 private:
  void succeed(const std::string& words) const {
    const Finished done = call(words);
    INFO(words << "\n" << done.err);
    REQUIRE(done.code == 0);
  }
  void recipes() const {
    const std::string rest = "[noise]\n[score]\n[training]\n";
    write(folder_ / "empty.toml", "");
    write(folder_ / "syntax.toml", "[data]\nname = 'digits\n");
    write(folder_ / "twice.toml", "[data]\n[data]\n" + rest);
    write(folder_ / "binary.toml", std::string("\x7f"
                                               "ELF\x00\xff\xfe",
                                               7));
    write(folder_ / "no_noise.toml", "[data]\n[score]\n[training]\n");
    write(folder_ / "no_critic.toml", "[data]\n[adversarial]\n" + rest);
    write(folder_ / "list.toml", "[data]\nname = ['digits']\n" + rest);
    write(folder_ / "date.toml", "[data]\n[noise]\nlevels = 2020-01-01\n[score]\n[training]\n");
    write(folder_ / "unknown_table.toml", "[data]\n[optimizer]\n" + rest);
  }
  void checkpoints() const {
    const std::string whole = test::contents(folder_ / "run/checkpoints/step-000001.safetensors");
    const auto flipped = [&](size_t at) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ 1);
      return bytes;
    };
    write(folder_ / "empty.safetensors", "");
    write(folder_ / "text.safetensors", "this is no safetensors file, but long enough to have a header");
    write(folder_ / "cut.safetensors", whole.substr(0, whole.size() / 2));
    write(folder_ / "longer.safetensors", whole + "x");
    write(folder_ / "flipped.safetensors", flipped(whole.size() - 9));
    write(folder_ / "flipped_name.safetensors", flipped(whole.find("score.net.0.bias")));
    write(folder_ / "flipped_step.safetensors", flipped(whole.find("\"step\":\"") + 8));
    write_safetensors(folder_.path("foreign.safetensors"),
                      {.metadata = {}, .tensors = {{"weight", HostTensor({2, 2}, DType::f32)}}});
    write(folder_ / "latest", "step-000099.safetensors\n");
  }
  void copy_of_run(const std::string& name) const {
    std::filesystem::copy(folder_ / "run", folder_ / name, std::filesystem::copy_options::recursive);
  }
  void runs() const {
    copy_of_run("no_recipe");
    std::filesystem::remove(folder_ / "no_recipe/recipe.toml");
    copy_of_run("bad_pointer");
    write(folder_ / "bad_pointer/checkpoints/latest", "step-000099.safetensors\n");
    copy_of_run("bad_checkpoint");
    std::filesystem::copy_file(folder_ / "flipped.safetensors",
                               folder_ / "bad_checkpoint/checkpoints/step-000001.safetensors",
                               std::filesystem::copy_options::overwrite_existing);
    copy_of_run("bad_metrics");
    write(folder_ / "bad_metrics/metrics.jsonl", "no json\n{\"step\":1}\n");
    copy_of_run("bad_recipe");
    write(folder_ / "bad_recipe/recipe.toml", "[data");
    copy_of_run("mixed");
    std::filesystem::copy_file(folder_ / "images/recipe.toml", folder_ / "mixed/recipe.toml",
                               std::filesystem::copy_options::overwrite_existing);
  }
  void arrays() const {
    const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
    const HostTensor good = HostTensor::from(std::vector<float>{0.5f, 1.f, -1.f, 2.f}, {2, 2});
    write_npy(folder_.path("good.npy"), good);
    write_npy(folder_.path("nan.npy"), HostTensor::from(std::vector<float>{0.5f, nan}, {1, 2}));
    write_npy(folder_.path("infinite.npy"), HostTensor::from(std::vector<float>{infinity, 1.f}, {1, 2}));
    write_npy(folder_.path("three.npy"), HostTensor({3, 3}, DType::f32));
    write_npy(folder_.path("bytes.npy"), HostTensor({2, 2}, DType::u8));
    write_npz(folder_.path("doubles.npz"), {{"images", HostTensor({2, 8, 8, 1}, DType::f64)}});
    write_npy(folder_.path("none.npy"), HostTensor({0, 2}, DType::f32));
    const std::string bytes = test::contents(folder_ / "good.npy"),
                      npz = test::contents(folder_ / "samples/samples.npz");
    write(folder_ / "cut.npy", bytes.substr(0, bytes.size() - 1));
    write(folder_ / "text.npy", "not an array");
    write_npy(folder_.path("digit.npy"), HostTensor({8, 8}, DType::u8));
    write_npy(folder_.path("mask.npy"), HostTensor({8, 8}, DType::u8));
    write_npy(folder_.path("grey.npy"), HostTensor::from(std::vector<uint8_t>(64, 7), {8, 8}));
    write_npy(folder_.path("bright.npy"), HostTensor::from(std::vector<float>(64, 1.5f), {8, 8}));
    const std::string png = test::contents(folder_ / "samples/grid.png");
    write(folder_ / "cut.png", png.substr(0, png.size() / 2));
    write(folder_ / "text.png", "not a picture");
    write_npz(folder_.path("nan.npz"), {{"arr_0", HostTensor::from(std::vector<float>{0.5f, nan}, {1, 2})}});
    write_npz(folder_.path("none.npz"), {{"arr_0", HostTensor({0, 2}, DType::f32)}});
    write_npz(folder_.path("other.npz"), {{"images", good}});
    write_npz(folder_.path("strange.npz"), {{"values", good}});
    write_npz(folder_.path("three.npz"), {{"arr_0", HostTensor({3, 3}, DType::f32)}});
    write(folder_ / "cut.npz", npz.substr(0, npz.size() / 2));
    std::string flipped = npz;
    flipped[flipped.size() / 3] = static_cast<char>(flipped[flipped.size() / 3] ^ 1);
    write(folder_ / "flipped.npz", flipped);
  }

  void pictures() const {
    std::vector<std::byte> picture = test::picture_file("color.jpg");
    const auto whole = picture;
    picture.resize(picture.size() / 2);
    std::filesystem::create_directory(folder_ / "huge");
    test::write_quickly(folder_ / "huge/huge.png", test::png_that_declares(60000, 60000));
    test::write_quickly(folder_ / "climbs.zip", test::zip({{"a.jpg", whole}, {"../../x.jpg", whole}}));
    test::write_quickly(folder_ / "cut.zip", test::zip({{"a.jpg", whole}, {"b/c.jpg", picture}}));
    std::filesystem::create_directory(folder_ / "no_lmdb");
    if (!kLmdbBuilt) return;
    test::write_lmdb(folder_ / "church_train_lmdb", {{"first", whole}, {"second", picture}});
    test::write_lmdb(folder_ / "church_val_lmdb", {{"third", whole}});
  }

  Folder folder_;
};

/// Paths that are in one listing only, or with other bytes.
Words differing(const Fixture::Listing& a, const Fixture::Listing& b) {
  Words paths;
  for (const auto& [one, other] : {std::pair(&a, &b), std::pair(&b, &a)}) {
    for (const auto& [path, bytes] : *one) {
      const auto found = other->find(path);
      if (found == other->end() || (one == &a && found->second != bytes)) paths.push_back(path);
    }
  }
  return paths;
}

std::vector<Row> data_sets() {
  const std::string images = "data stats mnist --set data.channels=3 --set data.image_size=16 --set data.name=";
  const std::string own = "data stats mnist --set data.image_size=8 --set data.channels=1 --set data.name=array";
  std::vector<Row> rows = {
      {images + "folder --set data.path=@/huge", 3, "huge.png: a picture of 60000 x 60000 pixels"},
      {images + "folder --set data.path=@/climbs.zip", 3, "climbs.zip: entry ../../x.jpg lies outside"},
      {images + "folder --set data.path=@/cut.zip", 3, "cut.zip: entry b/c.jpg: a truncated or damaged JPEG"},
      {images + "folder --set data.path=@/notes", 3, "notes: holds no images"},
      {images + "folder --set data.path=@/nowhere", 3, "nowhere: cannot be read"},
      {images + "folder --set data.path=@/good.npy", 3, "good.npy: not a zip file"},
      {images + "folder --set data.image_size=0", 2, "data.image_size: 'folder' holds images of any size"},
      {images + "folder --set data.channels=4", 2, "data.channels: 'folder' has 3 or 1, not 4"},
      {"data stats digits --set data.skip_broken=true", 2, "data.skip_broken: 'digits' has no image files"},
      {images + "celeba --set data.path=@/notes", 3, "img_align_celeba: no such folder"},
      {own + " --set data.path=@/doubles.npz", 3, "doubles.npz: images: images of f64; they must be uint8"},
      {"data import @/huge --image-size 8 --out @/x.npz", 3, "huge.png: a picture of 60000 x 60000 pixels"},
      {"data import @/huge --image-size 0 --out @/x.npz", 2, "--image-size: must be a whole number from 1 to 4096"},
  };
  if (kLmdbBuilt) {
    rows.push_back({images + "lsun --set data.path=@/", 3, "church_train_lmdb: key second: a truncated"});
    rows.push_back({images + "lsun --set data.path=@/notes", 3, "ends in _train_lmdb"});
    rows.push_back({images + "ffhq --set data.path=@/no_lmdb", 3, "no_lmdb/data.mdb: no such file"});
    rows.push_back({images + "ffhq --set data.path=@/church_val_lmdb", 3, "has no key length"});
  } else {
    rows.push_back({images + "ffhq --set data.path=@/no_lmdb", 6, "liblmdb-dev"});
  }
  return rows;
}

std::vector<Row> command_lines() {
  return {
      {"", 2, "subcommand"},
      {"fly", 2, "fly"},
      {"--no-such-option", 2, "--no-such-option"},
      {"train", 2, "--out"},
      {"train digits", 2, "--out"},
      {"train digits --out", 2, "--out"},
      {"train --out @/x", 2, "RECIPE"},
      {"train digits more --out @/x", 2, "more"},
      {"train digits --out @/x --resume --overwrite", 2, "--resume"},
      {"train digits --out @/x --max-steps -1", 2, "--max-steps"},
      {"train digits --out @/x --max-steps many", 2, "'many'"},
      {"train digits --out @/x --max-steps 99999999999999999999", 2, "99999999999999999999"},
      {"train digits --out @/x --threads 0", 2, "from 1 to 4096"},
      {"train digits --out @/x --threads 5000", 2, "from 1 to 4096"},
      {"train digits --out @/x --threads 2.5", 2, "'2.5'"},
      {"train digits --out @/x --seed -1", 2, "--seed: must be a whole number of at least 0, not '-1'"},
      {"train digits --out @/x --device tpu", 2, "tpu"},
      {"train digits --out @/x --precision f16", 2, "f16"},
      {"train digits --out @/x --precision tf32 --device cpu", 2, "tf32"},
      {"sample @/run", 2, "--out"},
      {"sample --out @/x", 2, "model"},
      {"sample @/run --out @/x --count 0", 2, "--count"},
      {"sample @/run --out @/x --count -3", 2, "'-3'"},
      {"sample @/run --out @/x --batch 0", 2, "--batch"},
      {"sample @/run --out @/x --n-sigma 0", 2, "from 1 to 10000"},
      {"sample @/run --out @/x --step-size 0", 2, "--step-size: must be a number above 0, not '0'"},
      {"sample @/run --out @/x --step-size nan", 2, "'nan'"},
      {"sample @/run --out @/x --step-size 1e9", 2, "step size"},
      {"sample @/run --out @/x --sampler fast", 2, "fast"},
      {"sample @/run --out @/x --init noise", 2, "noise"},
      {"sample @/run --out @/x --preset cas_n2", 2, "cas_n2"},
      {"sample @/run --out @/x --sampler flow_heun --init uniform", 2, "starts from prior, not from uniform"},
      {"sample @/run --out @/x --sampler flow_euler --init data", 2, "starts from prior, not from data"},
      {"sample @/run --out @/x --sampler flow_heun --step-size 1e-5", 2, "takes no step size"},
      {"sample @/run --out @/x --sampler flow_heun --n-sigma 2", 2, "takes no n_sigma"},
      {"sample @/run --out @/x --sampler flow_heun --flow-steps 0", 2, "from 1 to 10000"},
      {"sample @/run --out @/x --sampler cas --flow-steps 5", 2, "--flow-steps 5: sampler cas"},
      {"inpaint @/images --mask @/mask.npy --out @/x", 2, "--reference"},
      {"inpaint @/images --reference @/digit.npy --out @/x", 2, "--mask"},
      {"inpaint @/images --reference @/digit.npy --mask @/mask.npy --out @/x --sampler flow_heun", 2, "cannot inpaint"},
      {"interpolate @/run --out @/x", 2, "--seeds"},
      {"interpolate @/run --out @/x --seeds 7", 2, "two whole numbers"},
      {"interpolate @/run --out @/x --seeds 7,", 2, "two whole numbers"},
      {"interpolate @/run --out @/x --seeds 7,eight", 2, "not '7,eight'"},
      {"interpolate @/run --out @/x --seeds 7,8,9", 2, "not '7,8,9'"},
      {"interpolate @/run --out @/x --seeds -7,8", 2, "not '-7,8'"},
      {"interpolate @/run --out @/x --seeds 7,8 --frames 1", 2, "from 2 to 10000"},
      {"interpolate @/run --out @/x --seeds 7,8 --seed 7", 2, "--seed"},
      {"denoise @/run --sigma 1 --output @/x", 2, "--input"},
      {"denoise @/run --input @/good.npy --output @/x", 2, "--sigma"},
      {"denoise @/run --input @/good.npy --output @/x --sigma 0", 2, "--sigma"},
      {"denoise @/run --input @/good.npy --output @/x --sigma inf", 2, "'inf'"},
      {"denoise @/run --input @/good.npy --output @/x --sigma big", 2, "'big'"},
      {"denoise @/run --input @/good.npy --output @/x --sigma 1 --what noise", 2, "noise"},
      {"evaluate @/samples/samples.npz", 2, "--reference"},
      {"evaluate @/samples --reference gaussians25 --split half", 2, "--split half"},
      {"evaluate @/samples --reference gaussians25 --count 1", 2, "--count"},
      {"stats digits", 2, "--out"},
      {"stats digits --out @/x", 2, "must end in .npz"},
      {"analyze", 2, "subcommand"},
      {"analyze schedule", 2, "--out"},
      {"analyze schedule --out @/x --eta-cas 0.02", 2, "outside (0.0361995"},
      {"analyze schedule --out @/x --eta-als 2", 2, "outside (0, 2)"},
      {"analyze schedule --out @/x --levels 1", 2, "--levels"},
      {"analyze schedule --out @/x --sigma-begin 0.001", 2, "sigma"},
      {"analyze schedule --out @/x --n-sigma 1,0", 2, "--n-sigma"},
      {"data", 2, "subcommand"},
      {"data fly", 2, "fly"},
      {"data stats", 2, "recipe"},
      {"info one two", 2, "two"},
      {"info digits --set", 2, "--set"},
  };
}

std::vector<Row> recipe_keys() {
  const std::string train = "train digits --out @/x --set ", points = "train gaussians25 --out @/x --set ";
  const std::string unet = "train digits --out @/x --set score.name=unet --set score.groups=4 --set ";
  return {
      {train + "score.width", 2, "key=value"},
      {train + "=3", 2, "key=value"},
      {train + "score.widht=3", 2, "did you mean score.width?"},
      {train + "score.width=0", 2, "score.width must be at least 1"},
      {train + "score.width=1", 2, "score.width: 'ncsnv2' needs at least 2"},
      {train + "score.width=2.5", 2, "score.width must be an integer"},
      {train + "score.width='x'", 2, "score.width must be an integer, not text"},
      {train + "score.width=[", 2, "not valid TOML"},
      {train + "score=3", 2, "score must be a table"},
      {train + "score.optimizer=3", 2, "score.optimizer must be a table"},
      {train + "score.optimizer.lr=0", 2, "score.optimizer.lr must be above 0"},
      {train + "score.optimizer.lr=nan", 2, "score.optimizer.lr"},
      {train + "score.optimizer.beta1=1.0", 2, "score.optimizer.beta1"},
      {train + "score.optimizer.name=lion", 2, "'lion' is unknown"},
      {train + "score.name=mlp", 2, "'mlp' does not take the images of 'digits'"},
      {train + "score.name=ncsnv2_deepest --set score.dilation=false", 2,
       "whose sides both divide by 32, or both by 16 only, not [8,8,1]"},
      {train + "score.norm=group_norm", 2, "score.norm"},
      {train + "score.groups=16", 2, "score.groups: only 'unet' has it"},
      {train + "score.multipliers=3", 2, "score.multipliers must be a list of integers, not an integer"},
      {train + "score.multipliers=[1,'2']", 2, "score.multipliers must be a list of integers, not of text"},
      {unet + "score.multipliers=[]", 2, "score.multipliers: needs 1 to 16 numbers, not 0"},
      {unet + "score.multipliers=[1,0]", 2, "score.multipliers must be at least 1"},
      {unet + "score.multipliers=[1,1,1,1,1]", 2, "5 levels need images whose sides divide by 16, not of 8 pixels"},
      {unet + "score.attention_levels=[4]", 2, "score.attention_levels: there is no level 4: the last is 3"},
      {unet + "score.attention_levels=[-1]", 2, "score.attention_levels must be at least 0"},
      {unet + "score.groups=5", 2, "score.groups: score.width 16 does not divide by 5"},
      {unet + "score.groups=0", 2, "score.groups must be at least 1"},
      {unet + "score.dropout=1", 2, "score.dropout must be at least 0 and below 1"},
      {unet + "score.init=zeros", 2, "'zeros' is unknown"},
      {unet + "score.activation=elu", 2, "score.activation: 'unet' has 'silu' only"},
      {unet + "score.norm=none", 2, "score.norm: 'unet' has 'group_norm' only"},
      {unet + "score.spectral_norm=true", 2, "score.spectral_norm: 'unet' does not have it"},
      {unet + "score.standardize=true", 2, "score.standardize: 'unet' does not have it"},
      {train + "score.conditional=true", 2, "score.conditional"},
      {train + "score.ema=1", 2, "score.ema"},
      {train + "critic.name=mlp", 2, "critic.name"},
      {train + "adversarial.loss=minimax", 2, "'minimax' is unknown"},
      {train + "adversarial.critic_steps=0", 2, "adversarial.critic_steps"},
      {train + "seed=-1", 2, "seed must be at least 0"},
      {train + "noise.levels=1", 2, "noise.levels must be at least 2"},
      {train + "noise.sigma_end=0", 2, "noise.sigma_end must be above 0"},
      {train + "noise.sigma_begin=0.001", 2, "noise.sigma_begin"},
      {train + "noise.spacing=cosine", 2, "'cosine' is unknown"},
      {train + "data.name=imagenet", 2, "'imagenet' is unknown"},
      {train + "data.image_size=16", 2, "data.image_size"},
      {train + "data.channels=3", 2, "data.channels"},
      {train + "data.flip=maybe", 2, "data.flip must be true or false"},
      {train + "data.test_fraction=1", 2, "data.test_fraction"},
      {train + "training.steps=-1", 2, "training.steps"},
      {train + "training.batch_size=0", 2, "training.batch_size"},
      {train + "training.batch_size=100000", 2, "training.batch_size 100000 is more than"},
      {train + "training.keep_checkpoints=-1", 2, "training.keep_checkpoints"},
      {train + "training.log_every=0", 2, "training.log_every"},
      {train + "training.loss=l3", 2, "'l3' is unknown"},
      {train + "sampling.step_size=1", 2, "step size"},
      {train + "sampling.n_sigma=0", 2, "sampling.n_sigma"},
      {train + "sampling.flow_steps=0", 2, "sampling.flow_steps"},
      {train + "sampling.init=nothing", 2, "'nothing' is unknown"},
      {train + "sampling.sampler=flow_heun --set sampling.init=uniform", 2, "starts from prior"},
      {points + "data.flip=true", 2, "points cannot be flipped"},
      {points + "data.transform=logit", 2, "data.transform"},
      {points + "score.name=ncsnv2", 2, "'ncsnv2' does not take the points"},
      {points + "adversarial.clamp=true", 2, "adversarial.clamp"},
      {"train cifar10_ncsnv2 --out @/x --set data.path=", 2, "data.path"},
      {"train cifar10_ncsnv2 --out @/x --set data.path=@/nowhere", 3, "nowhere"},
      {"train cifar10_ncsnv2 --out @/x --set data.path=@/cifar", 3, "data_batch_1.bin"},
  };
}

std::vector<Row> files() {
  return {
      {"train @/nowhere.toml --out @/x", 3, "nowhere.toml"},
      {"train @/notes --out @/x", 3, "notes"},
      {"train @/empty.toml --out @/x", 2, "table [data] is missing"},
      {"train @/syntax.toml --out @/x", 2, "syntax.toml:2"},
      {"train @/twice.toml --out @/x", 2, "twice.toml:2"},
      {"train @/binary.toml --out @/x", 2, "binary.toml:1"},
      {"train @/no_noise.toml --out @/x", 2, "table [noise] is missing"},
      {"train @/no_critic.toml --out @/x", 2, "no_critic.toml:2"},
      {"train @/list.toml --out @/x", 2, "list.toml:2"},
      {"train @/date.toml --out @/x", 2, "date.toml:3"},
      {"train @/unknown_table.toml --out @/x", 2, "unknown_table.toml:2"},
      {"train gaussians25 --out @/file", 2, "is a file"},
      {"train gaussians25 --out @/file/x", 8, "file/x"},
      {"train gaussians25 --out @/run", 2, "--overwrite"},
      {"train gaussians25 --out @/notes --overwrite", 2, "is not a run"},
      {"train gaussians25 --out @/samples --overwrite", 2, "is not a run"},
      {"train gaussians25 --out @/notes --resume", 2, "is not a run"},
      {"train --resume --out @/nowhere", 3, "holds no run to resume"},
      {"train --resume --out @/notes", 3, "holds no run to resume"},
      {"train --resume --out @/run --set score.width=9", 2, "score.width differs"},
      {"train --resume --out @/run --seed 5", 2, "seed differs"},
      {"train --resume --out @/run --precision bf16", 2, "resume on cpu in f32"},
      {"train --resume --out @/bad_pointer", 3, "latest"},
      {"train --resume --out @/bad_checkpoint", 3, "checksum"},
      {"train --resume --out @/bad_metrics --threads 1", 3, "metrics.jsonl:1"},
      {"train --resume --out @/bad_recipe", 2, "recipe.toml:1"},
      {"train --resume --out @/mixed", 2, "differs"},
      {"sample @/nowhere --out @/x", 3, "nowhere"},
      {"sample @/notes --out @/x", 3, "without a checkpoint"},
      {"sample @/empty.safetensors --out @/x", 3, "empty.safetensors"},
      {"sample @/text.safetensors --out @/x", 3, "text.safetensors"},
      {"sample @/cut.safetensors --out @/x", 3, "cut.safetensors"},
      {"sample @/longer.safetensors --out @/x", 3, "longer.safetensors"},
      {"sample @/flipped.safetensors --out @/x", 3, "checksum"},
      {"sample @/flipped_name.safetensors --out @/x", 3, "checksum"},
      {"sample @/flipped_step.safetensors --out @/x", 3, "checksum"},
      {"sample @/foreign.safetensors --out @/x", 3, "no checkpoint of ascore"},
      {"sample @/good.npy --out @/x", 3, "good.npy"},
      {"sample @/latest --out @/x", 3, "latest"},
      {"sample @/bad_pointer --out @/x", 3, "latest"},
      {"sample @/run --out @/x --set score.width=9", 3, "another model"},
      {"sample @/run --out @/samples", 2, "--overwrite"},
      {"sample @/run --out @/notes --overwrite", 2, "is not a set of samples"},
      {"sample @/run --out @/run --overwrite", 2, "is not a set of samples"},
      {"sample @/run --out @/file", 2, "is a file"},
      {"inpaint @/images --reference @/nowhere.npy --mask @/mask.npy --out @/x", 3, "nowhere.npy"},
      {"inpaint @/images --reference @/file --mask @/mask.npy --out @/x", 3, "must end in .png, .npy or .npz"},
      {"inpaint @/images --reference @/text.png --mask @/mask.npy --out @/x", 3, "text.png: not a PNG picture"},
      {"inpaint @/images --reference @/cut.png --mask @/mask.npy --out @/x", 3, "cut.png: a broken PNG picture"},
      {"inpaint @/images --reference @/three.npy --mask @/mask.npy --out @/x", 3, "three.npy: is f32 [3,3]"},
      {"inpaint @/images --reference @/bright.npy --mask @/mask.npy --out @/x", 3, "bright.npy: holds values"},
      {"inpaint @/images --reference @/other.npz --mask @/mask.npy --out @/x", 3, "other.npz: has no array arr_0"},
      {"inpaint @/images --reference @/digit.npy --mask @/nowhere.png --out @/x", 3, "nowhere.png"},
      {"inpaint @/images --reference @/digit.npy --mask @/three.npy --out @/x", 3, "three.npy: a mask [3,3]"},
      {"inpaint @/images --reference @/digit.npy --mask @/grey.npy --out @/x", 3, "grey.npy: a mask holds 0"},
      {"inpaint @/images --reference @/digit.npy --mask @/mask.npy --out @/samples", 2, "--overwrite"},
      {"interpolate @/nowhere --seeds 7,8 --out @/x", 3, "nowhere"},
      {"interpolate @/run --seeds 7,8 --out @/notes --overwrite", 2, "is not a set of samples"},
      {"denoise @/run --input @/nowhere.npy --sigma 1 --output @/x", 3, "nowhere.npy"},
      {"denoise @/run --input @/nan.npy --sigma 1 --output @/x", 3, "nan.npy: holds values that are not finite"},
      {"denoise @/run --input @/infinite.npy --sigma 1 --output @/x", 3, "infinite.npy"},
      {"denoise @/run --input @/three.npy --sigma 1 --output @/x", 3, "three.npy"},
      {"denoise @/run --input @/bytes.npy --sigma 1 --output @/x", 3, "bytes.npy"},
      {"denoise @/run --input @/none.npy --sigma 1 --output @/x", 3, "none.npy"},
      {"denoise @/run --input @/cut.npy --sigma 1 --output @/x", 3, "cut.npy"},
      {"denoise @/run --input @/text.npy --sigma 1 --output @/x", 3, "text.npy"},
      {"denoise @/images --input @/good.npy --sigma 1 --output @/x", 3, "good.npy"},
      {"denoise @/run --input @/good.npy --sigma 1 --output @/file", 2, "--overwrite"},
      {"denoise @/run --input @/good.npy --sigma 1 --output @/nowhere/x", 2, "no folder"},
      {"denoise @/run --input @/good.npy --sigma 1 --output @/run --overwrite", 2, "is a folder"},
      {"denoise @/run --input @/good.npy --sigma 1 --output @/x/", 2, "is a folder"},
      {"denoise @/run --input @/good.npy --sigma 1 --output /dev/full/x", 2, "no folder"},
      {"denoise @/run --input @/good.npy --sigma 1e-320 --what score --output @/x", 5, "not finite"},
      {"evaluate @/nowhere.npz --reference gaussians25", 3, "nowhere.npz"},
      {"evaluate @/samples/samples.npz --reference nowhere", 3, "nowhere"},
      {"evaluate @/samples --reference gaussians25 --count 100000", 3, "fewer than the 100000"},
      {"evaluate @/samples/samples.npz --reference digits", 3, "samples are [2]"},
      {"evaluate @/nan.npz --reference gaussians25", 3, "nan.npz: holds values that are not finite"},
      {"evaluate @/none.npz --reference gaussians25", 3, "none.npz: holds no samples"},
      {"evaluate @/strange.npz --reference gaussians25", 3, "no array arr_0"},
      {"evaluate @/three.npz --reference gaussians25", 3, "three.npz"},
      {"evaluate @/cut.npz --reference gaussians25", 3, "cut.npz"},
      {"evaluate @/flipped.npz --reference gaussians25", 3, "flipped.npz"},
      {"evaluate @/file --reference gaussians25", 3, "file"},
      {"data stats nowhere", 3, "nowhere"},
      {"data stats cifar10_ncsnv2 --set data.path=@/cifar", 3, "data_batch_1.bin"},
      {"info nowhere", 3, "nowhere"},
      {"info @/notes", 3, "is not a run"},
      {"info @/flipped.safetensors", 3, "checksum"},
      {"info @/foreign.safetensors", 3, "no checkpoint of ascore"},
      {"info @/latest", 3, "latest"},
      {"info @/syntax.toml", 2, "syntax.toml:2"},
      {"info digits --set score.widht=3", 2, "did you mean score.width?"},
  };
}

}  // namespace

TEST_CASE("a wrong input is one line that names the culprit, its exit code, and no file changed", "[program]") {
  const Fixture fixture;
  std::vector<Row> rows = command_lines();
  for (const auto& more : {recipe_keys(), files(), data_sets()}) rows.insert(rows.end(), more.begin(), more.end());
  if (is_available(Device::simt)) {
    rows.push_back({"train --resume --out @/run --device simt", 2, "resume on cpu"});
    rows.push_back({"train digits --out @/x --precision f64 --device simt", 2, "only the cpu computes in f64"});
  }
  if (!is_available(Device::cuda)) rows.push_back({"train digits --out @/x --device cuda", 6, "--device cuda"});
  REQUIRE(rows.size() >= 60);
  Fixture::Listing before = fixture.everything();
  for (const Row& row : rows) {
    const Finished done = fixture.call(row.words);
    INFO("ascore " << row.words << "\n" << done.err);
    CHECK(done.code == row.code);
    CHECK(done.out.empty());
    CHECK(done.error_lines() == 1);
    CHECK(done.err.find("ascore: ") == 0);
    CHECK(done.err.size() < 400);
    CHECK(done.err.find(row.culprit) != std::string::npos);
    Fixture::Listing after = fixture.everything();
    CHECK(differing(before, after) == Words{});
    before = std::move(after);  // so that a row answers for itself alone
  }
}
