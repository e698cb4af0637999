#include "engine/training/checkpoint.hpp"

#include "engine/io/atomic_file.hpp"
#include "engine/io/checksum.hpp"
#include "engine/io/safetensors.hpp"
#include "kernels/core/error.hpp"
#include "kernels/core/memory.hpp"

#include <charconv>
#include <set>

#include <fmt/format.h>

namespace ascore {

namespace {

constexpr const char* kFormat = "ascore checkpoint 1";

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

void write_checkpoint(const std::filesystem::path& file, const Checkpoint& checkpoint) {
  SafetensorsFile data;
  data.tensors = checkpoint.tensors;
  data.metadata = {{"format", kFormat},
                   {"step", std::to_string(checkpoint.step)},
                   {"seed", std::to_string(checkpoint.seed)},
                   {"data_position", std::to_string(checkpoint.data_position)},
                   {"threads", std::to_string(checkpoint.threads)},
                   {"recipe", checkpoint.recipe}};
  for (const auto& [role, steps] : checkpoint.optimizer_steps) {
    data.metadata["optimizer." + role + ".steps"] = std::to_string(steps);
  }
  data.metadata["checksum"] = checksum_of(data);
  write_safetensors(file, data);
}

Checkpoint read_checkpoint(const std::filesystem::path& file) {
  SafetensorsFile data = read_safetensors(file);
  if (const std::string& format = entry(file, data, "format"); format != kFormat) {
    throw DataError(fmt::format("{}: format \"{}\" is not \"{}\"", file.string(), format, kFormat));
  }
  if (entry(file, data, "checksum") != checksum_of(data)) {
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

void save_checkpoint(const std::filesystem::path& run, const Checkpoint& checkpoint) {
  const std::filesystem::path file = checkpoint_file(run, checkpoint.step);
  std::error_code error;
  std::filesystem::create_directories(file.parent_path(), error);
  if (error) throw DiskError(fmt::format("{}: cannot be made: {}", file.parent_path().string(), error.message()));
  write_checkpoint(file, checkpoint);
  write_file_atomically(file.parent_path() / "latest", file.filename().string() + "\n");
}

namespace {
/// The checkpoint of the highest step in a folder that has lost its pointer: names are zero-padded, so they sort.
std::optional<std::filesystem::path> newest_checkpoint(const std::filesystem::path& folder) {
  std::optional<std::filesystem::path> newest;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(folder, missing)) {
    const std::filesystem::path& file = entry.path();
    if (file.extension() != ".safetensors" || !file.stem().string().starts_with("step-")) continue;
    const auto rank = [](const std::filesystem::path& p) { return std::pair(p.string().size(), p.string()); };
    if (!newest || rank(*newest) < rank(file)) newest = file;
  }
  return newest;
}
}  // namespace

std::optional<std::filesystem::path> latest_checkpoint(const std::filesystem::path& run) {
  const std::filesystem::path pointer = run / "checkpoints" / "latest";
  if (!std::filesystem::exists(pointer)) return newest_checkpoint(pointer.parent_path());
  const std::vector<std::byte> bytes = read_file(pointer);
  std::string name(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  while (!name.empty() && (name.back() == '\n' || name.back() == ' ')) name.pop_back();
  const std::filesystem::path file = pointer.parent_path() / std::filesystem::path(name).filename();
  if (name.empty() || !std::filesystem::is_regular_file(file)) {
    throw DataError(fmt::format("{}: names \"{}\", which is not there", pointer.string(), name));
  }
  return file;
}

std::filesystem::path find_checkpoint(const std::filesystem::path& run_or_file) {
  if (!std::filesystem::exists(run_or_file)) {
    throw DataError(fmt::format("{}: no such run or checkpoint", run_or_file.string()));
  }
  if (!std::filesystem::is_directory(run_or_file)) return run_or_file;
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

void load_score_network(Ctx& ctx, ParameterSet& parameters, const Checkpoint& from, bool averaged) {
  const std::map<std::string, Tensor> values = slices(parameters, parameters.flat());
  load(ctx, from, "score.", with_buffers(values, parameters));
  if (averaged) load(ctx, from, "ema.", values);
  parameters.mark_changed();
}

}  // namespace ascore
