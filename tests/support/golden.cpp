#include "tests/support/golden.hpp"

#include "tests/support/catch.hpp"

#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>

namespace ascore::test {

namespace {
std::filesystem::path file_of(const std::string& name) {
  const std::string file = name + ".safetensors";
  const std::filesystem::path ours = std::filesystem::path(ASCORE_TEST_DATA) / "golden" / file;
  const char* more = std::getenv("ASCORE_GOLDEN");
  return more && !std::filesystem::exists(ours) ? std::filesystem::path(more) / file : ours;
}
}  // namespace

GoldenFile::GoldenFile(const std::string& name) : name_(name), file_(read_safetensors(file_of(name))) {}

const HostTensor& GoldenFile::tensor(const std::string& name) {
  const auto found = file_.tensors.find(name);
  if (found == file_.tensors.end()) FAIL(fmt::format("golden {} holds no \"{}\"", name_, name));
  used_.insert(name);
  return found->second;
}

HostTensor GoldenFile::channels_last(const std::string& name) {
  return ascore::channels_last(tensor(name));
}

std::vector<double> GoldenFile::values(const std::string& name) {
  return tensor(name).to_doubles();
}

std::vector<double> GoldenFile::values_channels_last(const std::string& name) {
  return channels_last(name).to_doubles();
}

double GoldenFile::scalar(const std::string& name) {
  const std::vector<double> value = values(name);
  if (value.size() != 1) FAIL(fmt::format("golden {}: \"{}\" has {} elements", name_, name, value.size()));
  return value[0];
}

std::vector<std::string> GoldenFile::names(const std::string& prefix) const {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : file_.tensors) {
    if (name.starts_with(prefix)) names.push_back(name);
  }
  return names;
}

const std::string& GoldenFile::metadata(const std::string& key) const {
  const auto found = file_.metadata.find(key);
  if (found == file_.metadata.end()) FAIL(fmt::format("golden {} has no metadata \"{}\"", name_, key));
  return found->second;
}

void GoldenFile::check_all_used() const {
  std::vector<std::string> unused;
  for (const auto& [name, tensor] : file_.tensors) {
    if (!used_.contains(name)) unused.push_back(name);
  }
  if (!unused.empty()) {
    FAIL(fmt::format("golden {}: {} tensors were never compared: {}", name_, unused.size(), fmt::join(unused, ", ")));
  }
}

}  // namespace ascore::test
