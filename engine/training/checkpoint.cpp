#include "engine/training/checkpoint.hpp"

#include "engine/io/atomic_file.hpp"
#include "engine/io/checksum.hpp"
#include "engine/io/safetensors.hpp"
#include "kernels/core/error.hpp"
#include "kernels/core/memory.hpp"

#include <charconv>
#include <fstream>
#include <iterator>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace ascore {

namespace {

constexpr const char* kFormat = "ascore checkpoint 2";

/// Over all metadata but the checksum itself, and every tensor's name, type, shape and bytes, in order of names.
std::string checksum_of(const SafetensorsFile& data) {
  Checksum sum;
  for (const auto& [key, text] : data.metadata) {
    if (key != "checksum") sum.add(fmt::format("{}={};", key, text));
  }
  for (const auto& [name, tensor] : data.tensors) {
    sum.add(fmt::format("{} {} {};", name, ascore::name(tensor.dtype), to_string(tensor.shape)));
    sum.add(tensor.bytes);
  }
  return sum.text();
}

/// Every byte of the file is the one that its content asks for: the arrays' by the checksum, those before by
/// comparison.
bool is_intact(const std::filesystem::path& file, const SafetensorsFile& data, const std::string& checksum) {
  const std::string wanted = safetensors_preamble(data, file.string());
  std::string found(wanted.size(), '\0');
  std::ifstream(file, std::ios::binary).read(found.data(), static_cast<std::streamsize>(found.size()));
  return found == wanted && checksum == checksum_of(data);
}

const std::string& entry(const std::filesystem::path& file, const SafetensorsFile& data, const std::string& key) {
  const auto found = data.metadata.find(key);
  if (found == data.metadata.end()) {
    throw DataError(fmt::format("{}: no checkpoint of ascore (its metadata has no '{}')", file.string(), key));
  }
  return found->second;
}

template <class T>
T number(const std::filesystem::path& file, const std::string& key, const std::string& text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || (std::is_signed_v<T> && value < T{})) {
    throw DataError(fmt::format("{}: damaged checkpoint ('{}' is \"{}\")", file.string(), key, text));
  }
  return value;
}

/// Writes host values into existing device memory of the same shape.
void write(Ctx& ctx, const Tensor& into, const HostTensor& values) {
  const HostTensor* fitting = &values;
  HostTensor converted;
  if (values.dtype != into.dtype()) {
    converted = HostTensor::from_doubles(values.to_doubles(), values.shape, into.dtype());
    fitting = &converted;
  }
  copy(ctx.stream, into.view(), ConstView(fitting->bytes.data(), into.shape(), into.dtype(), Device::cpu));
}

/// Loads every tensor of `wanted` from `prefix + name`, and knows what else stands under the prefix.
void load(Ctx& ctx, const Checkpoint& from, const std::string& prefix, const std::map<std::string, Tensor>& wanted) {
  for (const auto& [name, tensor] : wanted) {
    const auto found = from.tensors.find(prefix + name);
    if (found == from.tensors.end()) {
      throw DataError(fmt::format("checkpoint of another model: it has no tensor '{}{}'", prefix, name));
    }
    if (found->second.shape != tensor.shape()) {
      throw DataError(fmt::format("checkpoint of another model: '{}{}' is {}, the model's is {}", prefix, name,
                                  to_string(found->second.shape), to_string(tensor.shape())));
    }
  }
  for (auto at = from.tensors.lower_bound(prefix); at != from.tensors.end() && at->first.starts_with(prefix); ++at) {
    if (!wanted.contains(at->first.substr(prefix.size()))) {
      throw DataError(fmt::format("checkpoint of another model: the model has no tensor '{}'", at->first));
    }
  }
  for (const auto& [name, tensor] : wanted) write(ctx, tensor, from.tensors.at(prefix + name));
}

/// The trainable parameters' parts of `flat`, by name.
std::map<std::string, Tensor> slices(const ParameterSet& parameters, const Tensor& flat) {
  std::map<std::string, Tensor> result;
  for (size_t i = 0; i < parameters.parameters().size(); ++i) {
    result.emplace(parameters.parameters()[i]->name, parameters.slice(flat, i));
  }
  return result;
}

std::map<std::string, Tensor> with_buffers(std::map<std::string, Tensor> tensors, const ParameterSet& parameters) {
  for (const Parameter* buffer : parameters.buffers()) tensors.emplace(buffer->name, buffer->value);
  return tensors;
}

