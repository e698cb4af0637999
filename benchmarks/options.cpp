#include "benchmarks/options.hpp"

#include "kernels/core/error.hpp"

#include <charconv>
#include <string_view>

#include <fmt/format.h>

namespace ascore::bench {

Options::Options(int argc, char** argv) {
  for (int i = 0; i < argc; i += 2) {
    const std::string_view key = argv[i];
    if (!key.starts_with("--")) throw ConfigError(fmt::format("'{}' is no option: --key number", key));
    const std::string_view text = i + 1 < argc ? argv[i + 1] : "";
    int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) {
      throw ConfigError(fmt::format("{} needs a whole number, not '{}'", key, text));
    }
    values_[std::string(key.substr(2))] = value;
  }
}

int64_t Options::get(const std::string& key, int64_t otherwise) {
  used_[key] = true;
  const auto found = values_.find(key);
  return found == values_.end() ? otherwise : found->second;
}

void Options::check_all_used() const {
  for (const auto& [key, value] : values_) {
    if (!used_.contains(key)) throw ConfigError(fmt::format("unknown option --{}", key));
  }
}

}  // namespace ascore::bench