void store(Ctx& ctx, Checkpoint& into, const std::string& prefix, const std::map<std::string, Tensor>& tensors) {
  for (const auto& [name, tensor] : tensors) into.tensors[prefix + name] = download(ctx.stream, tensor);
}

}  // namespace

void write_checkpoint(const std::filesystem::path& file, Checkpoint checkpoint) {
  SafetensorsFile data;
  data.tensors = std::move(checkpoint.tensors);
  data.metadata = {{"format", kFormat},
                   {"step", std::to_string(checkpoint.step)},
                   {"seed", std::to_string(checkpoint.seed)},
                   {"data_position", std::to_string(checkpoint.data_position)},
                   {"threads", std::to_string(checkpoint.threads)},
                   {"device", checkpoint.device},
                   {"precision", checkpoint.precision},
                   {"recipe", checkpoint.recipe}};
  for (const auto& [role, steps] : checkpoint.optimizer_steps) {
    data.metadata["optimizer." + role + ".steps"] = std::to_string(steps);
  }
  data.metadata["checksum"] = checksum_of(data);
  write_safetensors(file, data);
}

Checkpoint read_checkpoint(const std::filesystem::path& file) {
  SafetensorsFile data = read_safetensors(file);
  const std::string& format = entry(file, data, "format");
  if (format == "pt") {
    throw DataError(fmt::format(
        "{}: holds weights for PyTorch; `ascore convert` with --recipe makes a checkpoint of them", file.string()));
  }
  if (format != kFormat) {
    throw DataError(fmt::format("{}: format \"{}\" is not \"{}\"", file.string(), format, kFormat));
  }
  if (!is_intact(file, data, entry(file, data, "checksum"))) {
    throw DataError(fmt::format("{}: damaged checkpoint (its checksum does not match its content)", file.string()));
  }
  Checkpoint result;
  const auto read = [&]<class T>(const std::string& key, T& into) {
    into = number<T>(file, key, entry(file, data, key));
  };
  read("step", result.step);
  read("seed", result.seed);
  read("data_position", result.data_position);
  read("threads", result.threads);
  result.device = entry(file, data, "device");
  result.precision = entry(file, data, "precision");
  result.recipe = entry(file, data, "recipe");
  for (const auto& [key, text] : data.metadata) {
    constexpr std::string_view before = "optimizer.", after = ".steps";
    if (!key.starts_with(before) || !key.ends_with(after)) continue;
    const std::string role = key.substr(before.size(), key.size() - before.size() - after.size());
    result.optimizer_steps[role] = number<int64_t>(file, key, text);
  }
  result.tensors = std::move(data.tensors);
  return result;
}

std::filesystem::path checkpoint_file(const std::filesystem::path& run, int64_t step) {
  return run / "checkpoints" / fmt::format("step-{:06}.safetensors", step);
}

namespace {

constexpr const char* kPointer = "latest";

/// The step that a file name tells: step-000500.safetensors.
std::optional<int64_t> step_of(const std::filesystem::path& file) {
  const std::string stem = file.stem().string();
  constexpr std::string_view before = "step-";
  if (file.extension() != ".safetensors" || !stem.starts_with(before)) return std::nullopt;
  int64_t step = 0;
  const auto [end, error] = std::from_chars(stem.data() + before.size(), stem.data() + stem.size(), step);
  if (error != std::errc() || end != stem.data() + stem.size() || step < 0) return std::nullopt;
  return step;
}

/// The checkpoints of a folder by step; none if there is no such folder.
std::map<int64_t, std::filesystem::path> checkpoints_in(const std::filesystem::path& folder) {
  std::map<int64_t, std::filesystem::path> found;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(folder, missing)) {
    if (const auto step = step_of(entry.path())) found.emplace(*step, entry.path());
  }
  return found;
}

void remove_older(const std::filesystem::path& folder, int64_t step, int64_t keep) {
  std::map<int64_t, std::filesystem::path> present = checkpoints_in(folder);
  present.erase(present.upper_bound(step), present.end());
  for (auto oldest = present.begin(); static_cast<int64_t>(present.size()) > keep; oldest = present.erase(oldest)) {
    std::error_code error;
    std::filesystem::remove(oldest->second, error);
    if (error) throw DiskError(fmt::format("cannot remove {}: {}", oldest->second.string(), error.message()));
  }
}

/// The checkpoint that the file `latest` names.
std::filesystem::path follow(const std::filesystem::path& pointer) {
  const std::vector<std::byte> bytes = read_file(pointer);
  std::string name(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  while (!name.empty() && (name.back() == '\n' || name.back() == ' ')) name.pop_back();
  const std::filesystem::path file = pointer.parent_path() / std::filesystem::path(name).filename();
  if (!step_of(file) || !std::filesystem::is_regular_file(file)) {
    throw DataError(fmt::format("{}: names no checkpoint beside it", pointer.string()));
  }
  return file;
}

}  // namespace

void save_checkpoint(const std::filesystem::path& run, Checkpoint checkpoint, int64_t keep) {
  const int64_t step = checkpoint.step;
  const std::filesystem::path file = checkpoint_file(run, step), folder = file.parent_path();
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw DiskError(fmt::format("cannot create {}: {}", folder.string(), error.message()));
  write_checkpoint(file, std::move(checkpoint));
  write_file_atomically(folder / kPointer, file.filename().string() + "\n");
  if (keep > 0) remove_older(folder, step, keep);
}

std::optional<std::filesystem::path> latest_checkpoint(const std::filesystem::path& run) {
  const std::filesystem::path pointer = run / "checkpoints" / kPointer;
  if (std::filesystem::exists(pointer)) return follow(pointer);
  const auto present = checkpoints_in(pointer.parent_path());  // a folder that has lost its pointer
  if (present.empty()) return std::nullopt;
  return present.rbegin()->second;
}

std::optional<std::filesystem::path> checkpoint_before(const std::filesystem::path& file) {
  const auto present = checkpoints_in(file.parent_path());
  const auto from = present.lower_bound(step_of(file).value_or(0));
  if (from == present.begin()) return std::nullopt;
  return std::prev(from)->second;
}

std::filesystem::path find_checkpoint(const std::filesystem::path& run_or_file) {
  if (!std::filesystem::exists(run_or_file)) {
    throw DataError(fmt::format("{}: no such run or checkpoint", run_or_file.string()));
  }
  if (!std::filesystem::is_directory(run_or_file)) {
    return run_or_file.filename() == kPointer ? follow(run_or_file) : run_or_file;
  }
  const auto latest = latest_checkpoint(run_or_file);
  if (!latest) throw DataError(fmt::format("{}: a folder without a checkpoint", run_or_file.string()));
  return *latest;
}

void store_learner(Ctx& ctx, const Learner& learner, const std::string& role, Checkpoint& into) {
  const ParameterSet& parameters = learner.parameters;
  store(ctx, into, role + ".", with_buffers(slices(parameters, parameters.flat()), parameters));
  if (learner.average) store(ctx, into, "ema.", slices(parameters, learner.average));
  store(ctx, into, "optimizer." + role + ".", learner.optimizer->state());
  into.optimizer_steps[role] = learner.optimizer->steps();
}

void load_learner(Ctx& ctx, Learner& learner, const std::string& role, const Checkpoint& from) {
  const auto steps = from.optimizer_steps.find(role);
  if (steps == from.optimizer_steps.end()) {
    throw DataError(fmt::format("checkpoint of another model: it has no optimizer for '{}'", role));
  }
  ParameterSet& parameters = learner.parameters;
  load(ctx, from, role + ".", with_buffers(slices(parameters, parameters.flat()), parameters));
  if (learner.average) load(ctx, from, "ema.", slices(parameters, learner.average));
  load(ctx, from, "optimizer." + role + ".", learner.optimizer->state());
  learner.optimizer->set_steps(steps->second);
  parameters.mark_changed();
}

namespace {

void load_network(Ctx& ctx, ParameterSet& parameters, const std::string& role, const Checkpoint& from, bool averaged) {
  const std::map<std::string, Tensor> values = slices(parameters, parameters.flat());
  load(ctx, from, role + ".", with_buffers(values, parameters));
  if (averaged) load(ctx, from, "ema.", values);
  parameters.mark_changed();
}

}  // namespace

void load_score_network(Ctx& ctx, ParameterSet& parameters, const Checkpoint& from, bool averaged) {
  load_network(ctx, parameters, "score", from, averaged);
}

void load_classifier(Ctx& ctx, ParameterSet& parameters, const Checkpoint& from) {
  load_network(ctx, parameters, "classifier", from, /*averaged=*/true);
}

}  // namespace ascore
